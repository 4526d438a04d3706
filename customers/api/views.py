"""The answers of a type's routes: a class for each kind of route."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseNotModified
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from customers.api import errors, parsers
from customers.api.base import ApiView
from customers.api.methods import idempotent_write, names_etag, replica_read
from customers.api.pagination import Cursor, Page
from customers.db.paging import PagedQuery
from customers.models import Resource
from customers.resources import documents, writing
from customers.resources.base import ResourceType, SingletonType
from customers.resources.credentials import recognize
from customers.resources.errors import ParamMissingError, UnauthorizedError
from customers.resources.filtering import filter_rows
from customers.resources.ordering import order_rows
from customers.resources.protocols import ServedType
from customers.resources.query import Query
from customers.resources.registry import registry
from customers.resources.relations import Relation
from customers.services import limits, permissions

LONGEST_KEPT = 200  # characters of filters whose SQL is kept


class ResourceView(ApiView):
    """A route of the type `resource`, which the router says.

    `actions` are what its methods do to the type.
    """

    resource: type[ResourceType] = ResourceType
    actions: Mapping[str, str] = {}
    written: Resource | None = None  # the row that the request has made or changed

    @property
    def source(self) -> type[ResourceType]:
        """The type of the row that the route begins with."""
        return self.resource

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As of any view, and then the permissions. Raises UnauthorizedError."""
        super().initial(request, *args, **kwargs)
        for resource, action in self.required_permissions(request.method):
            if not permissions.allow(self.principal, resource.name, action):
                raise UnauthorizedError

    def required_permissions(self, method: str | None) -> list[tuple[type[ResourceType], str]]:
        """What `method` does to which types; nothing where the type does not offer it (405)."""
        action = self.actions.get("GET" if method == "HEAD" else method or "")
        return [(self.resource, action)] if action in self.resource.actions else []

    def get_parsers(self) -> list[BaseParser]:
        """The one parser, which reads more where files are part of the document."""
        return [parsers.FileParser() if self.resource.takes_files else parsers.ResourceParser()]

    @property
    def body(self) -> Any:
        """What the request's document has as `data`, whatever that is. Raises ApiError."""
        if self.request.stream is None:  # no body, which DRF hands to no parser
            kind = self.request.content_type
            if kind and not parsers.is_json_api(kind):
                raise errors.UnsupportedMediaTypeError
            raise ParamMissingError("The required parameter, data, is missing.", pointer="")
        return self.request.data

    def document(self, query: Query, resource: ServedType | None = None) -> documents.Document:
        """The document that `query` asks for, about rows of `resource`."""
        resource = resource or self.resource
        return documents.Document(
            resource,
            self.principal,
            documents.parse_include(query.include, resource, self.principal),
            documents.parse_fields(query.fields, registry),
        )

    def page(self, query: Query) -> Page | Cursor:
        """The page that `query` asks for. Raises ApiError."""
        return (Cursor if self.resource.paged_by_cursor else Page).parse(query.page)

    @property
    def url(self) -> str:
        """The address of the list, which links to its pages repeat."""
        return f"{settings.PUBLIC_URL}{self.request.path}"

    def narrowed(self, rows: QuerySet, query: Query) -> PagedQuery:
        """`rows` as far as the filters of `query` take them, in its order."""
        rows = filter_rows(rows, self.resource, self.principal, query.filters)
        return PagedQuery(order_rows(rows, self.resource, query.sort))


class ListView(ResourceView):
    """/{type}"""

    actions = {"GET": "list", "POST": "create"}

    @replica_read
    def get(self, request: Request) -> HttpResponse:
        """A page of the type's rows."""
        query = self.query("include", "fields", "sort", "page", "filter")
        return self.list_response(query, query.pairs)

    @idempotent_write
    def post(self, request: Request) -> HttpResponse:
        """Makes a row; a document that cannot be written undoes it."""
        document = self.document(self.query("include", "fields"))
        row = self.written = writing.create_row(self.resource, self.principal, self.body)
        body = document.one(row)
        headers = {"Location": self.resource.link_to(row), "ETag": document.etag(row, body)}
        return document_response(body, 201, headers)

    def list_response(self, query: Query, repeated: list[tuple[str, str]]) -> HttpResponse:
        """The page that `query` asks for, with links that repeat the pairs `repeated`."""
        document, page = self.document(query), self.page(query)
        found, members = page.read(self._listing(query), self.url, repeated)
        return document_response(document.many(found, **members))

    def _listing(self, query: Query) -> PagedQuery:
        """The rows that `query` asks for, compiled and kept for the next time."""
        asked = tuple((name, text) for name, _, text in query.filters)
        key = self.resource, query.sort, asked
        if (known := self.principal.compiled.get(key)) is None:
            known = self.narrowed(self.resource.rows(self.principal), query)
            if sum(len(text) for _, text in asked) < LONGEST_KEPT:
                self.principal.compiled[key] = known
        return known


