"""How a list is asked for: the parameters of its query, and the document that may say the same."""

from django.conf import settings

from customers.api.errors import CONTENT_TYPE
from customers.api.schema_parts import (
    NAME,
    TEXT,
    Schema,
    any_of,
    json_answer,
    object_schema,
    query_parameter,
    ref,
    said,
    with_refusals,
)
from customers.api.schema_types import TypeSchema
from customers.resources.base import ResourceType

TEXTS: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}  # with commas, or a list
PAGE = object_schema(
    {
        "size": said("How many there are on a page.", {"type": "integer", "examples": [10]}),
        "number": said("Which page, from 1 on.", {"type": "integer", "examples": [1]}),
        "after": said("The place behind which the page begins, of links.next.", TEXT),
    }
)


def search_operation(schema: TypeSchema) -> Schema:
    """The list of a type, asked for by a document instead of a query, which may be too long."""
    content = {"schema": _search_document(schema), "example": {"page": {"size": 10}}}
    page = ref("schemas", f"{schema.component}Page")
    operation = {
        "operationId": f"{schema.name}.search",
        "summary": f"Search {schema.name}",
        "description": "The list, as its query would ask for it, by a document that may be longer. "
        "To follow a link, send the document again to its address.",
        "tags": [schema.name],
        "parameters": page_parameters_of(schema.resource),
        "requestBody": {"required": True, "content": {CONTENT_TYPE: content}},
        "responses": {"200": json_answer("A page of them", page)},
    }
    return with_refusals(operation, "search")


def _search_document(schema: TypeSchema) -> Schema:
    """What a search may say: each member of the query."""
    asked: dict[str, Schema] = {
        "include": said("Paths of relationships whose resources come along.", TEXTS),
        "fields": said(
            "The members to show, by type.",
            {"type": "object", "additionalProperties": TEXTS},
        ),
        "page": said("Which part of the list.", PAGE),
    }
    if schema.filters and schema.filters.sortable:
        asked["sort"] = said("The attributes that order the list.", TEXTS)
    if schema.has_filters:
        values = {"type": "object", "additionalProperties": TEXTS}
        said_by = {"q": said("Values by attribute and predicate.", values)}
        asked["filter"] = said("What narrows the list.", object_schema(said_by))
    return object_schema(asked)


def page_parameters_of(resource: type[ResourceType]) -> list[Schema]:
    """The parameters that ask for a page of the type."""
    names = [*["number"] * (not resource.paged_by_cursor), "after", "size"]
    return [ref("parameters", f"page_{name}") for name in names]


def list_parameters(schema: TypeSchema) -> list[Schema]:
    """The parameters of a type's list: page, order and filters."""
    found = page_parameters_of(schema.resource)
    if schema.filters and (sortable := schema.filters.sortable):
        one = f"-?{any_of(sortable)}"
        pattern = {**TEXT, "pattern": f"^{one}(,{one})*$"}
        text = "The attributes that order the list, separated by commas; a minus turns one round."
        found.append(query_parameter("sort", pattern, text))
    if schema.has_filters:
        filters = ref("schemas", f"{schema.component}Filter")
        text = "filter[q][attribute_predicate]=value narrows the list; several narrow it further."
        found.append(
            {**query_parameter("filter[q]", filters, text), "style": "deepObject", "explode": True}
        )
    return found


def include_of(resource: type[ResourceType] | None) -> Schema:
    """The parameter that includes resources related to those of a type, or of several."""
    text = "Paths of relationships, separated by commas, whose resources come along."
    if resource is None:
        return query_parameter("include", TEXT, text)
    names = sorted(resource.includable)
    one = f"{any_of(names)}(\\.{NAME}){{0,{settings.MAX_INCLUDE_DEPTH - 1}}}"
    schema = {**TEXT, "pattern": f"^({one}(,{one})*)?$" if names else "^$"}
    return query_parameter("include", schema, text)
