"""What every type of resource shares: the answers of its routes."""

import re
from functools import lru_cache
from urllib.parse import parse_qsl

import orjson
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from customers.api import errors, pagination, parsers
from customers.api.auth import BearerToken
from customers.api.reads import read
from customers.api.writes import write
from customers.db.paging import PagedQuery
from customers.resources import documents, filters
from customers.resources.query import Query
from customers.resources.relations import run
from customers.services import deadlines, events, limits, permissions, request_slots, row_changes

LONGEST_KEPT = 200  # characters of filters whose SQL is kept
REFUSED_RANGE = re.compile(r"ext=.*|q=0(\.0*)?")


@lru_cache(maxsize=256)
def _acceptable(accepted):
    """Whether the header `accepted` takes our media type."""
    return any(_accepts(part) for part in accepted.lower().split(","))


def _accepts(media_range):
    """Whether one range of an Accept header takes our media type (RFC 9110 section 12.5.1)."""
    name, *parameters = (part.strip() for part in media_range.split(";"))
    return name in {errors.CONTENT_TYPE, "*/*", "application/*"} and not any(
        REFUSED_RANGE.fullmatch(parameter) for parameter in parameters
    )


class Answer(HttpResponse):
    """A response whose headers are listed as they are kept, and not found one by one again."""

    def items(self):
        return self.headers._store.values()


class ApiView(APIView):
    """Asks for a token, answers in JSON:API's media type, and errors in its shape."""

    authentication_classes = [BearerToken]
    permission_classes = []  # what the authentication lets through is asked by `_acts`
    parser_classes = [parsers.ResourceParser]
    throttle_classes = []
    http_method_names = ["get", "post", "patch", "delete", "head"]

    def perform_content_negotiation(self, request, force=False):
        if not force and not _acceptable(request.META.get("HTTP_ACCEPT") or "*/*"):
            raise errors.NotAcceptableError(f"This service answers in {errors.CONTENT_TYPE}.")
        return None, errors.CONTENT_TYPE

    use = None  # of the limit, when there is one
    slot = None  # among the requests of the same customer or guest
    principal = None  # once the token has been read
    action = None
    action_map = {}
    default_response_headers = {}

    def initialize_request(self, request, *args, **kwargs):
        """Django's own request for what only reads; DRF's where there is a body to parse."""
        if request.method not in ("GET", "HEAD"):
            return super().initialize_request(request, *args, **kwargs)
        self.action = self.action_map.get(request.method.lower())
        request.user = None
        return request

    def initial(self, request, *args, **kwargs):
        """Limits, media type, token and permissions: whatever comes before a method."""
        if limits.API.count:
            self.use = limits.consume(limits.API, limits.client_of(request.META))
        self.perform_content_negotiation(request)
        for authentication in self.authentication_classes:
            request.user, request.auth = authentication().authenticate(request)
            self.principal = request.user
        if self.principal and not self.principal.sees_all:
            client = limits.client_of(request.META)
            limits.consume_channel(
                self.principal, request.method, request.resolver_match.route, client
            )
            self.slot = self.slot or request_slots.acquire_slot(self.principal)
            deadlines.shorten(settings.CUSTOMER_REQUEST_TIMEOUT)
        self.check_permissions(request)
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
            raise errors.LengthRequiredError("Send the body with its Content-Length.")

    def dispatch(self, request, *args, **kwargs):
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            if self.slot:
                self.slot.release()
                self.slot = None

    def finalize_response(self, request, response, *args, **kwargs):
        response.headers["Cache-Control"] = errors.PRIVATE
        for name, value in self.use.headers.items() if self.use else ():
            response[name] = value
        return response

    def handle_exception(self, exception):
        """The answer to `exception`."""
        response = errors.answer(exception, {"view": self})
        if response is None:
            raise exception
        return response

    def _query(self, *families):
        """The query string, which may have members of `families` only."""
        text = self.request.META["QUERY_STRING"]
        if not text:
            return Query([], families)
        if not text.isascii():  # bytes that WSGI hands over as Latin-1 (PEP 3333)
            text = text.encode("latin-1").decode(errors="replace")
        try:
            pairs = parse_qsl(
                text,
                keep_blank_values=True,
                max_num_fields=settings.DATA_UPLOAD_MAX_NUMBER_FIELDS,
            )
        except ValueError as error:
            raise errors.ApiError("The query string has too many parameters.") from error
        return Query(pairs, families)


