"""What all views of the API have in common: limits, token, media type and errors."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from customers.api import errors, parsers
from customers.resources.errors import ApiError, RecordNotFoundError
from customers.resources.query import Query
from customers.services import deadlines, limits, request_slots, tokens

MEDIA_RANGE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')  # between commas outside of quotes
NO_QUALITY = re.compile(r"0(\.0*)?")


class ApiView(APIView):
    """Asks for a token, answers in JSON:API's media type, and errors in its shape."""

    authentication_classes = []  # the bearer's token is read by `initial`
    permission_classes = []
    parser_classes = [parsers.ResourceParser]
    throttle_classes = []
    http_method_names = ["get", "post", "patch", "delete", "head"]
    default_response_headers = {}

    limit_use: limits.Use | None = None  # of the limit, when there is one
    limited_as: str | None = None  # the method whose limit it uses, where that is not its own
    slot: request_slots.RequestSlot | None = (
        None  # among the requests of the same customer or guest
    )
    principal: tokens.Principal = None  # type: ignore[assignment]  # until the token is read

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple:
        """Our media type. Raises errors.NotAcceptableError where the client takes another."""
        if not force and not _is_acceptable(request.META.get("HTTP_ACCEPT") or "*/*"):
            raise errors.NotAcceptableError(f"This service answers in {errors.CONTENT_TYPE}.")
        return None, errors.CONTENT_TYPE

    def initialize_request(  # type: ignore[override]
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpRequest | Request:
        """Django's own request for what only reads; DRF's where there is a body to parse."""
        if request.method in ("GET", "HEAD"):
            return request
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Limits, media type and token: whatever comes before a method."""
        if limits.API.count:
            self.limit_use = limits.consume(limits.API, limits.client_of(request.META))
        self.perform_content_negotiation(request)
        self.principal = self._authenticate(request)
        request.user = self.principal  # type: ignore[assignment]  # for the log of requests
        if not self.principal.sees_all:
            client = limits.client_of(request.META)
            route = request.resolver_match.route  # type: ignore[union-attr]  # it has led here
            method = self.limited_as or request.method or ""
            used = limits.consume_channel(self.principal, method, route, client)
            self.limit_use = used or self.limit_use
            self.slot = self.slot or request_slots.acquire_slot(self.principal)
            deadlines.shorten(settings.CUSTOMER_REQUEST_TIMEOUT)
        errors.check_coding(request.headers)
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
            raise errors.LengthRequiredError("Send the body with its Content-Length.")

    def _authenticate(self, request: Request) -> tokens.Principal:
        """Whose token it is (RFC 6750). Raises errors.UnauthenticatedError when there is none."""
        kind, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer":
            raise errors.UnauthenticatedError
        try:
            return tokens.read_token(token.strip())
        except tokens.InvalidTokenError as error:
            raise errors.UnauthenticatedError from error

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The answer; whatever it is, the caller's slot is left."""
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            if self.slot:
                self.slot.release()
                self.slot = None

    def finalize_response(  # type: ignore[override]
        self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """`response`, which nobody keeps, and which says how much is left of the limit."""
        response.headers["Cache-Control"] = errors.PRIVATE
        for name, value in self.limit_use.headers.items() if self.limit_use else ():
            response[name] = value
        return response

    def handle_exception(  # type: ignore[override]
        self, exception: Exception
    ) -> HttpResponseBase:
        """The answer to `exception`."""
        response = errors.respond_to(exception, {"view": self})
        if response is None:
            raise exception
        return response

    def query(self, *families: str) -> Query:
        """The query string, which may have members of `families` only. Raises errors.ApiError."""
        text = self.request.META["QUERY_STRING"]
        if not text:
            return Query([], families)
        if not text.isascii():  # bytes that WSGI hands over as Latin-1 (PEP 3333)
            text = text.encode("latin-1").decode(errors="replace")
        try:
            pairs = parse_qsl(
                text,
                keep_blank_values=True,
                max_num_fields=settings.DATA_UPLOAD_MAX_NUMBER_FIELDS,
            )
        except ValueError as error:
            raise ApiError("The query string has too many parameters.") from error
        return Query(pairs, families)


class UnknownRoute(ApiView):
    """What is left under /api."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As of any view, and then there is nothing."""
        super().initial(request, *args, **kwargs)
        raise RecordNotFoundError("There is no such route.")


@lru_cache(maxsize=256)
def _is_acceptable(accepted: str) -> bool:
    """Whether the header `accepted` takes our media type."""
    return any(map(_accepts, MEDIA_RANGE.findall(accepted)))


def _accepts(media_range: str) -> bool:
    """Whether one range of an Accept header takes our media type (RFC 9110 section 12.5.1)."""
    name, parameters = parsers.parse_media_type(media_range)
    quality = parameters.pop("q", "1")
    if NO_QUALITY.fullmatch(quality.strip()) or "ext" in parameters:
        return False
    if name == errors.CONTENT_TYPE:
        return parameters.keys() <= parsers.KNOWN_PARAMETERS
    return name in {"*/*", "application/*"}
