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

from customers.models import DeletionRefusedError
from customers.services import database_errors
from customers.services.customers import ForgottenError
from customers.services.limits import RateLimitedError
from customers.services.passwords import RETRY_AFTER, HashingBusyError
from customers.services.request_slots import TooManyAtOnceError
from customers.services.row_changes import counted
from customers.services.transactions import ConcurrentUpdateError

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


class CombinedApiError(Exception):
    """Several errors of one status at once."""

    def __init__(self, errors):
        super().__init__()
        self.errors = errors


class ConstraintViolationError(Exception):
    """The database refused to save `row`; which constraints it breaks is asked for the answer.

    By then the transaction has been undone, and the database answers again.
    """

    def __init__(self, row):
        super().__init__()
        self.row = row


class UnauthenticatedError(ApiError):
    status, code, title = 401, "INVALID_TOKEN", "Invalid token"

    def __init__(self):
        super().__init__("The access token you provided is invalid.")


class UnauthorizedError(ApiError):
    status, code, title = 401, "UNAUTHORIZED", "Access denied"

    def __init__(self, **where):
        super().__init__("You may not perform this action on this resource.", **where)


class RecordNotFoundError(ApiError):
    status, code, title = 404, "RECORD_NOT_FOUND", "Record not found"

    def __init__(self, detail="There is no such resource; check its id.", **where):
        super().__init__(detail, **where)


class MethodNotAllowedError(ApiError):
    status, code, title = 405, "METHOD_NOT_ALLOWED", "Method not allowed"


class NotAcceptableError(ApiError):
    status, code, title = 406, "NOT_ACCEPTABLE", "Not acceptable"


class LengthRequiredError(ApiError):
    status, code, title = 411, "LENGTH_REQUIRED", "Length required"


class BodyTooLargeError(ApiError):
    status, code, title = 413, "CONTENT_TOO_LARGE", "Content too large"


class UnsupportedMediaTypeError(ApiError):
    status, code, title = 415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type"

    def __init__(self):
        super().__init__(f"Send {CONTENT_TYPE} as the Content-Type.")


class UnprocessableError(ApiError):
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


class LockedError(ApiError):
    status, code, title = 423, "LOCKED", "Locked resource"


class ConflictError(ApiError):
    status, code, title = 409, "CONFLICT", "Record not unique"


class TooManyRequestsError(ApiError):
    status, code, title = 429, "TOO_MANY_REQUESTS", "Too many requests"


class ServiceUnavailableError(ApiError):
    status, code, title = 503, "SERVICE_UNAVAILABLE", "Service unavailable"


class InsufficientStorageError(ApiError):
    status, code, title = 507, "INSUFFICIENT_STORAGE", "Insufficient storage"


class UnsupportedOperationError(ApiError):
    status, code, title = 501, "NOT_IMPLEMENTED", "Not implemented"


FAULTS = {
    501: UnsupportedOperationError,
    503: ServiceUnavailableError,
    507: InsufficientStorageError,
}


class PreconditionFailedError(ApiError):
    status, code, title = 412, "PRECONDITION_FAILED", "Precondition failed"


class IdempotencyKeyReusedError(ApiError):
    status, code, title = 422, "IDEMPOTENCY_KEY_REUSED", "Idempotency key reused"


class InvalidIdempotencyKeyError(ApiError):
    code, title = "INVALID_IDEMPOTENCY_KEY", "Invalid idempotency key"


class InternalError(ApiError):
    status, code, title = 500, "INTERNAL_SERVER_ERROR", "Internal Server Error"


class KeyNotInUrlError(ApiError):
    code, title = "KEY_NOT_INCLUDED_IN_URL", "Key is not included in URL"


class KeyMissingError(ApiError):
    code, title = "KEY_ORDER_MISMATCH", "A key is required"


class ParamNotAllowedError(ApiError):
    code, title = "PARAM_NOT_ALLOWED", "Param not allowed"


class ParamMissingError(ApiError):
    code, title = "PARAM_MISSING", "Missing parameter"


class InvalidResourceError(ApiError):
    code, title = "INVALID_RESOURCE", "Invalid resource"


class TypeMismatchError(ApiError):
    code, title = "TYPE_MISMATCH", "Type mismatch"


class InvalidLinkageError(ApiError):
    code, title = "INVALID_LINKS_OBJECT", "Invalid links object"


class InvalidDataFormatError(ApiError):
    code, title = "INVALID_DATA_FORMAT", "Invalid data format"


class InvalidFieldError(ApiError):
    code, title = "INVALID_FIELD", "Invalid field"


