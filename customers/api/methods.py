"""What all reads have in common, and what all changes.

Where there is a replica, what only reads may be read from it. A change is done once, whole, and to
what its sender has seen.
"""

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request

from customers.api import errors
from customers.models import Customer, Resource, ResourceQuerySet
from customers.resources.base import ResourceType
from customers.resources.documents import Document
from customers.resources.errors import ApiError, LockedError
from customers.resources.protocols import Principal
from customers.services import idempotency, replicas, row_changes, tokens
from customers.services.transactions import retry_on_conflict

KEY = re.compile(r"[\x21-\x7e]{1,255}")
ETAGS = re.compile(r'\s*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')
FORGOTTEN = "It was done; what was answered told of a customer who is forgotten."
KEPT = ("Content-Type", "ETag", "Location")

Method = Callable[..., HttpResponse]


def replica_read(method: Method) -> Method:
    """Decorates a view's method that changes nothing."""

    @wraps(method)
    def read(self: Any, request: Request, **route: str) -> HttpResponse:
        return replicas.read_on_replica(lambda: method(self, request, **route))

    return read


def idempotent_write(method: Method) -> Method:
    """Decorates a view's method that changes something in one transaction.

    It is begun again after a collision with others. With an Idempotency-Key its answer
    is kept, in the same transaction, and given again instead of doing it again. With
    If-Match it is refused when its resource has changed, with If-None-Match when it has not.
    """

    @wraps(method)
    def write(self: Any, request: Request, **route: str) -> HttpResponse:
        names = ("Idempotency-Key", "If-Match", "If-None-Match")
        key, wanted, unwanted = map(request.headers.get, names)
        if key is not None and not KEY.fullmatch(key):
            raise errors.InvalidIdempotencyKeyError(
                "It is 1 to 255 characters of ASCII without spaces."
            )
        once = key and _use_of(key, request, self.principal)

        def act() -> HttpResponse:
            with transaction.atomic():
                if once and (kept := _begin(once)):
                    return _given_again(kept)
                if wanted is not None:
                    _check_precondition(wanted, self.source, self.principal, route.get("pk"))
                if unwanted is not None and (pk := route.get("pk")):
                    _check_no_match(unwanted, self.source, self.principal, pk)
                response = method(self, request, **route)
                if once:
                    _keep(once, response, self.written)
                return response

        return retry_on_conflict(act)

    return write


def check_match(
    wanted: str,
    row: Resource,
    rows: ResourceQuerySet,
    resource: type[ResourceType],
    principal: Principal,
) -> None:
    """Lock `row` and compare it with `wanted`, the header If-Match (RFC 9110 section 13.1.1).

    Raises errors.PreconditionFailedError when it has changed, ApiError for a malformed header.
    """
    locked = row_changes.lock(row, rows, forgotten_too=True)  # the act itself may refuse
    if wanted.strip() == "*":
        return
    etags = ETAGS.findall(wanted)
    if not etags or ETAGS.sub("", wanted).strip():
        raise ApiError('If-Match is written as an ETag is given: "…", or *.')
    etag = Document(resource, principal).etag(locked)
    if etag in etags:
        return
    if f"W/{etag}" in etags:  # which never matches here
        raise errors.PreconditionFailedError(
            "The ETag is weak (W/), which If-Match does not take: a proxy on the way changes"
            " answers; let it not compress them."
        )
    raise errors.PreconditionFailedError(
        "The resource has changed since; retrieve it again and decide anew."
    )


def _check_precondition(
    wanted: str, resource: type[ResourceType], principal: Principal, pk: str | None
) -> None:
    if pk is None:
        raise errors.PreconditionFailedError("There is nothing yet that could match.")
    rows = resource.rows(principal)
    check_match(wanted, rows.with_id(pk), rows, resource, principal)


def names_etag(header: str, etag: str) -> bool:
    """Whether `header`, an If-None-Match, names `etag`, weakly compared (RFC 9110 13.1.2)."""
    named = {one.removeprefix("W/") for one in ETAGS.findall(header)}
    return header.strip() == "*" or etag in named


def _check_no_match(
    unwanted: str, resource: type[ResourceType], principal: Principal, pk: str
) -> None:
    rows = resource.rows(principal)
    locked = row_changes.lock(rows.with_id(pk), rows, forgotten_too=True)
    if names_etag(unwanted, Document(resource, principal).etag(locked)):
        raise errors.PreconditionFailedError(
            "The resource still has an ETag that If-None-Match names."
        )


def _use_of(key: str, request: Request, principal: tokens.Principal) -> idempotency.Once:
    actor = f"{principal.application.pk}:{principal.owner_id or ''}"
    request_line = f"{request.method} {request.get_full_path()}\n"
    try:
        body = request.body
    except RequestDataTooBig:  # for Django; a type's parser may take more
        body = json.dumps(request.data).encode()
    return idempotency.Once(key, actor=actor, request=request_line.encode() + body)


def _begin(once: idempotency.Once) -> list | None:
    try:
        return once.begin()
    except idempotency.KeyReuseError:
        raise errors.IdempotencyKeyReusedError("This key was sent with another request.") from None
    except idempotency.ForgottenAnswerError:
        raise LockedError(FORGOTTEN) from None


def _keep(once: idempotency.Once, response: HttpResponse, written: Resource | None) -> None:
    headers = {name: response[name] for name in KEPT if name in response}
    once.store([response.status_code, headers, response.content.decode()], about=written)


def _given_again(kept: list[Any]) -> HttpResponse:
    """The answer that was kept.

    Raises LockedError when it brings along who is forgotten now.
    """
    status, headers, body = kept
    if '"included":' in body:
        told = {one["id"] for one in json.loads(body)["included"] if one["type"] == "customers"}
        known = Customer.objects.filter(pk__in=told)
        if known.exclude(anonymization_status__in=Customer.FORGOTTEN).count() < len(told):
            raise LockedError(FORGOTTEN)
    return HttpResponse(body, status=status, headers={**headers, "Idempotent-Replayed": "true"})
