"""The JSON Schema of an attribute: as it is shown, and as it may be written."""

from django.db.models import Field
from rest_framework import serializers as drf

from customers.api.schema_parts import Schema
from customers.resources.column_types import schema_of
from customers.resources.serializers import ResourceSerializer


def column_of(serializer: ResourceSerializer, name: str) -> Field | None:
    """The model's column of a serializer's field, None when there is none."""
    meta = getattr(serializer.Meta.model, "_meta", None)  # the organization is no model
    return next((one for one in meta.get_fields() if one.name == name), None) if meta else None


def readable(serializer: ResourceSerializer, name: str, field: drf.Field) -> Schema:
    """The attribute `name` as documents have it."""
    schema = schema_of(field)
    column = column_of(serializer, name)
    if isinstance(field, drf.ChoiceField):
        schema["enum"] = list(field.choices)
    if "type" in schema and (column is None or getattr(column, "null", True)):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"].append(None)
    return schema


def writable(serializer: ResourceSerializer, name: str, field: drf.Field) -> Schema:
    """The attribute `name` as requests may give it."""
    schema = schema_of(field)
    if isinstance(field, drf.ChoiceField):
        schema["enum"] = list(field.choices)
    for member, value in {
        "minLength": getattr(field, "min_length", None),
        "maxLength": getattr(field, "max_length", None),
        "minimum": getattr(field, "min_value", None),
        "maximum": getattr(field, "max_value", None),
    }.items():
        if value is not None:
            schema[member] = value
    if field.allow_null and "type" in schema:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"].append(None)
    if move := getattr(serializer.Meta.model, "transitions", {}).get(name.removeprefix("_")):
        sources = ", ".join(sorted(move.sources)) or "any status"
        schema["description"] = f"Trigger: from {sources}" + (f" to {move.to}" if move.to else "")
    elif name.startswith("_"):
        schema["description"] = "Trigger"
    return schema
