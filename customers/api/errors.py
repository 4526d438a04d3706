"""Every error the API answers: its status, its code and its JSON:API shape.

https://jsonapi.org/format/1.1/#errors
"""

import logging
from collections import Counter
from functools import wraps

import orjson
from django.conf import settings
from django.core.exceptions import (
    NON_FIELD_ERRORS,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import DataError, IntegrityError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpResponse, UnreadablePostError
from django.template.loader import render_to_string
from django.utils.text import capfirst
from django.views import defaults
from rest_framework import exceptions

from customers.models import Kept
from customers.services import faults
from customers.services.concurrency import TooManyAtOnceError
from customers.services.consequences import counted
from customers.services.customers import ForgottenError
from customers.services.limits import Limited
from customers.services.passwords import RETRY_AFTER, Busy
from customers.services.transactions import Overtaken

CONTENT_TYPE = "application/vnd.api+json"
PRIVATE = "private, no-store"  # Cache-Control: answers are about people (ASVS 5.0, 14.3.2)
logger = logging.getLogger(__name__)


class ApiError(Exception):
    """An error to answer: what (`title`, `code`, `status`), on what (`detail`), and where.

    `pointer` names a member of the request's document, `parameter` one of its query.
    """

    status = 400
    code = "BAD_REQUEST"
    title = "Bad Request"

    def __init__(self, detail="", *, pointer=None, parameter=None, title=None, meta=None):
        super().__init__(detail)
        self.detail = detail
        self.title = title or self.title
        where = {"pointer": pointer, "parameter": parameter}
        self.source = {name: place for name, place in where.items() if place is not None}
        self.meta = meta

    def as_json(self):
        error = {"title": self.title, "detail": self.detail or self.title, "code": self.code}
        if self.source:
            error["source"] = self.source
        error["status"] = str(self.status)
        if self.meta:
            error["meta"] = self.meta
        return error


def escaped(name):
    """`name` as a part of a JSON pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


class ApiErrors(Exception):
    """Several errors of one status at once."""

    def __init__(self, errors):
        super().__init__()
        self.errors = errors


class Violated(Exception):
    """The database refused to save `row`; which constraints it breaks is asked for the answer.

    By then the transaction has been undone, and the database answers again.
    """

    def __init__(self, row):
        super().__init__()
        self.row = row


class InvalidToken(ApiError):
    status, code, title = 401, "INVALID_TOKEN", "Invalid token"

    def __init__(self):
        super().__init__("The access token you provided is invalid.")


class Unauthorized(ApiError):
    status, code, title = 401, "UNAUTHORIZED", "Access denied"

    def __init__(self, **where):
        super().__init__("You may not perform this action on this resource.", **where)


class RecordNotFound(ApiError):
    status, code, title = 404, "RECORD_NOT_FOUND", "Record not found"

    def __init__(self, detail="There is no such resource; check its id.", **where):
        super().__init__(detail, **where)


class MethodNotAllowed(ApiError):
    status, code, title = 405, "METHOD_NOT_ALLOWED", "Method not allowed"


class NotAcceptable(ApiError):
    status, code, title = 406, "NOT_ACCEPTABLE", "Not acceptable"


class LengthRequired(ApiError):
    status, code, title = 411, "LENGTH_REQUIRED", "Length required"


class BodyTooLarge(ApiError):
    status, code, title = 413, "CONTENT_TOO_LARGE", "Content too large"


class UnsupportedMediaType(ApiError):
    status, code, title = 415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type"

    def __init__(self):
        super().__init__(f"Send {CONTENT_TYPE} as the Content-Type.")


class Invalid(ApiError):
    """A value that breaks a rule: `message` on the member `name`."""

    status, code = 422, "VALIDATION_ERROR"

    def __init__(self, message, *, pointer="/data", error="invalid", **meta):
        message = message.rstrip(".")
        name = pointer.split("/")[3] if pointer.count("/") > 2 else None
        super().__init__(
            f"{name} - {message}" if name else capfirst(message),
            pointer=pointer,
            title=message,
            meta={"error": error, **meta},
        )


class Locked(ApiError):
    status, code, title = 423, "LOCKED", "Locked resource"


class Conflict(ApiError):
    status, code, title = 409, "CONFLICT", "Record not unique"


class TooManyRequests(ApiError):
    status, code, title = 429, "TOO_MANY_REQUESTS", "Too many requests"


class Unavailable(ApiError):
    status, code, title = 503, "SERVICE_UNAVAILABLE", "Service unavailable"


class InsufficientStorage(ApiError):
    status, code, title = 507, "INSUFFICIENT_STORAGE", "Insufficient storage"


class NotImplementedHere(ApiError):
    status, code, title = 501, "NOT_IMPLEMENTED", "Not implemented"


FAULTS = {501: NotImplementedHere, 503: Unavailable, 507: InsufficientStorage}


class PreconditionFailed(ApiError):
    status, code, title = 412, "PRECONDITION_FAILED", "Precondition failed"


class KeyReused(ApiError):
    status, code, title = 422, "IDEMPOTENCY_KEY_REUSED", "Idempotency key reused"


class InvalidKey(ApiError):
    code, title = "INVALID_IDEMPOTENCY_KEY", "Invalid idempotency key"


class InternalError(ApiError):
    status, code, title = 500, "INTERNAL_SERVER_ERROR", "Internal Server Error"


class KeyNotInUrl(ApiError):
    code, title = "KEY_NOT_INCLUDED_IN_URL", "Key is not included in URL"


class KeyMissing(ApiError):
    code, title = "KEY_ORDER_MISMATCH", "A key is required"


class ParamNotAllowed(ApiError):
    code, title = "PARAM_NOT_ALLOWED", "Param not allowed"


class ParamMissing(ApiError):
    code, title = "PARAM_MISSING", "Missing parameter"


class InvalidResource(ApiError):
    code, title = "INVALID_RESOURCE", "Invalid resource"


class TypeMismatch(ApiError):
    code, title = "TYPE_MISMATCH", "Type mismatch"


class InvalidLinkage(ApiError):
    code, title = "INVALID_LINKS_OBJECT", "Invalid links object"


class InvalidDataFormat(ApiError):
    code, title = "INVALID_DATA_FORMAT", "Invalid data format"


class InvalidField(ApiError):
    code, title = "INVALID_FIELD", "Invalid field"


class InvalidFieldFormat(ApiError):
    code, title = "INVALID_FIELD_FORMAT", "Invalid field format"


class InvalidInclude(ApiError):
    code, title = "INVALID_INCLUDE", "Invalid include"


class DocumentTooLargeError(InvalidInclude):
    """What is included would make a document of more than settings.MAX_DOCUMENT_BYTES."""


class InvalidSort(ApiError):
    code, title = "INVALID_SORT_CRITERIA", "Invalid sort criteria"


class InvalidPageObject(ApiError):
    code, title = "INVALID_PAGE_OBJECT", "Invalid page object"


class InvalidPageValue(ApiError):
    code, title = "INVALID_PAGE_VALUE", "Invalid page value"


class FilterNotAllowed(ApiError):
    code, title = "FILTER_NOT_ALLOWED", "Filter not allowed"


class InvalidFilterValue(ApiError):
    code, title = "INVALID_FILTER_VALUE", "Invalid filter value"


class InvalidFilterSyntax(ApiError):
    code, title = "INVALID_FILTERS_SYNTAX", "Invalid filters syntax"


# What Django and its validators call an error, and what the wire calls it.
WIRE_NAMES = {
    "required": "blank",
    "null": "blank",
    "blank": "blank",
    "max_length": "too_long",
    "min_length": "too_short",
    "password_too_short": "too_short",
    "invalid_choice": "inclusion",
    "max_value": "less_than_or_equal_to",
    "min_value": "greater_than_or_equal_to",
    "unique": "taken",
}


def wire_name(code):
    """What the wire calls the error that Django's validators call `code`."""
    return WIRE_NAMES.get(code, code or "invalid")


def invalid_members(found, pointer):
    """ApiErrors for `found`, DRF's validation errors by member name, below the JSON `pointer`."""
    return ApiErrors(
        [
            Invalid(
                str(error),
                pointer=f"{pointer}/{name}",
                error=wire_name(error.code),
            )
            for name, details in found.items()
            for error in details
        ]
    )


def respond(*errors, headers=None):
    """The HTTP response that carries `errors`, ApiError objects of one status."""
    return HttpResponse(
        orjson.dumps({"errors": [error.as_json() for error in errors]}),
        status=errors[0].status,
        content_type=CONTENT_TYPE,
        headers={"Cache-Control": PRIVATE, **(headers or {})},
    )


def answer(exception, context):
    """DRF's exception handler: the response to `exception`, None for a mistake of ours."""
    match exception:
        case ApiErrors():
            return respond(*exception.errors)
        case InvalidToken():
            return respond(exception, headers={"WWW-Authenticate": "Bearer"})
        case ApiError():
            return respond(exception)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return respond(InvalidToken(), headers={"WWW-Authenticate": "Bearer"})
        case exceptions.PermissionDenied() | PermissionDenied():
            return respond(Unauthorized())
        case exceptions.MethodNotAllowed():
            return not_offered(exception.args[0], context["view"].allowed_methods)
        case exceptions.UnsupportedMediaType():
            return respond(UnsupportedMediaType())
        case Http404() | ObjectDoesNotExist():
            return respond(RecordNotFound())
        case ProtectedError(protected_objects=kept) | RestrictedError(restricted_objects=kept):
            return respond(
                Locked(f"It cannot be deleted: it still has {counted(Counter(map(type, kept)))}.")
            )
        case Kept():
            return respond(Locked(f"It cannot be deleted: {exception}."))
        case ForgottenError():
            return respond(Locked(str(exception)))
        case Limited() | TooManyAtOnceError():
            return respond(TooManyRequests(str(exception)), headers=exception.headers)
        case Busy():
            return respond(Unavailable(str(exception)), headers={"Retry-After": RETRY_AFTER})
        case Violated(row=row) if found := [broken(row, *one) for one in row.violations()]:
            return answer(ApiErrors(found), context)
        case Violated() | IntegrityError() | Overtaken():
            return respond(Conflict("Another change got in the way; send the request again."))
        case DataError():
            return respond(Invalid("does not fit its column"))
        case RequestDataTooBig():
            return respond(BodyTooLarge("The body is larger than this service reads."))
        case SuspiciousOperation() | UnreadablePostError():
            return respond(ApiError("The request could not be read."))
    return failure(exception)


def broken(row, name, error):
    """The Invalid for `error`, a ValidationError about the member `name` of `row`."""
    pointer = "/data"
    if name != NON_FIELD_ERRORS:
        kind = "relationships" if row._meta.get_field(name).is_relation else "attributes"
        pointer = f"/data/{kind}/{name}"
    return Invalid(error.messages[0], pointer=pointer, error=error.code or "invalid")


def read_only(view):
    """Decorates a view of Django's that answers GET and HEAD alone."""

    @wraps(view)
    def answered(request, *args, **kwargs):
        if request.method not in ("GET", "HEAD"):
            return not_offered(request.method, ["GET", "HEAD"])
        return view(request, *args, **kwargs)

    return answered


def not_offered(method, allowed):
    """The response to a request by `method` where the methods in `allowed` alone are offered."""
    allowed = ", ".join(allowed)
    error = MethodNotAllowed(f"{method} is not offered here; {allowed} is.")
    return respond(error, headers={"Allow": allowed})


def unknown(request, path):
    """The answer where there is no such route."""
    return respond(RecordNotFound("There is no such route."))


def failure(exception):
    """The response to `exception` when something outside of the service failed, else None."""
    fault = faults.fault_of(exception)
    if fault is None:
        return None
    about = ", ".join(filter(None, [type(exception).__name__, faults.place_of(exception)]))
    logger.log(fault.level, "%s (%s)", fault.detail, about)
    return told(fault)


def told(fault):
    """The response that tells `fault`."""
    return respond(FAULTS[fault.status](fault.detail), headers=fault.headers)


def is_api(request):
    return request.path.startswith(("/api", "/oauth", "/.well-known"))


def bad_request(request, exception):
    """Django's handler400, of requests that are too large, too."""
    is_too_large = isinstance(exception, RequestDataTooBig)
    if is_api(request):
        if is_too_large:
            return respond(BodyTooLarge("The body is larger than this service reads."))
        return respond(ApiError("The request could not be read."))
    if is_too_large:
        context = {"name": settings.ORGANIZATION_NAME}
        return HttpResponse(render_to_string("too_large.html", context), status=413)
    return defaults.bad_request(request, exception)


def server_error(request):
    if is_api(request):
        return respond(InternalError("Something failed on our side; nothing was changed."))
    return defaults.server_error(request)
