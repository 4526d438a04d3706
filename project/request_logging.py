"""Each request gets an id, a line in the log, and its place in the figures."""

import logging
import re
import time
from collections.abc import Callable
from functools import lru_cache
from random import getrandbits

from django.contrib.auth import SESSION_KEY, get_user_model
from django.http import HttpRequest, HttpResponse

from customers.services.tokens import Principal
from project import metrics
from project.logs import request_id

logger = logging.getLogger("clientele.requests")
Answer = Callable[[HttpRequest], HttpResponse]
ID = re.compile(r"[0-9A-Za-z_.-]{1,64}")
ROW_ID = re.compile(r"[0-9A-Za-z]{1,16}")


def observed(get_response: Answer) -> Answer:
    """Take over the X-Request-Id that a proxy gave, or make one; give it back."""

    def middleware(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        number = given if ID.fullmatch(given) else f"{getrandbits(128):032x}"
        token = request_id.set(number)
        try:
            response = get_response(request)
            response["X-Request-Id"] = number
            took = time.perf_counter() - started
            route = route_of(request)
            metrics.count_request(request.method or "", route, response.status_code, took)
            if logger.isEnabledFor(logging.INFO):
                _write_down(request, route, response.status_code, round(took * 1000, 1))
        finally:
            request_id.reset(token)
        return response

    return middleware


def _write_down(request: HttpRequest, route: str, status: int, milliseconds: float) -> None:
    method = (request.method or "")[:10]
    line = {"method": method, "route": route, "status": status, "ms": milliseconds}
    pk = request.resolver_match and request.resolver_match.kwargs.get("pk")
    if pk and ROW_ID.fullmatch(pk):
        line["id"] = pk
    user = getattr(request, "user", None)
    if type(user) is Principal:  # isinstance would look a lazy user up
        line["application"] = user.application.pk
        line["customer"] = user.owner_id
    elif status < 500 and (
        staff := _staff_of(request)
    ):  # while the database is away, none is known
        line["staff"] = staff
    message = f"{method} {route} {status} {milliseconds} ms"
    logger.info(message, extra={"request_line": line})


def _staff_of(request: HttpRequest) -> int | None:
    """Who is logged in, as far as something has looked at the session already."""
    session = getattr(request, "session", None)
    if session is None or not session.accessed or SESSION_KEY not in session:
        return None
    return get_user_model()._meta.pk.to_python(session[SESSION_KEY])


def route_of(request: HttpRequest) -> str:
    """The pattern that the request's path matched, such as /api/customers/{pk}."""
    match = request.resolver_match
    return _readable(match.route) if match else "none"


@lru_cache(maxsize=1024)
def _readable(route: str) -> str:
    route = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"{\1}", route)
    route = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
    return "/" + re.sub(r"\(\?[:=][^()]*\)|[\^$?]|/\?", "/", route).strip("/").replace("//", "/")
