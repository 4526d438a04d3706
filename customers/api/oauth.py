"""The token endpoint and the keys that tokens are verified with."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from customers.api.errors import (
    PLAIN_BODIES,
    UnsupportedCodingError,
    check_coding,
    read_only,
)
from customers.api.parsers import parse_json
from customers.resources.errors import ApiError
from customers.services import limits, oauth, passwords, signing_keys
from customers.services.database_errors import fault_of

CREDENTIAL = {"client_id", "client_secret"}
ASKING = CREDENTIAL | {"grant_type", "scope", "username", "password", "refresh_token", "assertion"}
REVOKING = CREDENTIAL | {"token"}
CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "RECORD_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "CONTENT_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "TOO_MANY_REQUESTS",
    503: "SERVICE_UNAVAILABLE",
    507: "INSUFFICIENT_STORAGE",
}

Act = Callable[..., tuple[int, dict[str, Any]]]  # of members, headers and the client's address


@csrf_exempt
def token(request: HttpRequest) -> JsonResponse:
    """POST /oauth/token, in JSON or as a form; members that the grant does not know are ignored."""
    return _respond(request, oauth.server.answer, ASKING)


@csrf_exempt
def revoke(request: HttpRequest) -> JsonResponse:
    """POST /oauth/revoke: from the next request on, the member `token` opens nothing."""
    return _respond(request, oauth.server.answer_revocation, REVOKING)


@csrf_exempt
@never_cache
def unknown_endpoint(request: HttpRequest, **_: str) -> JsonResponse:
    """Whatever else is asked below /oauth."""
    return _error(404, "invalid_request", "There is no such route.")


@read_only
def jwks(request: HttpRequest) -> JsonResponse:
    """GET /.well-known/jwks.json: the public keys (RFC 7517)."""
    return JsonResponse(signing_keys.keys().as_dict(private=False))


@never_cache
def _respond(request: HttpRequest, act: Act, read: set[str]) -> JsonResponse:
    """The response to what `act` makes of the request's members, of which it reads `read`."""
    if request.method != "POST":
        return _error(405, "invalid_request", "Send a POST request.", Allow="POST")
    try:
        check_coding(request.headers)
        return _acted(request, act, read)
    except UnsupportedCodingError as error:
        return _error(415, "invalid_request", str(error), **PLAIN_BODIES)
    except limits.RateLimitedError as error:
        return _limited(error)
    except RequestDataTooBig:
        return _error(413, "invalid_request", "The body is too large.")
    except (ApiError, SuspiciousOperation):
        return _error(400, "invalid_request", "The body is neither a JSON object nor a form.")
    except passwords.HashingBusyError as error:
        retry = {"Retry-After": passwords.RETRY_AFTER}
        return _error(503, "temporarily_unavailable", str(error), **retry)
    except (DatabaseError, InterfaceError, OSError) as error:
        if (fault := fault_of(error)) is None:
            raise
        name = "server_error" if fault.status == 501 else "temporarily_unavailable"
        return _error(fault.status, name, fault.detail, **fault.headers)


def _acted(request: HttpRequest, act: Act, read: set[str]) -> JsonResponse:
    client = limits.client_of(request.META)
    use = limits.consume(limits.TOKENS, client)
    status, body = act(_string_members(request, read), request.headers, client)
    if "error" in body:
        return _error(status, body["error"], body.get("error_description", ""), **use.headers)
    return JsonResponse(body, status=status, headers=use.headers)


def _limited(error: limits.RateLimitedError) -> JsonResponse:
    return _error(429, "temporarily_unavailable", str(error), **error.headers)


def _string_members(request: HttpRequest, read: set[str]) -> dict[str, str]:
    """The request's members that are strings.

    Raises ApiError when the body is neither a JSON object nor a form (RFC 6749 section 4),
    when it holds NUL, and when a member in `read` is something else than a string.
    """
    if request.content_type == "application/x-www-form-urlencoded":
        members = request.POST.dict()
        if any("\0" in value for value in members.values()):
            raise ApiError
        return members
    if request.content_type not in ("application/json", ""):
        raise ApiError
    found = parse_json(request.body or b"{}")
    if not isinstance(found, dict):
        raise ApiError
    members = {name: value for name, value in found.items() if isinstance(value, str)}
    if any(found.get(name) is not None and name not in members for name in read):
        raise ApiError
    return members


def _error(status: int, error: str, description: str, **headers: str) -> JsonResponse:
    """An error in RFC 6749's shape and, in the same body, in the shape the API's clients read."""
    return JsonResponse(
        {
            "errors": [
                {
                    "title": error,
                    "detail": description,
                    "code": CODES[status],
                    "status": status,
                    "meta": {},
                }
            ],
            "error": error,
            "error_description": description,
        },
        status=status,
        headers=headers,
    )
