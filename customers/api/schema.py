"""The OpenAPI 3.1 description of the API, made of what the types declare.

https://spec.openapis.org/oas/v3.1.1
"""

from functools import cache

from django.conf import settings

from customers.api.schema_parts import PARAMETERS, SHARED, Schema, json_answer, page_parameters, ref
from customers.api.schema_paths import PERSONAL_DATA, TOKEN_PATHS
from customers.api.schema_types import TypeSchema
from customers.resources.errors import ApiError
from customers.resources.registry import Registry


def description(registry: Registry) -> Schema:
    """The whole description, JSON, of the types that `registry` serves."""
    paths: dict[str, Schema] = {}
    schemas: dict[str, Schema] = dict(SHARED)
    for resource in registry.types.values():
        of_type = TypeSchema(resource)
        schemas |= of_type.schemas()
        paths |= of_type.paths()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.ORGANIZATION_NAME} customer API",
            "version": "1.0.0",
            "description": (
                "Customers and everything that hangs on them, as JSON:API. Requests carry a token "
                "of POST /oauth/token; filters are written filter[q][attribute_predicate]=value, "
                "and those for equality filter[attribute]=value, too."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": settings.PUBLIC_URL}],
        "security": [{"token": []}],
        "tags": [
            {"name": name, "description": (resource.serializer_class.Meta.model.__doc__ or "")}
            for name, resource in registry.types.items()
        ],
        "paths": paths | PERSONAL_DATA | TOKEN_PATHS,
        "components": {
            "schemas": schemas,
            "responses": refusals(),
            "parameters": PARAMETERS | page_parameters(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def refusals() -> dict[str, Schema]:
    """The errors by status, with all their codes."""
    codes: dict[int, dict[str, str]] = {}
    kinds = [ApiError]
    for kind in kinds:
        codes.setdefault(kind.status, {})[kind.code] = kind.title
        kinds.extend(kind.__subclasses__())
    too_long = "The server in front reads no address of this length."
    found = {"TooLong": {"description": too_long, "content": {"text/html": {}}}}
    return found | {
        f"Error{status}": json_answer(
            "; ".join(f"{code}: {title}" for code, title in sorted(names.items())),
            ref("schemas", "errors"),
        )
        for status, names in sorted(codes.items())
    }


described = cache(description)
