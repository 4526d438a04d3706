"""JSON:API documents: what a resource looks like, and what comes with it.

https://jsonapi.org/format/1.1/#document-structure
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NoReturn

import orjson
from django.conf import settings
from django.db.models import Model

from customers.db.bounds import ByteBudget, TooManyBytesError
from customers.resources import errors
from customers.resources.prefetching import PrefetchBudget
from customers.resources.protocols import Principal, ServedType, ServedTypes
from customers.resources.relations import Relation, RowsById
from customers.resources.shapes import Identifiers, shape_of
from customers.services import permissions

IncludeTree = dict[str, "IncludeTree"]
Key = tuple[str, str]  # of a resource: its type and id


class Document:
    """Writes what `principal` asked for of the type that `resource` serves.

    `include` is a tree of relationship names, {"customer_group": {"customers": {}}};
    `fields` maps a type to the set of its names to show. A document of more than one resource
    has `most_bytes` at most, without it settings.MAX_DOCUMENT_BYTES.
    """

    def __init__(
        self,
        resource: ServedType,
        principal: Principal,
        include: IncludeTree | None = None,
        fields: dict[str, frozenset[str]] | None = None,
        most_bytes: int | None = None,
    ) -> None:
        self.resource = resource
        self.principal = principal
        self.include = include or {}
        self.fields = fields or {}
        self.most_bytes = most_bytes or settings.MAX_DOCUMENT_BYTES
        self.byte_budget = ByteBudget(self.most_bytes)  # of what is included
        self.primary_count = 0  # how many of `rows` are not included but primary data
        self.rows: dict[Key, tuple[Model, ServedType]] = {}  # in the order met
        self.linkages: dict[Key, dict[str, Identifiers]] = {}

    def one(self, row: Model | None, **members: Any) -> bytes:
        """The bytes of a document about `row`, or about nothing when it is None."""
        if row is None:
            return self._encode(None, [], members)
        self._prefetch_included([row])
        return self._encode(self._render_resource(row, self.resource), [row], members)

    def many(self, rows: list[Model], **members: Any) -> bytes:
        """The bytes of a document that lists `rows`."""
        self._prefetch_included(rows)
        data = [self._render_resource(row, self.resource) for row in rows]
        return self._encode(data, rows, members)

    def etag(self, row: Model, body: bytes | None = None) -> str:
        """The ETag of `row`, of which `body` is this document: the same whatever is included.

        It is that of their value, since PostgreSQL gives back the names in an object in an order
        of its own. It changes with the row's attributes, but for those in its serializer's
        Meta.volatile, and with updated_at, which every change of the row moves, of its tags, too.
        """
        volatile = getattr(self.resource.serializer_class.Meta, "volatile", ())
        if body is None or self.include or self.fields or volatile:
            name = self.resource.name
            fields = {name: _names_without(self.resource, volatile)} if volatile else {}
            body = Document(self.resource, self.principal, fields=fields).one(row)
        value = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
        return f'"{hashlib.sha256(value).hexdigest()[:32]}"'

    # Loading what is included

    def _prefetch_included(self, rows: list[Model]) -> None:
        self.primary_count = len(rows)
        if self.include:
            self._prefetch_tree(rows, self.resource, self.include)

    def _prefetch_tree(
        self, rows: list[Model], resource: ServedType, tree: IncludeTree, path: str = ""
    ) -> None:
        """Load what `tree` names, level by level, with a fixed number of queries for each name.

        `path` leads to `rows`. Raises errors.InvalidIncludeError when it is too much.
        """
        for row in rows:
            self.rows.setdefault(_key_of(row, resource), (row, resource))
        for name, branch in tree.items() if rows else ():
            relation = resource.relations[name]
            found = self._prefetch_relation(relation, rows, f"{path}{name}")
            self._add_linkages(relation, rows, resource, found)
            for target, others in _unique_by_type(relation, found).items():
                self._prefetch_tree(others, target, branch, f"{path}{name}.")

    def _prefetch_relation(self, relation: Relation, rows: list[Model], path: str) -> RowsById:
        """The rows related to `rows`. Raises errors.DocumentTooLargeError, naming `path`."""
        limit = max(settings.MAX_INCLUDED - len(self.rows) + self.primary_count, 0)
        budget = PrefetchBudget(self.byte_budget, limit, self._deferred_columns)
        try:
            return relation.prefetch(rows, self.principal, budget)
        except TooManyBytesError as error:
            raise errors.DocumentTooLargeError(
                f"Including {path} would make the document larger than "
                f"{self.most_bytes} bytes; ask for a smaller page[size] or for "
                "fewer members by fields[type], or page through the relationship's related "
                "link instead.",
                parameter="include",
            ) from error

    def _deferred_columns(self, resource: ServedType) -> tuple[str, ...]:
        """The long columns that are left out of resources of the type of `resource`."""
        fields = self.fields.get(resource.name)
        return () if fields is None else shape_of(resource, fields).deferred

    def _add_linkages(
        self, relation: Relation, rows: list[Model], resource: ServedType, found: RowsById
    ) -> None:
        """Remember the identifiers of what `found` has of each of `rows`."""
        for row in rows:
            others = found.get(row.pk, [])
            linkage: Any = [identifier_of(relation.type_for(one), one) for one in others]
            if not relation.to_many:
                linkage = linkage[0] if linkage else None
            self.linkages.setdefault(_key_of(row, resource), {})[relation.name] = linkage

    # Writing

    def _render_resource(self, row: Model, resource: ServedType) -> dict[str, Any]:
        """The resource object of `row`."""
        shape = shape_of(resource, self.fields.get(resource.name))
        link = resource.link_to(row)
        attributes = shape.attributes_of(row)
        for name, field in shape.principal_fields.items():
            attributes[name] = field.value_for(self.principal, row)
        rendered = {
            "id": row.pk,
            "type": shape.type,
            "links": {"self": link},
            "attributes": attributes,
        }
        if shape.relationships:
            linkages = self.linkages.get((shape.type, row.pk), {})
            rendered["relationships"] = shape.relationships_of(link, linkages)
        rendered["meta"] = _encode_meta(self.principal.mode, settings.ORGANIZATION_ID)
        return rendered

    def _render_included(self, primary: set[Key]) -> list[dict[str, Any]]:
        """The resource objects of all that was loaded, without those in `primary`."""
        return [
            self._render_resource(row, resource)
            for key, (row, resource) in self.rows.items()
            if key not in primary
        ]

    def _encode(
        self, data: dict | list[dict] | None, rows: list[Model], members: dict[str, Any]
    ) -> bytes:
        document: dict[str, Any] = {"data": data}
        if self.include:
            primary = {_key_of(row, self.resource) for row in rows}
            document["included"] = self._render_included(primary)
        body = orjson.dumps({**document, **members})
        if len(body) > self.most_bytes and (self.include or len(rows) > 1):
            self._refuse_size()
        return body

    def _refuse_size(self) -> NoReturn:
        """Refuse to write more bytes than may be, and say the way round."""
        if self.include:
            raise errors.DocumentTooLargeError(
                f"What is included makes the document larger than {self.most_bytes} bytes; include "
                "less, ask for a smaller page[size] or for fewer members by fields[type], or page "
                "through the related links of the relationships instead.",
                parameter="include",
            )
        raise errors.InvalidPageValueError(
            f"This page is larger than {self.most_bytes} bytes; ask for a smaller page[size], or "
            f"for fewer members by fields[{self.resource.name}].",
            parameter="page[size]",
        )


@lru_cache(maxsize=8)
def _encode_meta(mode: str, organization_id: str) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps({"mode": mode, "organization_id": organization_id}))


def _names_without(resource: ServedType, names: tuple[str, ...]) -> frozenset[str]:
    """The names of the attributes of a type that depend on no reader, without `names`."""
    return frozenset(shape_of(resource).names) - {*names}


def _key_of(row: Model, resource: ServedType) -> Key:
    return resource.name, row.pk


def _unique_by_type(relation: Relation, found: RowsById) -> dict[ServedType, list[Model]]:
    """The rows in `found`, each once, by the type that serves them."""
    unique: dict[ServedType, dict[str, Model]] = {}
    for others in found.values():
        for other in others:
            unique.setdefault(relation.type_for(other), {})[other.pk] = other
    return {target: list(others.values()) for target, others in unique.items()}


def identifier_of(resource: ServedType, row: Model) -> dict[str, str]:
    """The resource identifier of `row`, which `resource` serves."""
    return {"type": resource.name, "id": row.pk}


def relationship_links(resource_link: str, name: str) -> dict[str, str]:
    """The links of the relationship `name` of the resource at `resource_link`."""
    return {
        "self": f"{resource_link}/relationships/{name}",
        "related": f"{resource_link}/{name}",
    }


def parse_include(text: str, resource: ServedType, principal: Principal) -> IncludeTree:
    """The tree that the query member `include` asks for: comma-separated dotted paths.

    Raises errors.InvalidIncludeError for a path that leads nowhere or too deep, and
    errors.UnauthorizedError for one that leads to a type `principal` may not retrieve.
    """
    tree: IncludeTree = {}
    for path in text.split(",") if text else []:
        names = path.split(".")
        if len(names) > settings.MAX_INCLUDE_DEPTH:
            raise errors.InvalidIncludeError(
                f"{path} is deeper than {settings.MAX_INCLUDE_DEPTH} relationships.",
                parameter="include",
            )
        branch = tree
        for name in _check_path(path, names, resource, principal):
            branch = branch.setdefault(name, {})
    return tree


def _check_path(
    path: str, names: list[str], resource: ServedType, principal: Principal
) -> Iterable[str]:
    """`names`, each a relationship of what the one before leads to. Raises as parse_include."""
    here: ServedType | None = resource
    for name in names:
        if here is None or name not in here.includable:
            raise errors.InvalidIncludeError(
                f"{name} in {path} is no relationship that can be included there.",
                parameter="include",
            )
        here = here.relations[name].target
        if here and not permissions.allow(principal, here.name, "retrieve"):
            raise errors.UnauthorizedError(parameter="include")
    return names


def parse_fields(asked: dict[str, str], registry: ServedTypes) -> dict[str, frozenset[str]]:
    """The names to show of each type, from `asked`, a dictionary of type to comma-separated names.

    Raises errors.InvalidResourceError for an unknown type, errors.InvalidFieldError for an unknown
    name.
    """
    fields = {}
    for resource_name, text in asked.items():
        if resource_name not in registry.types:
            raise errors.InvalidResourceError(
                f"{resource_name} is not a type of resource.",
                parameter=f"fields[{resource_name}]",
            )
        fields[resource_name] = frozenset(text.split(",")) - {""}
        shape_of(registry.types[resource_name], fields[resource_name])
    return fields
