"""The API's description: for machines at /api/schema, for people at /api/docs."""

import json
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from customers.api.errors import read_only
from customers.api.schema import described, refusals
from customers.api.schema_examples import example_of, resolved
from customers.api.schema_parts import Schema
from customers.resources.registry import registry

VERBS = ("get", "post", "patch", "delete")


@read_only
def schema(request: HttpRequest) -> HttpResponse:
    """GET /api/schema: the description as JSON."""
    return HttpResponse(_schema(), content_type="application/json")


@read_only
def docs(request: HttpRequest) -> HttpResponse:
    """GET /api/docs: the description as a page."""
    return HttpResponse(_page())


@cache
def _schema() -> bytes:
    return orjson.dumps(described(registry))


@cache
def _page() -> str:
    document = described(registry)
    operations = [
        _operation(document, path, verb, item[verb])
        for path, item in document["paths"].items()
        for verb in VERBS
        if verb in item
    ]
    context = {
        "name": settings.ORGANIZATION_NAME,
        "host": urlsplit(settings.PUBLIC_URL).netloc,
        "about": document["info"]["description"],
        "groups": _groups(document, operations),
        "answers": _answers(document, {one["answer"] for one in operations} - {""}),
        "errors": refusals(),
    }
    return render_to_string("docs/api.html", context)


def _groups(document: Schema, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tags with their operations and attributes, each as the page shows it."""
    schemas = document["components"]["schemas"]
    components = {
        one["properties"]["type"]["const"]: name
        for name, one in schemas.items()
        if {"type", "attributes", "meta"} <= one.get("properties", {}).keys()
    }
    return [
        {
            **tag,
            "attributes": _members(schemas.get(f"{components.get(tag['name'])}Attributes", {})),
            "filters": schemas.get(f"{components.get(tag['name'])}Filter", {})
            .get("description", "")
            .splitlines(),
            "operations": [one for one in operations if one["tag"] == tag["name"]],
        }
        for tag in document["tags"]
    ]


def _operation(document: Schema, path: str, verb: str, operation: Schema) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    kind, body = next(iter(content.items()), (None, None))
    schemas = document["components"]["schemas"]
    parameters = document["components"]["parameters"]
    return {
        "id": operation["operationId"],
        "tag": operation["tags"][0],
        "summary": operation["summary"],
        "description": _plain(operation["description"]),
        "verb": verb.upper(),
        "path": path,
        "parameters": [resolved(one, parameters) for one in operation.get("parameters", ())],
        "kind": kind,
        "body": _body(body, schemas) if body else "",
        "members": _body_members(resolved(body["schema"], schemas)) if body else [],
        "statuses": sorted(operation["responses"]),
        "answer": _answer_of(operation),
    }


def _body(body: Schema, schemas: Schema) -> str:
    example = body.get("example") or example_of(body["schema"], schemas)
    return json.dumps(example, indent=2, ensure_ascii=False)


def _answer_of(operation: Schema) -> str:
    """The name of the component that a success answers, "" where it is empty or of no component."""
    success = next(one for status, one in operation["responses"].items() if status < "300")
    content: Schema = next(iter(success.get("content", {}).values()), {"schema": {}})
    return content["schema"].get("$ref", "").rpartition("/")[2]


def _answers(document: Schema, names: set[str]) -> dict[str, str]:
    """A sample of each of the components `names`, as JSON that people read."""
    schemas = document["components"]["schemas"]
    return {
        name: json.dumps(example_of(schemas[name], schemas), indent=2, ensure_ascii=False)
        for name in sorted(names)
    }


def _body_members(schema: Schema) -> list[dict[str, Any]]:
    """The attributes and relationships that a body may have, or its own members."""
    resource = schema["properties"].get("data", {}).get("properties")
    if resource is None:
        return [] if "data" in schema["properties"] else _members(schema)
    return _members(resource["attributes"]) + _members(resource["relationships"])


def _members(schema: Schema) -> list[dict[str, Any]]:
    """Name, type and meaning of each member of an object."""
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "type": _type(one),
            "remark": _plain(one.get("description", "")),
            "required": name in required,
        }
        for name, one in schema.get("properties", {}).items()
    ]


def _type(schema: Schema) -> str:
    kinds = schema.get("type", "any of several")
    text = " or ".join(kinds) if isinstance(kinds, list) else kinds
    if "enum" in schema:
        text = ", ".join(str(value) for value in schema["enum"] if value is not None)
    return "relationship" if "data" in schema.get("properties", {}) else text


def _plain(text: str) -> str:
    """The Markdown `text`, which has no marks but those of code, without them."""
    return text.replace("`", "")
