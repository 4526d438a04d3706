"""What each kind of column is in the API's language; a row for each of models/column_types.py."""

from dataclasses import dataclass
from typing import Any

from django.db import models
from rest_framework import serializers as drf

from customers.models import COLUMN_TYPES, ColumnType, column_kind
from customers.resources import fields, filter_types

JsonSchema = dict[str, Any]
TEXT: JsonSchema = {"type": "string"}
INTEGER: JsonSchema = {"type": "integer", "format": "int64"}
ANY: JsonSchema = {}
MAP: JsonSchema = {"type": "object", "additionalProperties": True}


@dataclass(frozen=True)
class WireType:
    """A kind of column: the field that reads and writes it, its filter, and its JSON Schema.

    `limits` are the options of the column that the filter's form field takes.
    """

    serializer_field: type[drf.Field]
    filter: type[filter_types.AttributeFilter]
    schema: JsonSchema
    limits: tuple[str, ...] = ()


WIRE_TYPES = {
    "choice": WireType(fields.ChoiceField, filter_types.TextFilter, TEXT),
    "email key": WireType(fields.TextField, filter_types.EmailFilter, TEXT),
    "folded text": WireType(fields.TextField, filter_types.FoldedTextFilter, TEXT),
    "id": WireType(fields.TextField, filter_types.IdFilter, TEXT),
    "text": WireType(fields.TextField, filter_types.TextFilter, TEXT),
    "long text": WireType(fields.TextField, filter_types.LongTextFilter, TEXT),
    "big integer": WireType(fields.WholeNumberField, filter_types.IntegerFilter, INTEGER),
    "integer": WireType(fields.SmallWholeNumberField, filter_types.IntegerFilter, INTEGER),
    "boolean": WireType(fields.BooleanField, filter_types.BooleanFilter, {"type": "boolean"}),
    "float": WireType(fields.FiniteField, filter_types.FloatFilter, {"type": "number"}),
    "decimal": WireType(
        fields.DecimalField,
        filter_types.DecimalFilter,
        {**TEXT, "format": "decimal"},
        limits=("max_digits", "decimal_places"),
    ),
    "instant": WireType(
        fields.MomentField, filter_types.InstantFilter, {**TEXT, "format": "date-time"}
    ),
    "date": WireType(fields.DateField, filter_types.DateFilter, {**TEXT, "format": "date"}),
    "metadata": WireType(fields.MetadataSerializerField, filter_types.JsonFilter, MAP),
    "list": WireType(fields.ListField, filter_types.JsonFilter, {"type": "array", "items": ANY}),
    "object": WireType(fields.ObjectField, filter_types.JsonFilter, MAP),
    "foreign key": WireType(fields.TextField, filter_types.IdFilter, TEXT),
}

# the serializer's field of a column's class; where several rows have one class, of the plainest
SERIALIZER_FIELDS: dict[type[models.Field], type[drf.Field]] = {
    row.column_class: WIRE_TYPES[kind].serializer_field for kind, row in COLUMN_TYPES.items()
}
KINDS = {row.serializer_field: kind for kind, row in WIRE_TYPES.items()}


def filter_of(column: models.Field) -> tuple[type[filter_types.AttributeFilter], dict[str, Any]]:
    """The filter of `column`, a class, and the options to make it with.

    Raises UnknownColumnTypeError.
    """
    row = WIRE_TYPES[column_kind(column)]
    return row.filter, {name: getattr(column, name) for name in row.limits}


def schema_of(field: drf.Field) -> JsonSchema:
    """The JSON Schema of a serializer's `field`, a copy: {}, which is any, for one of no kind."""
    kind = _kind_of(field)
    return dict(WIRE_TYPES[kind].schema) if kind else dict(ANY)


def column_type_of_field(field: drf.Field) -> ColumnType | None:
    """How values of a serializer's `field` are written; None for one of no kind."""
    kind = _kind_of(field)
    return COLUMN_TYPES[kind] if kind else None


def _kind_of(field: drf.Field) -> str | None:
    return next((KINDS[one] for one in type(field).__mro__ if one in KINDS), None)
