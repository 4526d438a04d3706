"""What all changes have in common: they are done once, whole, and to what their sender has seen."""

import json
import re
from functools import wraps

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpResponse

from customers.api import errors, preconditions
from customers.models import Customer
from customers.services import idempotency
from customers.services.transactions import retry_on_conflict

KEY = re.compile(r"[\x21-\x7e]{1,255}")
FORGOTTEN = "It was done; what was answered told of a customer who is forgotten."
KEPT = ("Content-Type", "ETag", "Location")


def write(act):
    """Decorates a viewset's method that changes something in one transaction.

    It is begun again after a collision with others. With an Idempotency-Key its answer
    is kept, in the same transaction, and given again instead of doing it again. With
    If-Match it is refused when its resource has changed.
    """

    @wraps(act)
    def once(self, request, **route):
        key, wanted = (request.headers.get(name) for name in ("Idempotency-Key", "If-Match"))
        if key is not None and not KEY.fullmatch(key):
            raise errors.InvalidIdempotencyKeyError(
                "It is 1 to 255 characters of ASCII without spaces."
            )
        if key is None and wanted is None:
            return retry_on_conflict(lambda: act(self, request, **route))
        use = key and _use_of(key, request)
        return retry_on_conflict(lambda: _in_order(self, act, request, route, use, wanted))

    return once


def _in_order(viewset, act, request, route, use, wanted):
    with transaction.atomic():
        try:
            if use and (kept := use.begin()):
                return _given_again(kept)
        except idempotency.KeyReuseError:
            raise errors.IdempotencyKeyReusedError(
                "This key was sent with another request."
            ) from None
        except idempotency.ForgottenAnswerError:
            raise errors.LockedError(FORGOTTEN) from None
        if wanted is not None:
            _check(wanted, viewset, request, route)
        response = act(viewset, request, **route)
        if use:
            headers = {name: response[name] for name in KEPT if name in response}
            answer = [response.status_code, headers, response.content.decode()]
            use.keep(answer, about=viewset.written)
        return response


def _use_of(key, request):
    principal = request.user
    actor = f"{principal.application.pk}:{principal.owner_id or ''}"
    request_line = f"{request.method} {request.get_full_path()}\n"
    try:
        body = request.body
    except RequestDataTooBig:  # for Django; a type's parser may take more
        body = json.dumps(request.data).encode()
    return idempotency.Once(key, actor=actor, request=request_line.encode() + body)


def _given_again(kept):
    """The answer that was kept.

    Raises errors.LockedError when it brings along who is forgotten now.
    """
    status, headers, body = kept
    if '"included":' in body:
        told = {one["id"] for one in json.loads(body)["included"] if one["type"] == "customers"}
        known = Customer.objects.filter(pk__in=told)
        if known.exclude(anonymization_status__in=Customer.FORGOTTEN).count() < len(told):
            raise errors.LockedError(FORGOTTEN)
    return HttpResponse(body, status=status, headers={**headers, "Idempotent-Replayed": "true"})


def _check(wanted, viewset, request, route):
    source = viewset.source or type(viewset)
    if "pk" not in route:
        raise errors.PreconditionFailedError("There is nothing yet that could match.")
    rows = source.rows(request.user)
    preconditions.check(wanted, rows.with_id(route["pk"]), rows, source, request.user)
