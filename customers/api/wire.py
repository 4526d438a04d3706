"""What services.wire offers, done by the types that are registered."""

from types import SimpleNamespace

import orjson
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError, IntegrityError
from rest_framework.exceptions import ValidationError

from customers.api import errors
from customers.api.urls import router
from customers.models import DeletionRefusedError
from customers.resources import documents
from customers.resources.filtering import filter_rows
from customers.resources.operations import TooLargeError, WriteRefusedError
from customers.services import permissions
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


def rows(resource_type, principal, asked):
    try:
        viewset = _viewset(resource_type, principal, "list")
        found = [(name, ("q", name), _text(value)) for name, value in asked.items()]
        return filter_rows(viewset.rows(principal), viewset, principal, found)
    except REFUSALS as error:
        raise _refused(error) from error


def row(resource_type, pk, principal):
    return router.viewsets[resource_type].rows(principal).filter(pk=pk).first()


def check_include(resource_type, principal, include):
    try:
        viewset = _viewset(resource_type, principal, "retrieve")
        documents.parse_include(",".join(include), viewset, principal)
    except REFUSALS as error:
        raise _refused(error) from error


def remains(resource_type, pk, principal):
    viewset = router.viewsets[resource_type]
    fields = viewset.serializer_class().fields.items()
    attributes = [
        name for name, field in fields if not field.write_only and name not in viewset.relations
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


def document(row, principal, include, most_bytes):
    viewset = router.viewset_of(type(row))
    try:
        tree = documents.parse_include(",".join(include), viewset, principal)
        document = documents.Document(viewset, principal, tree, most_bytes=most_bytes)
        return orjson.loads(document.one(row))
    except REFUSALS as error:
        raise _refused(error) from error


def document_of(rows, principal, include):
    viewset = router.viewset_of(type(rows[0]))
    try:
        tree = documents.parse_include(",".join(include), viewset, principal)
        return orjson.loads(documents.Document(viewset, principal, tree).many(rows))
    except REFUSALS as error:
        raise _refused(error) from error


def model_of(resource_type):
    return router.viewsets[resource_type].serializer_class.Meta.model


def relationships(resource_type):
    viewset = router.viewsets[resource_type]
    return {
        name: (relation.to_many, list(relation.targets()))
        for name, relation in viewset.relations.items()
    }


def checked(resource_type, principal, found):
    viewset = _viewset(resource_type, principal, "create")
    writable = viewset.serializer_class.writable_by(principal, creating=True)
    serializer = viewset.serializer_class(context={"principal": principal})
    values = []
    for attributes in found:
        try:
            allowed = attributes.keys() <= writable - viewset.relations.keys()
            values.append(serializer.run_validation(attributes) if allowed else None)
        except ValidationError:
            values.append(None)
    return values


def create(resource_type, principal, attributes, relationships):
    try:
        view = _view(_viewset(resource_type, principal, "create"), principal)
        return view._create(_resource(resource_type, attributes, relationships))
    except REFUSALS as error:
        raise _refused(error) from error


def update(row, principal, attributes, relationships):
    try:
        resource_type = router.viewset_of(type(row)).resource_name
        view = _view(_viewset(resource_type, principal, "partial_update"), principal)
        resource = {"id": row.pk, **_resource(resource_type, attributes, relationships)}
        return view._update(resource, row.pk)
    except REFUSALS as error:
        raise _refused(error) from error


def _viewset(resource_type, principal, act):
    """The viewset of a type. Raises ApiError where `principal` may not do `act` to its rows."""
    viewset = router.viewsets.get(resource_type)
    if viewset is None or act not in viewset.offers:
        raise errors.InvalidResourceError(f"{resource_type} does not offer this")
    if not permissions.allow(principal, resource_type, act):
        raise errors.UnauthorizedError
    return viewset


def _view(viewset, principal):
    view = viewset()
    view.request = SimpleNamespace(user=principal)  # all that writing asks of a request
    return view


def _resource(resource_type, attributes, relationships):
    linkages = {name: {"data": value} for name, value in relationships.items()}
    return {"type": resource_type, "attributes": attributes, "relationships": linkages}


def _text(value):
    """A filter's value as a query string has it: true, a,b or JSON."""
    if value is None:
        raise errors.ApiError("null is no value to filter by; use _null or _or_null")
    if isinstance(value, list | tuple):
        return ",".join(map(_text, value))
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _refused(exception):
    told = orjson.loads(errors.answer(exception, {}).content)["errors"]
    kind = (
        TooLargeError if isinstance(exception, errors.DocumentTooLargeError) else WriteRefusedError
    )
    return kind([_named(error) for error in told])


def _named(error):
    """The member that `error` is about, and the error without it."""
    pointer = error.get("source", {}).get("pointer", "")
    parts = pointer.split("/")
    if len(parts) > 3:  # /data/attributes/email
        name = parts[3].replace("~1", "/").replace("~0", "~")
        return name, error["detail"].removeprefix(f"{name} - ")
    return error.get("source", {}).get("parameter", ""), error["detail"]