class DetailView(ResourceView):
    """/{type}/{id}"""

    actions = {"GET": "retrieve", "PATCH": "partial_update", "DELETE": "destroy"}

    @replica_read
    def get(self, request: Request, pk: str) -> HttpResponse:
        """The row `pk`."""
        document = self.document(self.query("include", "fields"))
        row = self.resource.row(self.principal, pk)
        body = document.one(row)
        etag, known = document.etag(row, body), request.headers.get("If-None-Match")
        if known and not document.include and names_etag(known, etag):  # which no tag tells of
            return HttpResponseNotModified(headers={"ETag": etag})
        return document_response(body, headers={"ETag": etag})

    def patch(self, request: Request, pk: str) -> HttpResponse:
        """Changes the row `pk`, for a customer who may have shown its password with it."""
        if self.resource.shows_password and self.principal.owner_id == pk:
            client = limits.client_of(request.META)
            self.principal = recognize(self.principal, self.body, client=client)
        return self._patch(request, pk=pk)

    @idempotent_write
    def _patch(self, request: Request, pk: str) -> HttpResponse:
        """Changes the row `pk`; a document that cannot be written undoes it."""
        document = self.document(self.query("include", "fields"))
        row = self.written = writing.update_row(self.resource, self.principal, pk, self.body)
        body = document.one(row)
        return document_response(body, headers={"ETag": document.etag(row, body)})

    @idempotent_write
    def delete(self, request: Request, pk: str) -> HttpResponse:
        """Deletes the row `pk`."""
        self.query()
        writing.delete_row(self.resource, self.principal, pk)
        return HttpResponse(status=204)


class SingletonView(ResourceView):
    """/{path} of a type of which each caller sees one resource."""

    resource: type[SingletonType] = SingletonType
    actions = {"GET": "retrieve_singleton"}

    def get(self, request: Request) -> HttpResponse:
        """The one resource."""
        document = self.document(self.query("include", "fields"))
        return document_response(document.one(self.resource.row_for(self.principal)))


class RelationView(ResourceView):
    """A route that follows `relation` from a row of the type `source` to rows of `resource`.

    Where rows of several types are related, `resource` is `source`: each row tells its own type.
    """

    source: type[ResourceType] = ResourceType
    relation: Relation = None  # type: ignore[assignment]  # the router says it

    def required_permissions(self, method: str | None) -> list[tuple[type[ResourceType], str]]:
        """What is read, and for a change the change of the row that it begins with."""
        reads = "retrieve_singleton" if self.source.path else "retrieve"
        return [
            (self.source, reads if method in ("GET", "HEAD") else "partial_update"),
            (self.resource, "retrieve"),
        ]

    def related_rows(self, pk: str) -> tuple[Resource, QuerySet]:
        """The row `pk`, and those that are related to it."""
        parent = self.source.row(self.principal, pk)
        return parent, self.relation.queryset_for(parent, self.principal)


class RelatedView(RelationView):
    """/{source}/{id}/{relation}"""

    @replica_read
    def get(self, request: Request, pk: str = "") -> HttpResponse:
        """The one related row; of a to-many relationship, the type's list, narrowed."""
        if not self.relation.to_many:
            return self._one(pk)
        query = self.query("include", "fields", "sort", "page", "filter")
        document, page = self.document(query), self.page(query)
        _, rows = self.related_rows(pk)
        found, members = page.read(self.narrowed(rows, query), self.url, query.pairs)
        return document_response(document.many(found, **members))

    def _one(self, pk: str) -> HttpResponse:
        _, rows = self.related_rows(pk)
        row = rows.first()
        resource = self.relation.type_for(row) if row else self.resource
        document = self.document(self.query("include", "fields"), resource)
        return document_response(document.one(row))


class RelationshipView(RelationView):
    """/{source}/{id}/relationships/{relation}"""

    @replica_read
    def get(self, request: Request, pk: str = "") -> HttpResponse:
        """The identifiers of the related rows, a page of them where they are many."""
        parent, rows = self.related_rows(pk)
        if self.relation.to_many:
            query = self.query("page")
            found, members = self.page(query).read(rows, self.url, query.pairs)
            data: object = [documents.identifier_of(self.resource, row) for row in found]
        else:
            self.query()
            row, members = rows.first(), {"links": {}}
            data = row and documents.identifier_of(self.relation.type_for(row), row)
        link = self.source.link_to(parent)
        members["links"] |= documents.relationship_links(link, self.relation.name)
        return document_response(orjson.dumps({**members, "data": data}))

    @idempotent_write
    def patch(self, request: Request, pk: str) -> HttpResponse:
        """Replaces what is related."""
        return self._relate(pk, "replace")

    @idempotent_write
    def post(self, request: Request, pk: str) -> HttpResponse:
        """Adds to what is related."""
        return self._relate(pk, "add")

    @idempotent_write
    def delete(self, request: Request, pk: str) -> HttpResponse:
        """Takes away from what is related."""
        return self._relate(pk, "remove")

    def _relate(self, pk: str, how: writing.How) -> HttpResponse:
        self.query()
        self.written = writing.relate_rows(
            self.source, self.principal, pk, self.relation, self.body, how
        )
        return HttpResponse(status=204)


def document_response(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """The response that carries the document `body`."""
    return HttpResponse(body, status=status, content_type=errors.CONTENT_TYPE, headers=headers)
