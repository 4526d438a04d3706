"""The JSON Schema of an attribute: what it means, as it is shown, and as it may be written.

What it means stands where the attribute is declared: in the serializer's `help_text`, in `says`
around the model's field, in the docstring of a property or of what a trigger does.
"""

import re
from collections.abc import Callable
from datetime import datetime
from types import NoneType
from typing import Any, get_args, get_type_hints

from django.db.models import Field
from rest_framework import serializers as drf

from customers.api.schema_parts import MAP, TEXT, Schema
from customers.db.declarations import declaration_of
from customers.models import Move, Resource, validate_paths
from customers.resources.column_types import schema_of
from customers.resources.fields import InputsField
from customers.resources.serializers import ResourceSerializer

NUMBER = {"type": "number"}
TYPES: dict[type, Schema] = {
    str: TEXT,
    bool: {"type": "boolean"},
    float: NUMBER,
    datetime: {**TEXT, "format": "date-time"},
    dict: MAP,
}
INPUTS = {
    "oneOf": [{"type": "array", "items": MAP}, TEXT],
    "examples": [[{"email": "grace@example.com"}]],
}
LIMITS = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "minimum": "min_value",
    "maximum": "max_value",
}


def column_of(model: Any, name: str) -> Field | None:
    """The column `name` of `model`, None when there is none."""
    meta = getattr(model, "_meta", None)  # the organization is no model
    return next((one for one in meta.get_fields() if one.name == name), None) if meta else None


def readable(serializer: ResourceSerializer, name: str, field: drf.Field) -> Schema:
    """The attribute `name` as documents have it."""
    return _with_null(
        _described(serializer, name, field), _may_be_null(serializer.Meta.model, name, field)
    )


def writable(serializer: ResourceSerializer, name: str, field: drf.Field) -> Schema:
    """The attribute `name` as requests may give it."""
    schema = _described(serializer, name, field)
    for member, limit in LIMITS.items():
        if (value := getattr(field, limit, None)) is not None:
            schema[member] = value
    return _with_null(schema, field.allow_null)


def meaning_of(serializer: ResourceSerializer, name: str, field: drf.Field | None = None) -> str:
    """What the member `name` means, by what declares it; "" where nothing says it."""
    model = serializer.Meta.model
    said = declaration_of(column_of(model, name))
    acts: dict[str, Callable] = getattr(serializer, "triggers", {})
    moves: dict[str, Move] = getattr(model, "transitions", {})
    if field is not None and field.help_text:
        return str(field.help_text)
    if said and said.says:
        return said.says
    if name in acts:
        return f"Trigger. {_first_sentence(acts[name])}"
    if name.removeprefix("_") in moves and name.startswith("_"):
        return f"Trigger. {_said_of_move(moves[name.removeprefix('_')])}"
    if getter := _getter(model, name):
        return _first_sentence(getter)
    inherited = declaration_of(column_of(Resource, name))
    return inherited.says if inherited else ""


def _described(serializer: ResourceSerializer, name: str, field: drf.Field) -> Schema:
    """The type of the attribute, what it means, and an example."""
    model = serializer.Meta.model
    schema = _type_of(model, name, field)
    if isinstance(field, drf.ChoiceField):
        schema["enum"] = list(field.choices)
    schema["description"] = meaning_of(serializer, name, field)
    said = declaration_of(column_of(model, name))
    example = field.initial or (said and said.example)
    if example not in (None, ""):
        schema["examples"] = [example]
    return schema


def _type_of(model: Any, name: str, field: drf.Field) -> Schema:
    if isinstance(field, InputsField):
        return dict(INPUTS)
    schema = schema_of(field)
    if schema.get("type") == "array" and validate_paths in field.validators:
        schema["items"] = TEXT
    if not schema:
        schema = dict(next(TYPES[kind] for kind in _kinds_of(model, name) if kind in TYPES))
    return schema


def _may_be_null(model: Any, name: str, field: drf.Field) -> bool:
    if column := column_of(model, name):
        return bool(column.null or (field.read_only and field.allow_null))
    return NoneType in (_kinds_of(model, name) or [NoneType])


def _with_null(schema: Schema, may_be_null: bool) -> Schema:
    if may_be_null and "type" in schema:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


def _getter(model: Any, name: str) -> Callable | None:
    return getattr(getattr(model, name, None), "fget", None)


def _kinds_of(model: Any, name: str) -> list[Any]:
    """The types that the property `name` of `model` is annotated with; [] where it is none."""
    getter = _getter(model, name)
    if getter is None:
        return []
    hint = get_type_hints(getter)["return"]
    found = get_args(hint) if NoneType in get_args(hint) else (hint,)
    return [getattr(one, "__origin__", one) for one in found]


def _said_of_move(step: Move) -> str:
    does = [
        *([f"sets the status to {step.to}"] if step.to else []),
        *([f"dates {step.stamp}"] if step.stamp else []),
        *([f"empties {step.clears}"] if step.clears else []),
    ]
    text = f"True {' and '.join(does) or 'tells webhooks'}"
    return f"{text}, from {' or '.join(sorted(step.sources))} only." if step.sources else f"{text}."


def _first_sentence(function: Callable) -> str:
    """What the docstring of `function` says to readers who see JSON."""
    text = " ".join((function.__doc__ or "").split())
    text = re.split(r"(?<=\.) (?=[A-Z])", text)[0].replace("the locked ", "the ")
    return text.replace("None", "null").replace("`", "")
