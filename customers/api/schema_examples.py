"""Examples of what schemas describe: bodies to send, answers to expect."""

from collections.abc import Iterable
from typing import Any

from customers.api.schema_parts import Schema

BY_FORMAT = {
    "date-time": "2030-01-31T12:00:00.000Z",
    "date": "2030-01-31",
    "decimal": "1.5",
    "uri": "https://api.example.com/api/…",
}
PLAIN = {"string": "text", "integer": 0, "number": 1.5, "boolean": True, "array": [], "null": None}
DEEPEST = 8


def example_of(schema: Schema, schemas: Schema, depth: int = 0) -> Any:
    """A value that `schema` describes, of which `schemas` are the components by name.

    Objects have all their members but `included` and what holds no value of its own.
    """
    schema = resolved(schema, schemas)
    if "const" in schema:
        return schema["const"]
    if "examples" in schema:
        return schema["examples"][0]
    kind = schema.get("type", "object")
    if isinstance(kind, list):  # what may be null, mostly is
        return None
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return example_of(schema[choice][0], schemas, depth)
    if kind == "object":
        return _object(schema, schemas, depth)
    if kind == "array" and depth < DEEPEST and schema["items"]:
        return [example_of(schema["items"], schemas, depth + 1)]
    return BY_FORMAT.get(schema.get("format", ""), PLAIN[kind])


def resolved(schema: Schema, schemas: Schema) -> Schema:
    """`schema`, or the component of `schemas` that it refers to."""
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


def body_example(attributes: Schema, required: Iterable[str]) -> dict[str, Any]:
    """Attributes to send: those `required`, and those of which an example was declared."""
    wanted = {*required, *(name for name, one in attributes.items() if "examples" in one)}
    return {name: example_of(one, {}) for name, one in attributes.items() if name in wanted}


def _object(schema: Schema, schemas: Schema, depth: int) -> dict[str, Any]:
    members = schema.get("properties", {})
    if depth > DEEPEST:
        return {}
    return {
        name: example_of(one, schemas, depth + 1)
        for name, one in members.items()
        if name != "included"
    }