class UnknownRoute(ApiView):
    """What is left under /api."""

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        raise errors.RecordNotFoundError("There is no such route.")


LINKAGE_WRITES = {"replace_linkage", "add_linkage", "remove_linkage"}


class ResourceViewSet(ApiView, GenericViewSet):
    """The routes of one type: a subclass names its rows, its serializer and its filters."""

    resource_name = None
    path = None  # where it is not the resource_name
    offers = {"list", "create", "retrieve", "partial_update", "destroy"}
    not_includable = {"event_stores"}
    paging = pagination.Page
    nested = True  # whether a change that fails leaves the transaction around it alive

    # set by the router
    router = None
    relations = {}  # name: Relation
    source = None  # on a related or relationship route, the viewset that it starts from
    relation = None  # and the Relation that it follows
    written = None  # the row that the request has made or changed

    @classmethod
    def rows(cls, principal):
        """The one way to this type's rows: those that `principal` may see."""
        return cls.queryset.all().visible_to(principal)

    @classmethod
    def row(cls, principal, pk):
        """The row of `rows` with the id `pk`, any string. Raises DoesNotExist."""
        return cls._the(pk, principal, cls, lambda pk: cls.rows(principal).filter(pk=pk))

    @classmethod
    def locked_row(cls, principal, pk):
        """As `row`, and locked."""

        def build(pk):
            return cls.rows(principal).select_for_update(of=("self",)).filter(pk=pk)

        return cls._the(pk, principal, (cls, "lock"), build)

    @classmethod
    def _the(cls, pk, principal, key, build):
        if not (pk.isascii() and pk.isalnum()):  # NUL is more than databases take
            raise cls.queryset.model.DoesNotExist
        found = run(principal, key, build, pk=pk)
        if not found:
            raise cls.queryset.model.DoesNotExist
        return found[0]

    @classmethod
    def link_to(cls, row):
        return f"{settings.PUBLIC_URL}/api/{cls.resource_name}/{row.pk}"

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        for viewset, act in self._acts():
            if not permissions.allow(request.user, viewset.resource_name, act):
                raise errors.UnauthorizedError

    def _acts(self):
        """What the request does to which types: pairs of viewset and action."""
        if not self.relation:
            return [(self, self.action)] if self.action else []
        act = "partial_update" if self.action in LINKAGE_WRITES else "retrieve"
        return [(self.source, act), (self, "retrieve")]

    # /{type}

    @read
    def list(self, request, pk=None):
        """The type's rows; on a related route, those that are related to the row `pk`."""
        query = self._query("include", "fields", "sort", "page", "filter")
        document = self._document(query)
        page = self.paging.asked_for(query.page)
        if self.relation:
            rows = self.relation.among(self._parent(pk), request.user)
            listing = self._narrowed(rows, query)
        else:
            listing = self._listing(query)
        found, members = page.of(listing, self._url, query.pairs)
        return self._answer(document.many(found, **members))

    def _listing(self, query):
        """The Listing of the type's rows that `query` asks for, kept for the next time."""
        principal, asked = self.request.user, tuple((name, text) for name, _, text in query.filters)
        key = type(self), query.sort, asked
        if (known := principal.compiled.get(key)) is None:
            known = self._narrowed(self.rows(principal), query)
            if sum(len(text) for _, text in asked) < LONGEST_KEPT:
                principal.compiled[key] = known
        return known

    def _narrowed(self, rows, query):
        rows = filters.filtered(rows, type(self), self.request.user, query.filters)
        return PagedQuery(filters.ordered(rows, type(self), query.sort))

    @write
    def create(self, request):
        document = self._document(self._query("include", "fields"))
        self.nested = False
        with transaction.atomic():  # a document that cannot be written undoes the change
            row = self._create(self._data)
            body = document.one(row)
        return self._answer(body, 201, Location=self.link_to(row), ETag=document.tag(row, body))

    # /{type}/{id}

    @read
    def retrieve(self, request, pk):
        document = self._document(self._query("include", "fields"))
        row = self.row(request.user, pk)
        body = document.one(row)
        return self._answer(body, ETag=document.tag(row, body))

    @write
    def partial_update(self, request, pk):
        document = self._document(self._query("include", "fields"))
        self.nested = False
        with transaction.atomic():
            row = self._update(self._data, pk)
            body = document.one(row)
        return self._answer(body, ETag=document.tag(row, body))

    @write
    def destroy(self, request, pk):
        self._query()
        with transaction.atomic():
            rows = self.rows(request.user)
            row = self._open(row_changes.lock(rows.with_id(pk), rows, forgotten_too=True))
            row_changes.delete(row, actor=request.user.actor)
        return HttpResponse(status=204)

    # /{source}/{id}/{relation}, where the relation is to-one; a to-many one is listed

    @read
    def related(self, request, pk):
        row = self.relation.among(self._parent(pk), request.user).first()
        viewset = self.relation.viewset_for(row) if row else type(self)
        document = self._document(self._query("include", "fields"), viewset)
        return self._answer(document.one(row))

    # /{source}/{id}/relationships/{relation}

    @read
    def linkage(self, request, pk):
        parent = self._parent(pk)
        rows = self.relation.among(parent, request.user)
        if self.relation.to_many:
            query = self._query("page")
            page = self.paging.asked_for(query.page)
            found, members = page.of(rows, self._url, query.pairs)
            data = [documents.identifier(type(self), row) for row in found]
        else:
            self._query()
            row, members = rows.first(), {"links": {}}
            data = row and documents.identifier(self.relation.viewset_for(row), row)
        link = self.source.link_to(parent)
        members["links"] |= documents.relationship_links(link, self.relation.name)
        return self._answer(orjson.dumps({**members, "data": data}))

    def replace_linkage(self, request, pk):
        return self._write_linkage(request, pk=pk, how="replace")

    def add_linkage(self, request, pk):
        return self._write_linkage(request, pk=pk, how="add")

    def remove_linkage(self, request, pk):
        return self._write_linkage(request, pk=pk, how="remove")

    @write
    def _write_linkage(self, request, pk, how):
        self._query()
        name = self.relation.name
        if name not in self.source.serializer_class.writable_by(request.user, creating=False):
            raise errors.ParamNotAllowedError(f"{name} cannot be written.")
        parent = self._parent(pk)
        serializer = self.source.serializer_class(parent, context={"principal": request.user})
        missing_ok = how == "remove"  # what is not there has been removed
        others = self._others(self.relation, self._data, "/data", missing_ok)
        if self.relation.to_many:
            with transaction.atomic():
                row = self._open(row_changes.lock(parent, self.source.rows(request.user)))
                serializer.relate(row, name, others, how, "/data")
        elif others or self.relation.nullable:
            self._change(serializer, {name: others[0] if others else None}, {})
        else:
            raise errors.UnprocessableError("must exist", error="blank")
        return HttpResponse(status=204)

    # Writing rows

    def _create(self, data):
        """Make a row of `data`, the request's resource object."""
        with transaction.atomic(savepoint=self.nested):
            serializer, values, many = self._read(data, None)
            values = serializer.complete(values)
            self._check_required(values)
            row_changes.admit(*values.values())
            row = self.written = serializer.create(values)
            if row._state.adding:  # it is there already, which the caller is not to know
                return row
            events.record_create(row, actor=self.request.user.actor)
            for name, others in many.items():
                serializer.relate(row, name, others, "replace", f"/data/relationships/{name}")
        return row

    def _update(self, data, pk):
        """Change the row `pk` by `data`, the request's resource object."""
        with transaction.atomic(savepoint=self.nested):
            alone = not hasattr(self.queryset.model, "customer_id")  # no other is locked first
            row = (self.locked_row if alone else self.row)(self.request.user, pk)
            serializer, values, many = self._read(data, row)
            return self._change(serializer, serializer.complete(values), many, locked=alone)

    def _change(self, serializer, values, many, locked=False):
        """Lock the serializer's row, set `values` and the rows of `many`, and record it."""
        principal, source, row = self.request.user, self.source or type(self), serializer.instance
        with transaction.atomic(savepoint=self.nested):
            if locked:
                row_changes.check_writable(row)
                row_changes.admit(*values.values())
            else:
                row = row_changes.lock(
                    row,
                    None,
                    *values.values(),
                    read=lambda pk: source.locked_row(principal, pk),
                )
            self.written = self._open(row)
            before = events.values_of(row)
            row = serializer.update(row, values)
            row_changes.record_update(row, before, actor=principal.actor)
            for name, others in many.items():
                serializer.relate(row, name, others, "replace", f"/data/relationships/{name}")
            serializer.conclude(row)
        return row

    def _open(self, row):
        """`row`, locked. Raises errors.UnauthorizedError when its state is closed to the caller."""
        if not row.is_editable_by(self.request.user):
            raise errors.UnauthorizedError
        return row

    # Reading requests

    @property
    def _data(self):
        """What the request's document has as `data`."""
        if self.request.stream is None:  # no body, which DRF hands to no parser
            kind = self.request.content_type
            if kind and not parsers.is_json_api(kind):
                raise errors.UnsupportedMediaTypeError
            raise errors.ParamMissingError("The required parameter, data, is missing.", pointer="")
        return self.request.data

    def _document(self, query, viewset=None):
        viewset = viewset or type(self)
        return documents.Document(
            viewset,
            self.request.user,
            documents.include_tree(query.include, viewset, self.request.user),
            documents.fieldsets(query.fields, self.router),
        )

    def _parent(self, pk):
        return self.source.row(self.request.user, pk)

    def _read(self, data, row):
        """A serializer and what `data` sets: values by name, and rows by to-many relationship."""
        attributes, linkages = parsers.resource_object(data, self.resource_name, row and row.pk)
        for name in self.relations.keys() & attributes.keys():
            if attributes[name] in (None, []) and name not in linkages:  # as the SDK clears one
                empty = [] if self.relations[name].to_many else None
                linkages[name] = empty if attributes.pop(name) is None else []
        writable = self.serializer_class.writable_by(self.request.user, creating=row is None)
        self._refuse_others(attributes, writable - self.relations.keys(), "attributes")
        self._refuse_others(linkages, writable & self.relations.keys(), "relationships")
        serializer = self.serializer_class(
            row, data=attributes, partial=row is not None, context={"principal": self.request.user}
        )
        if not serializer.is_valid():
            raise errors.invalid_members(serializer.errors, "/data/attributes")
        values, many = dict(serializer.validated_data), {}
        for name, linkage in linkages.items():
            relation, pointer = self.relations[name], f"/data/relationships/{name}"
            others = self._others(relation, linkage, f"{pointer}/data")
            if relation.to_many:
                many[name] = others
            elif others or relation.nullable:
                values[name] = others[0] if others else None
            else:
                raise errors.UnprocessableError("must exist", pointer=pointer, error="blank")
        return serializer, values, many

    def _check_required(self, values):
        writable = self.serializer_class.writable(creating=True)
        for name, relation in self.relations.items():
            if name in writable and not relation.to_many | relation.nullable and name not in values:
                pointer = f"/data/relationships/{name}"
                raise errors.UnprocessableError("must exist", pointer=pointer, error="blank")

    @staticmethod
    def _refuse_others(members, allowed, kind):
        if refused := [name for name in members if name not in allowed]:
            raise errors.CombinedApiError(
                [
                    errors.ParamNotAllowedError(
                        f"{name[:100]} is not allowed.",
                        pointer=f"/data/{kind}/{errors.escaped(name)}",
                    )
                    for name in refused
                ]
            )

    def _others(self, relation, linkage, pointer, missing_ok=False):
        """The rows that `linkage` identifies, as far as the caller sees them.

        Raises errors.RecordNotFoundError for one that the caller does not see, unless `missing_ok`.
        """
        named = parsers.identifiers(linkage, relation.targets(), relation.to_many, pointer)
        found = {}
        for resource_name in {resource_name for resource_name, _ in named}:
            ids = [pk for name, pk in named if name == resource_name]
            rows = relation.targets()[resource_name].rows(self.request.user).filter(pk__in=ids)
            found |= {(resource_name, row.pk): row for row in rows}
        for index, key in enumerate(named):
            if key not in found and not missing_ok:
                raise errors.RecordNotFoundError(
                    f"There are no {key[0]} with this id.",
                    pointer=f"{pointer}/{index}" if relation.to_many else pointer,
                )
        return list(found.values())

    # Answering

    @property
    def _url(self):
        return f"{settings.PUBLIC_URL}{self.request.path}"

    @staticmethod
    def _answer(body, status=200, **headers):
        headers["Content-Type"] = errors.CONTENT_TYPE
        return Answer(body, status=status, headers=headers)


class SingletonViewSet(ResourceViewSet):
    """A type of which each caller sees one resource, at `path`."""

    path = None
    offers = {"only"}

    @classmethod
    def row_for(cls, principal):
        """The one resource that `principal` sees."""
        raise NotImplementedError

    @classmethod
    def link_to(cls, row):
        return f"{settings.PUBLIC_URL}/api/{cls.path}"

    def only(self, request):
        document = self._document(self._query("include", "fields"))
        return self._answer(document.one(self.row_for(request.user)))