class InvalidFieldFormatError(ApiError):
    code, title = "INVALID_FIELD_FORMAT", "Invalid field format"


class InvalidIncludeError(ApiError):
    code, title = "INVALID_INCLUDE", "Invalid include"


class DocumentTooLargeError(InvalidIncludeError):
    """What is included would make a document of more than settings.MAX_DOCUMENT_BYTES."""


class InvalidSortError(ApiError):
    code, title = "INVALID_SORT_CRITERIA", "Invalid sort criteria"


class InvalidPageObjectError(ApiError):
    code, title = "INVALID_PAGE_OBJECT", "Invalid page object"


class InvalidPageValueError(ApiError):
    code, title = "INVALID_PAGE_VALUE", "Invalid page value"


class FilterNotAllowedError(ApiError):
    code, title = "FILTER_NOT_ALLOWED", "Filter not allowed"


class InvalidFilterValueError(ApiError):
    code, title = "INVALID_FILTER_VALUE", "Invalid filter value"


class InvalidFilterSyntaxError(ApiError):
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
    return CombinedApiError(
        [
            UnprocessableError(
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
        case CombinedApiError():
            return respond(*exception.errors)
        case UnauthenticatedError():
            return respond(exception, headers={"WWW-Authenticate": "Bearer"})
        case ApiError():
            return respond(exception)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return respond(UnauthenticatedError(), headers={"WWW-Authenticate": "Bearer"})
        case exceptions.PermissionDenied() | PermissionDenied():
            return respond(UnauthorizedError())
        case exceptions.MethodNotAllowed():
            return not_offered(exception.args[0], context["view"].allowed_methods)
        case exceptions.UnsupportedMediaType():
            return respond(UnsupportedMediaTypeError())
        case Http404() | ObjectDoesNotExist():
            return respond(RecordNotFoundError())
        case ProtectedError(protected_objects=kept) | RestrictedError(restricted_objects=kept):
            return respond(
                LockedError(
                    f"It cannot be deleted: it still has {counted(Counter(map(type, kept)))}."
                )
            )
        case DeletionRefusedError():
            return respond(LockedError(f"It cannot be deleted: {exception}."))
        case ForgottenError():
            return respond(LockedError(str(exception)))
        case RateLimitedError() | TooManyAtOnceError():
            return respond(TooManyRequestsError(str(exception)), headers=exception.headers)
        case HashingBusyError():
            return respond(
                ServiceUnavailableError(str(exception)), headers={"Retry-After": RETRY_AFTER}
            )
        case ConstraintViolationError(row=row) if found := [
            broken(row, *one) for one in row.violations()
        ]:
            return answer(CombinedApiError(found), context)
        case ConstraintViolationError() | IntegrityError() | ConcurrentUpdateError():
            return respond(ConflictError("Another change got in the way; send the request again."))
        case DataError():
            return respond(UnprocessableError("does not fit its column"))
        case RequestDataTooBig():
            return respond(BodyTooLargeError("The body is larger than this service reads."))
        case SuspiciousOperation() | UnreadablePostError():
            return respond(ApiError("The request could not be read."))
    return failure(exception)


def broken(row, name, error):
    """The Invalid for `error`, a ValidationError about the member `name` of `row`."""
    pointer = "/data"
    if name != NON_FIELD_ERRORS:
        kind = "relationships" if row._meta.get_field(name).is_relation else "attributes"
        pointer = f"/data/{kind}/{name}"
    return UnprocessableError(error.messages[0], pointer=pointer, error=error.code or "invalid")


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
    error = MethodNotAllowedError(f"{method} is not offered here; {allowed} is.")
    return respond(error, headers={"Allow": allowed})


def unknown(request, path):
    """The answer where there is no such route."""
    return respond(RecordNotFoundError("There is no such route."))


def failure(exception):
    """The response to `exception` when something outside of the service failed, else None."""
    fault = database_errors.fault_of(exception)
    if fault is None:
        return None
    about = ", ".join(filter(None, [type(exception).__name__, database_errors.place_of(exception)]))
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
            return respond(BodyTooLargeError("The body is larger than this service reads."))
        return respond(ApiError("The request could not be read."))
    if is_too_large:
        context = {"name": settings.ORGANIZATION_NAME}
        return HttpResponse(render_to_string("too_large.html", context), status=413)
    return defaults.bad_request(request, exception)


def server_error(request):
    if is_api(request):
        return respond(InternalError("Something failed on our side; nothing was changed."))
    return defaults.server_error(request)
