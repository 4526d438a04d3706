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
from customers.api.schema import described
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
    context = {
        "name": settings.ORGANIZATION_NAME,
        "host": urlsplit(settings.PUBLIC_URL).netloc,
        "groups": _groups(document),
        "errors": document["components"]["responses"],
    }
    return render_to_string("docs/api.html", context)


def _groups(document: Schema) -> list[dict[str, Any]]:
    """The tags with their operations, each as the page shows it."""
    groups = {tag["name"]: {**tag, "operations": []} for tag in document["tags"]}
    groups["tokens"] = {"name": "tokens", "description": "How to get a token.", "operations": []}
    for path, item in document["paths"].items():
        for verb in VERBS:
            if operation := item.get(verb):
                shown = _operation(document, path, verb, operation)
                groups[operation["tags"][0]]["operations"].append(shown)
    for name, group in groups.items():
        if found := document["components"]["schemas"].get(f"{name}.filter"):
            group["filters"] = found.get("description", "").splitlines()
    return [group for group in groups.values() if group["operations"]]


def _operation(document: Schema, path: str, verb: str, operation: Schema) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    kind, body = next(iter(content.items()), (None, None))
    return {
        "id": operation["operationId"],
        "summary": operation["summary"],
        "verb": verb.upper(),
        "path": path,
        "parameters": [_resolved(document, one) for one in operation.get("parameters", ())],
        "kind": kind,
        "body": json.dumps(_example(_resolved(document, body["schema"])), indent=2) if body else "",
        "members": _body_members(document, body["schema"]) if body else [],
        "statuses": sorted(operation["responses"]),
    }


def _resolved(document: Schema, schema: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    kind, name = schema["$ref"].split("/")[-2:]
    return document["components"][kind][name]


def _body_members(document: Schema, schema: Schema) -> list[dict[str, str]]:
    """Name, type and remark of each attribute and relationship that a body may have."""
    properties = _resolved(document, schema)["properties"]
    resource = properties.get("data", {}).get("properties", {"attributes": {}})
    found = {
        **resource.get("attributes", {}).get("properties", {}),
        **resource.get("relationships", {}).get("properties", {}),
    }
    return [
        {"name": name, "type": _type(one), "remark": one.get("description", "")}
        for name, one in (found or ({} if "data" in properties else properties)).items()
    ]


def _type(schema: Schema) -> str:
    kinds = schema.get("type", "any")
    text = " or ".join(kinds) if isinstance(kinds, list) else kinds
    if "enum" in schema:
        text = ", ".join(str(value) for value in schema["enum"] if value is not None)
    return "relationship" if "data" in schema.get("properties", {}) else text


def _example(schema: Schema) -> Any:
    """The smallest value that `schema` takes, as a start for one's own."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "oneOf" in schema:
        return _example(schema["oneOf"][0])
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        wanted = [*schema.get("required", ()), *({"type", "id", "attributes"} & properties.keys())]
        names = [name for name in properties if name in wanted]
        return {name: _example(properties[name]) for name in names}
    return {"array": [], "integer": 1, "number": 1.0, "boolean": True}.get(kind, "")
