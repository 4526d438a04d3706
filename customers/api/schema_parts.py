"""What descriptions of OpenAPI are put together from."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from customers.api.errors import CONTENT_TYPE

Schema = dict[str, Any]

NAME = "[a-z_]+"
REFUSALS = {  # what may be refused: by what is done
    "read": [400, 401, 404, 406, 429, 500, 501, 503],
    "search": [400, 401, 406, 411, 413, 415, 429, 500, 501, 503],
    "write": [400, 401, 404, 406, 409, 411, 412, 413, 415, 422, 429, 500, 501, 503, 507],
    "destroy": [400, 401, 404, 406, 409, 412, 422, 423, 429, 500, 501, 503, 507],
}


OPEN = {"additionalProperties": True}
SHARED = {
    "relationship": {
        "type": "object",
        "required": ["links"],
        "properties": {"links": {"type": "object"}, "data": {"type": ["object", "array", "null"]}},
    },
    "errors": {
        "type": "object",
        "required": ["errors"],
        "properties": {
            "errors": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["title", "detail", "code", "status"],
                    "properties": {
                        "title": {"type": "string"},
                        "detail": {"type": "string"},
                        "code": {"type": "string"},
                        "status": {"type": "string"},
                        "source": {"type": "object"},
                        "meta": {"type": "object"},
                    },
                },
            }
        },
    },
}


def ref(kind: str, name: str) -> Schema:
    """A reference to the component `name`."""
    return {"$ref": f"#/components/{kind}/{name}"}


def query_parameter(name: str, schema: Schema) -> Schema:
    """The parameter `name` of the query string."""
    return {"name": name, "in": "query", "schema": schema}


PARAMETERS = {
    "id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
    "fields": {
        **query_parameter("fields", {"type": "object", "additionalProperties": {"type": "string"}}),
        "style": "deepObject",
        "explode": True,
        "description": "fields[type]=a,b shows these members of a type alone.",
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Sent again with it, the request is answered again and not done again.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag of what you have seen; when it has changed, the answer is 412.",
        "schema": {"type": "string"},
    },
}


def page_parameters() -> dict[str, Schema]:
    """The parameters that ask for a page."""
    number = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
    place = {"type": "string", "pattern": "^[0-9A-Za-z_-]*$"}
    return {
        "page[number]": query_parameter("page[number]", number),
        "page[size]": query_parameter("page[size]", {**number, "maximum": settings.MAX_PAGE_SIZE}),
        "page[after]": query_parameter("page[after]", place),
    }


def object_schema(properties: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """An object of `properties` and nothing else."""
    found = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": list(required)} if required else found


def any_of(names: Iterable[str]) -> str:
    """A pattern of one of `names`."""
    return f"({'|'.join(names)})"


def json_answer(
    description: str, schema: Schema, headers: Mapping[str, Schema] | None = None
) -> Schema:
    """A response that carries what `schema` describes."""
    found = {"description": description, "content": {CONTENT_TYPE: {"schema": schema}}}
    return {**found, "headers": headers} if headers else found


def shown(schema: Schema, headers: Mapping[str, Schema]) -> Schema:
    """A response with the document of one resource."""
    document = {"data": schema, "included": {"type": "array", "items": {"type": "object"}}}
    return json_answer("The resource", object_schema(document, ["data"]), headers)


def listed(schema: Schema) -> Schema:
    """A response with a page of resources."""
    document: dict[str, Schema] = {
        "data": {"type": "array", "items": schema},
        "included": {"type": "array", "items": {"type": "object"}},
        "meta": {"type": "object"},
        "links": {"type": "object"},
    }
    return json_answer("A page of them", object_schema(document, ["data", "meta", "links"]))


def search_document(name: str, parameters: Iterable[Schema]) -> Schema:
    """The document that asks for a list of the type `name`, whose query has `parameters`."""
    known = {one["name"]: one["schema"] for one in parameters if "name" in one}
    text = {"type": ["string", "array"]}
    asked: dict[str, Schema] = {
        member: {"anyOf": [known[member], {"type": "array", "items": {"type": "string"}}]}
        for member in ("include", "sort")
        if member in known
    }
    asked["fields"] = {"type": "object", "additionalProperties": text}
    asked["page"] = {
        "type": "object",
        "properties": {"size": {}, "number": {}, "after": {"type": "string"}},
        "additionalProperties": False,
    }
    if "filter[q]" in known:
        names = ref("schemas", f"{name}.filter/propertyNames")
        asked["filter"] = {
            "type": "object",
            "properties": {"q": {"type": "object", "propertyNames": names}},
        }
    return object_schema(asked)


def with_refusals(operation: Schema, kind: str) -> Schema:
    """`operation`, and the errors that it may answer by `kind`, one of REFUSALS or else a read."""
    kind = kind if kind in REFUSALS else "read"
    for status in REFUSALS[kind]:
        operation["responses"][str(status)] = ref("responses", f"Error{status}")
    operation["responses"]["414"] = ref("responses", "TooLong")
    return operation
