"""Every error as an answer: which response an exception gets.

https://jsonapi.org/format/1.1/#errors
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.views import defaults
from rest_framework import exceptions

from customers.resources.errors import (
    ApiError,
    RecordNotFoundError,
    UnauthorizedError,
    explained,
)
from customers.services import database_errors
from customers.services.limits import RateLimitedError
from customers.services.passwords import RETRY_AFTER, HashingBusyError
from customers.services.request_slots import TooManyAtOnceError

CONTENT_TYPE = "application/vnd.api+json"
PRIVATE = "private, no-store"  # Cache-Control: answers are about people (ASVS 5.0, 14.3.2)
PLAIN_BODIES = {"Accept-Encoding": "identity"}
logger = logging.getLogger(__name__)


class UnauthenticatedError(ApiError):
    status, code, title = 401, "INVALID_TOKEN", "Invalid token"

    def __init__(self) -> None:
        super().__init__("The access token you provided is invalid.")


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

    def __init__(self) -> None:
        super().__init__(f"Send {CONTENT_TYPE} as the Content-Type.")


class UnsupportedCodingError(ApiError):
    """The body is compressed (RFC 9110 section 15.5.16)."""

    status, code, title = 415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type"

    def __init__(self) -> None:
        super().__init__("Send the body as it is, without a Content-Encoding.")


def check_coding(headers: Mapping[str, str]) -> None:
    """Raise UnsupportedCodingError where the body of a request with `headers` is compressed."""
    if headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedCodingError


class TooManyRequestsError(ApiError):
    status, code, title = 429, "TOO_MANY_REQUESTS", "Too many requests"


class ServiceUnavailableError(ApiError):
    status, code, title = 503, "SERVICE_UNAVAILABLE", "Service unavailable"


class InsufficientStorageError(ApiError):
    status, code, title = 507, "INSUFFICIENT_STORAGE", "Insufficient storage"


class UnsupportedOperationError(ApiError):
    status, code, title = 501, "NOT_IMPLEMENTED", "Not implemented"


class PreconditionFailedError(ApiError):
    status, code, title = 412, "PRECONDITION_FAILED", "Precondition failed"


class IdempotencyKeyReusedError(ApiError):
    status, code, title = 422, "IDEMPOTENCY_KEY_REUSED", "Idempotency key reused"


class InvalidIdempotencyKeyError(ApiError):
    code, title = "INVALID_IDEMPOTENCY_KEY", "Invalid idempotency key"


class InternalError(ApiError):
    status, code, title = 500, "INTERNAL_SERVER_ERROR", "Internal Server Error"


FAULTS = {
    501: UnsupportedOperationError,
    503: ServiceUnavailableError,
    507: InsufficientStorageError,
}


def respond(*errors: ApiError, headers: Mapping[str, Any] | None = None) -> HttpResponse:
    """The HTTP response that carries `errors`, ApiError objects of one status."""
    return HttpResponse(
        orjson.dumps({"errors": [error.as_json() for error in errors]}),
        status=errors[0].status,
        content_type=CONTENT_TYPE,
        headers={"Cache-Control": PRIVATE, **(headers or {})},
    )


def respond_to(exception: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's exception handler: the response to `exception`, None for a mistake of ours."""
    match exception:
        case UnauthenticatedError():
            return respond(exception, headers={"WWW-Authenticate": "Bearer"})
        case UnsupportedCodingError():
            return respond(exception, headers=PLAIN_BODIES)
        case exceptions.PermissionDenied() | PermissionDenied():
            return respond(UnauthorizedError())
        case exceptions.MethodNotAllowed():
            return not_offered(exception.args[0], context["view"].allowed_methods)
        case exceptions.UnsupportedMediaType():
            return respond(UnsupportedMediaTypeError())
        case Http404():
            return respond(RecordNotFoundError())
        case RateLimitedError() | TooManyAtOnceError():
            return respond(TooManyRequestsError(str(exception)), headers=exception.headers)
        case HashingBusyError():
            return respond(
                ServiceUnavailableError(str(exception)), headers={"Retry-After": RETRY_AFTER}
            )
        case RequestDataTooBig():
            return respond(BodyTooLargeError("The body is larger than this service reads."))
        case SuspiciousOperation() | UnreadablePostError():
            return respond(ApiError("The request could not be read."))
    if found := explained(exception):
        return respond(*found)
    return failure(exception)


def read_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorates a view of Django's that answers GET and HEAD alone."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD"):
            return not_offered(request.method, ["GET", "HEAD"])
        return view(request, *args, **kwargs)

    return answered


def not_offered(method: str | None, allowed: Iterable[str]) -> HttpResponse:
    """The response to a request by `method` where the methods in `allowed` alone are offered."""
    allowed = ", ".join(allowed)
    error = MethodNotAllowedError(f"{method} is not offered here; {allowed} is.")
    return respond(error, headers={"Allow": allowed})


def unknown_route(request: HttpRequest, **_: str) -> HttpResponse:
    """The answer where there is no such route."""
    return respond(RecordNotFoundError("There is no such route."))


def failure(exception: Exception) -> HttpResponse | None:
    """The response to `exception` when something outside of the service failed, else None."""
    fault = database_errors.fault_of(exception)
    if fault is None:
        return None
    about = ", ".join(filter(None, [type(exception).__name__, database_errors.place_of(exception)]))
    logger.log(fault.level, "%s (%s)", fault.detail, about)
    return fault_response(fault)


def fault_response(fault: database_errors.Fault) -> HttpResponse:
    """The response that tells `fault`."""
    return respond(FAULTS[fault.status](fault.detail), headers=fault.headers)


def is_api(request: HttpRequest) -> bool:
    """Whether `request` is a program's, whose errors are JSON."""
    return request.path.startswith(("/api", "/oauth", "/.well-known"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
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


def respond_to_failure(request: HttpRequest) -> HttpResponse:
    """The answer where something failed: JSON for programs, Django's page for people."""
    if is_api(request):
        return respond(InternalError("Something failed on our side; nothing was changed."))
    return defaults.server_error(request)
