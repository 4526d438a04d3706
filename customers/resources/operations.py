"""The API's own language for other rooms: its filters, its documents and its checked writes.

What the console, jobs and commands ask of it is refused as the API would refuse it, by
WriteRefusedError.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError, IntegrityError, transaction
from django.db.models import Model, QuerySet
from rest_framework.exceptions import ValidationError

from customers.models import DeletionRefusedError, Resource
from customers.resources import documents, errors, writing
from customers.resources.base import ResourceType
from customers.resources.filter_texts import filter_text
from customers.resources.filtering import filter_rows
from customers.resources.protocols import Principal
from customers.resources.registry import registry
from customers.services import permissions, row_changes
from customers.services.customers import ForgottenError
from customers.services.transactions import ConcurrentUpdateError

REFUSALS = (
    DataError,
    ForgottenError,
    errors.ApiError,
    errors.CombinedApiError,
    errors.ConstraintViolationError,
    IntegrityError,
    DeletionRefusedError,
    ObjectDoesNotExist,
    ConcurrentUpdateError,
)

Linkages = Mapping[str, Any]  # by relationship: {"type", "id"}, a list of these, or None


class WriteRefusedError(Exception):
    """The API would have refused it.

    `errors` is a list of pairs: the name of the member that is wrong, "" for the whole, and
    what is wrong with it.
    """

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name} {text}".strip() for name, text in errors))
        self.errors = errors


class TooLargeError(WriteRefusedError):
    """The document would be too large with what it is to include."""


def rows(
    resource_type: str, principal: Principal, filters: Mapping[str, Any] | None = None
) -> QuerySet:
    """The queryset of the rows of a type that `principal` may see and that fulfil all filters.

    They are given by the names of filter[q]: {"email_end": "@example.com", "id_in": ["a", "b"],
    "metadata_jcont": {"size": "M"}}. Raises WriteRefusedError.
    """
    with _refusals():
        resource = _permitted(resource_type, principal, "list")
        asked = [(name, ("q", name), filter_text(v)) for name, v in (filters or {}).items()]
        return filter_rows(resource.rows(principal), resource, principal, asked)


def row(resource_type: str, pk: str, principal: Principal) -> Resource | None:
    """The row of a type with the id `pk` that `principal` may see, or None."""
    return registry.types[resource_type].rows(principal).filter(pk=pk).first()


def check_include(resource_type: str, principal: Principal, include: Iterable[str]) -> None:
    """Check the relationship paths `include` of documents. Raises WriteRefusedError."""
    with _refusals():
        resource = _permitted(resource_type, principal, "retrieve")
        documents.parse_include(",".join(include), resource, principal)


def document(
    row: Resource,
    principal: Principal,
    include: Iterable[str] = (),
    most_bytes: int | None = None,
) -> dict[str, Any]:
    """The JSON:API document about `row`, with the relationship paths `include`.

    Raises WriteRefusedError for a path that leads nowhere, TooLargeError for more than
    `most_bytes`, without it settings.MAX_DOCUMENT_BYTES, with what is included.
    """
    with _refusals():
        return orjson.loads(_prepare_document(type(row), principal, include, most_bytes).one(row))


def documents_of(
    rows: Sequence[Resource], principal: Principal, include: Iterable[str] = ()
) -> dict[str, Any]:
    """As `document`, about several rows of one type."""
    with _refusals():
        return orjson.loads(_prepare_document(type(rows[0]), principal, include).many([*rows]))


def tombstone(resource_type: str, pk: str, principal: Principal) -> dict[str, Any]:
    """The document about a row that is gone: its id, and every attribute null."""
    resource = registry.types[resource_type]
    fields = resource.serializer_class().fields.items()
    attributes = [
        name for name, field in fields if not field.write_only and name not in resource.relations
    ]
    return {
        "data": {
            "id": pk,
            "type": resource_type,
            "links": {"self": f"{settings.PUBLIC_URL}/api/{resource_type}/{pk}"},
            "attributes": dict.fromkeys(attributes),
            "meta": {"mode": principal.mode, "organization_id": settings.ORGANIZATION_ID},
        }
    }


def model_of(resource_type: str) -> type[Model]:
    """The model of the rows of a type."""
    return registry.types[resource_type].serializer_class.Meta.model


def relationships(resource_type: str) -> dict[str, tuple[bool, list[str]]]:
    """For each relationship of a type: whether it is to-many, and the types it leads to."""
    return {
        name: (relation.to_many, list(relation.targets()))
        for name, relation in registry.types[resource_type].relations.items()
    }


def writable_members(resource_type: str, principal: Principal, *, creating: bool) -> set[str]:
    """The members of a type that `principal` may write, of a new row or of one that is there."""
    return registry.types[resource_type].serializer_class.writable_by(principal, creating)


def validated(
    resource_type: str, principal: Principal, found: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any] | None]:
    """What the API makes of each of `found`, attributes of rows to be made: values for the model.

    None stands for what `create` would refuse.
    """
    resource = _permitted(resource_type, principal, "create")
    writable = resource.serializer_class.writable_by(principal, creating=True)
    serializer = resource.serializer_class(context={"principal": principal})
    values: list[dict[str, Any] | None] = []
    for attributes in found:
        try:
            allowed = attributes.keys() <= writable - resource.relations.keys()
            values.append(serializer.run_validation(attributes) if allowed else None)
        except ValidationError:
            values.append(None)
    return values


def create(
    resource_type: str,
    principal: Principal,
    attributes: Mapping[str, Any],
    relationships: Linkages | None = None,
) -> Resource:
    """Make and record a row as a POST would; return it.

    Raises WriteRefusedError, having changed nothing.
    """
    with _refusals(), transaction.atomic():
        resource = _permitted(resource_type, principal, "create")
        data = _resource_object(resource_type, attributes, relationships or {})
        return writing.create_row(resource, principal, data)


def update(
    row: Resource,
    principal: Principal,
    attributes: Mapping[str, Any],
    relationships: Linkages | None = None,
) -> Resource:
    """Change and record `row` as a PATCH would; return it. Raises as `create`."""
    with _refusals(), transaction.atomic():
        name = registry.type_of(type(row)).name
        resource = _permitted(name, principal, "partial_update")
        data = {"id": row.pk, **_resource_object(name, attributes, relationships or {})}
        return writing.update_row(resource, principal, row.pk, data)


def locked(row: Resource) -> Resource:
    """`row` as it is now, under a lock, after its customer's. Raises WriteRefusedError."""
    with _refusals():
        return row_changes.lock(row, registry.type_of(type(row)).queryset.all())


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except REFUSALS as error:
        too_large = isinstance(error, errors.DocumentTooLargeError)
        found = [(one.member, one.message) for one in errors.explained(error)]
        raise (TooLargeError if too_large else WriteRefusedError)(found) from error


def _permitted(resource_type: str, principal: Principal, act: str) -> type[ResourceType]:
    """The type named. Raises ApiError where `principal` may not do `act` to its rows."""
    resource = registry.types.get(resource_type)
    if resource is None or act not in resource.actions:
        raise errors.InvalidResourceError(f"{resource_type} does not offer this")
    if not permissions.allow(principal, resource_type, act):
        raise errors.UnauthorizedError
    return resource


def _prepare_document(
    model: type[Resource],
    principal: Principal,
    include: Iterable[str],
    most_bytes: int | None = None,
) -> documents.Document:
    resource = registry.type_of(model)
    tree = documents.parse_include(",".join(include), resource, principal)
    return documents.Document(resource, principal, tree, most_bytes=most_bytes)


def _resource_object(
    resource_type: str, attributes: Mapping[str, Any], relationships: Linkages
) -> dict[str, Any]:
    linkages = {name: {"data": value} for name, value in relationships.items()}
    return {"type": resource_type, "attributes": attributes, "relationships": linkages}
