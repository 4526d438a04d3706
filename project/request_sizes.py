"""How long the address and the header fields of a request may be.

The server reads no more than 64 KB of both, and tells what is longer by the bare status; up to
there this answers in JSON:API's shape, before anything else looks at the request.
"""

from collections.abc import Callable

import orjson
from django.http import HttpRequest, HttpResponse

from customers.api import errors

MAX_SIZE = 8190  # bytes of the address, and of one header field: filters are long
Answer = Callable[[HttpRequest], HttpResponse]


def bounded(get_response: Answer) -> Answer:
    """Refuse an address that is too long by 414, a header field that is by 431 (RFC 6585)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        meta = request.META
        if len(meta["PATH_INFO"]) + len(meta.get("QUERY_STRING", "")) > MAX_SIZE:
            return refusal(
                414,
                "URI too long",
                "URI_TOO_LONG",
                "The address of the request is too long; ask for less in one request.",
            )
        if any(len(meta[name]) > MAX_SIZE for name in meta if name.startswith("HTTP_")):
            return refusal(
                431,
                "Header fields too large",
                "HEADERS_TOO_LARGE",
                "The header fields of the request are too large.",
            )
        return get_response(request)

    return middleware


def refusal(status: int, title: str, code: str, detail: str) -> HttpResponse:
    """A response with one error in JSON:API's shape."""
    error = {"title": title, "detail": detail, "code": code, "status": str(status)}
    response = HttpResponse(orjson.dumps({"errors": [error]}), errors.CONTENT_TYPE, status)
    response["Cache-Control"] = "no-store"
    return response
