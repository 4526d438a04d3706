"""What descriptions of OpenAPI are put together from."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from customers.api.errors import CONTENT_TYPE
from customers.models import Mode

Schema = dict[str, Any]

NAME = "[a-z_]+"
EXAMPLE_ID = "kXBqfyJvRP4tWm2c"
REFUSALS = {  # what may be refused: by what is done
    "read": [400, 401, 404, 406, 429, 500, 501, 503],
    "search": [400, 401, 406, 411, 413, 415, 429, 500, 501, 503],
    "write": [400, 401, 403, 404, 406, 409, 411, 412, 413, 415, 422, 429, 500, 501, 503, 507],
    "destroy": [400, 401, 404, 406, 409, 412, 422, 423, 429, 500, 501, 503, 507],
}
TEXT: Schema = {"type": "string"}
ADDRESS: Schema = {**TEXT, "format": "uri"}
MAP: Schema = {"type": "object", "additionalProperties": True}
NUMBER_OF = {"type": "integer", "minimum": 0, "examples": [1]}


def ref(kind: str, name: str) -> Schema:
    """A reference to the component `name`."""
    return {"$ref": f"#/components/{kind}/{name}"}


def said(description: str, schema: Schema) -> Schema:
    """`schema`, and what it means."""
    return {**schema, "description": description}


def object_schema(properties: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """An object of `properties` and nothing else."""
    found = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": list(required)} if required else found


ID = said("The id of the resource.", {**TEXT, "examples": [EXAMPLE_ID]})
SHARED: dict[str, Schema] = {
    "ResourceLinks": object_schema(
        {"self": said("The address of the resource.", ADDRESS)}, ["self"]
    ),
    "ResourceMeta": object_schema(
        {
            "mode": said(
                "The environment that it is in; the two never mix.", {**TEXT, "enum": Mode.values}
            ),
            "organization_id": said("The id of the organization.", TEXT),
        },
        ["mode", "organization_id"],
    ),
    "RelationshipLinks": object_schema(
        {
            "self": said("The address of the relationship, at which it is changed.", ADDRESS),
            "related": said("The address of what is related.", ADDRESS),
        },
        ["self", "related"],
    ),
    "PageLinks": object_schema(
        {
            "first": said("The address of the first page.", ADDRESS),
            "prev": said("The address of the page before; there is none on the first.", ADDRESS),
            "next": said("The address of the next page; there is none on the last.", ADDRESS),
            "last": said("The address of the last page.", ADDRESS),
        }
    ),
    "PageMeta": object_schema(
        {
            "record_count": said("How many resources all pages have.", NUMBER_OF),
            "page_count": said("How many pages there are.", NUMBER_OF),
            "record_count_estimated": said(
                "True where counting would take too long, and the numbers are estimates.",
                {"type": "boolean"},
            ),
        }
    ),
    "ErrorSource": object_schema(
        {
            "pointer": said("The place in the request's document (RFC 6901).", TEXT),
            "parameter": said("The parameter of the query.", TEXT),
        }
    ),
    "ErrorObject": {
        "type": "object",
        "required": ["title", "detail", "code", "status"],
        "properties": {
            "title": said("What is wrong, in few words.", TEXT),
            "detail": said("What is wrong, and with which member.", TEXT),
            "code": said("What is wrong, for programs.", TEXT),
            "status": said("The HTTP status, as a text.", TEXT),
            "source": said("Where it is wrong.", ref("schemas", "ErrorSource")),
            "meta": said("What else is known, such as the rule that was broken.", MAP),
        },
    },
    "Errors": {
        "type": "object",
        "required": ["errors"],
        "properties": {
            "errors": said(
                "Everything that is wrong with the request.",
                {"type": "array", "minItems": 1, "items": ref("schemas", "ErrorObject")},
            )
        },
    },
}


def query_parameter(name: str, schema: Schema, description: str) -> Schema:
    """The parameter `name` of the query string."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


PARAMETERS = {
    "id": {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "The id of the resource.",
        "schema": TEXT,
        "example": EXAMPLE_ID,
    },
    "fields": {
        **query_parameter(
            "fields",
            {"type": "object", "additionalProperties": TEXT},
            "fields[type]=a,b shows these members of a type alone.",
        ),
        "style": "deepObject",
        "explode": True,
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Sent again with it, the request is answered again and not done again.",
        "schema": {**TEXT, "pattern": "^[!-~]{1,255}$"},
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag of what you have seen; when it has changed, the answer is 412.",
        "schema": TEXT,
    },
}


def page_parameters() -> dict[str, Schema]:
    """The parameters that ask for a page."""
    number = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
    size = {**number, "maximum": settings.MAX_PAGE_SIZE, "default": settings.PAGE_SIZE}
    place = {**TEXT, "pattern": "^[0-9A-Za-z_-]*$"}
    return {
        f"page_{name}": query_parameter(f"page[{name}]", schema, description)
        for name, schema, description in (
            ("number", number, "Which page, from 1."),
            ("size", size, "How many resources a page has."),
            ("after", place, "The page behind the place that the link `next` names."),
        )
    }


def any_of(names: Iterable[str]) -> str:
    """A pattern of one of `names`."""
    return f"({'|'.join(names)})"


def json_answer(
    description: str, schema: Schema, headers: Mapping[str, Schema] | None = None
) -> Schema:
    """A response that carries what `schema` describes."""
    found = {"description": description, "content": {CONTENT_TYPE: {"schema": schema}}}
    return {**found, "headers": headers} if headers else found


def with_refusals(operation: Schema, kind: str) -> Schema:
    """`operation`, and the errors that it may answer by `kind`, one of REFUSALS or else a read."""
    kind = kind if kind in REFUSALS else "read"
    for status in REFUSALS[kind]:
        operation["responses"][str(status)] = ref("responses", f"Error{status}")
    operation["responses"]["414"] = ref("responses", "TooLong")
    return operation
