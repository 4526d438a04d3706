"""The OpenAPI 3.1 description of the API, made of what the types declare.

https://spec.openapis.org/oas/v3.1.1
"""

from collections.abc import Iterator
from functools import cache

from django.conf import settings

from customers.api.schema_operations import TypeOperations
from customers.api.schema_parts import (
    PARAMETERS,
    SHARED,
    TEXT,
    Schema,
    json_answer,
    page_parameters,
    ref,
)
from customers.api.schema_paths import PERSONAL_DATA, TOKEN_PATHS, TOKEN_SCHEMAS
from customers.api.schema_types import TypeSchema, component_of, meaning_of_type
from customers.resources.errors import ApiError
from customers.resources.registry import Registry

ABOUT = (
    "Customers and everything that hangs on them, as JSON:API. Requests carry a token of POST "
    "/oauth/token; filters are written filter[q][attribute_predicate]=value, and those for "
    "equality filter[attribute]=value, too. Whoever asks too often meets a rate limit: 429, with "
    "the seconds to wait in Retry-After."
)
TOKENS = "How to get a token, keep it fresh with a refresh token, and end it."


def description(registry: Registry) -> Schema:
    """The whole description, JSON, of the types that `registry` serves."""
    types = registry.types.values()
    included = [ref("schemas", component_of(resource)) for resource in types if not resource.path]
    paths: dict[str, Schema] = {}
    schemas = {**SHARED, **TOKEN_SCHEMAS, "Included": {"oneOf": included}}
    for resource in types:
        schemas |= TypeSchema(resource).schemas()
        paths |= TypeOperations(resource).paths()
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.ORGANIZATION_NAME} customer API",
            "version": "1.0.0",
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": settings.PUBLIC_URL}],
        "security": [{"token": []}],
        "tags": [
            *({"name": one.name, "description": meaning_of_type(one)} for one in types),
            {"name": "tokens", "description": TOKENS},
        ],
        "paths": paths | PERSONAL_DATA | TOKEN_PATHS,
        "components": {
            "schemas": schemas,
            "responses": refusals(),
            "parameters": PARAMETERS | page_parameters(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The access token of POST /oauth/token.",
                }
            },
        },
    }
    return without_unused(document)


def refusals() -> dict[str, Schema]:
    """The errors by status, with all their codes."""
    codes: dict[int, dict[str, str]] = {}
    kinds = [ApiError]
    for kind in kinds:
        codes.setdefault(kind.status, {})[kind.code] = kind.title
        kinds.extend(kind.__subclasses__())
    too_long = "The server in front reads no address of this length."
    found = {"TooLong": {"description": too_long, "content": {"text/html": {"schema": TEXT}}}}
    return found | {
        f"Error{status}": json_answer(
            "; ".join(f"{code}: {title}" for code, title in sorted(names.items())),
            ref("schemas", "Errors"),
        )
        for status, names in sorted(codes.items())
    }


def without_unused(document: Schema) -> Schema:
    """`document` without the components that nothing in its paths leads to."""
    parts = document["components"]
    used: set[tuple[str, str]] = set()
    ahead = [document["paths"]]
    while ahead:
        found = {*references_in(ahead.pop())} - used
        used |= found
        ahead += [parts[kind][name] for kind, name in found]
    for kind in ("schemas", "parameters", "responses"):
        parts[kind] = {name: one for name, one in parts[kind].items() if (kind, name) in used}
    return document


def references_in(node: object) -> Iterator[tuple[str, str]]:
    """The kinds and names of the components that `node` refers to."""
    if isinstance(node, dict):
        if "$ref" in node:
            kind, name = node["$ref"].split("/")[-2:]
            yield kind, name
        for value in node.values():
            yield from references_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from references_in(value)


described = cache(description)
