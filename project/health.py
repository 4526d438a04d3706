"""What those who run the service ask: does it live, is it ready, what are its figures.

Answered before anything else, to any host name and without https, as probes ask.
"""

import hmac
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST

from customers.services import database_schema, durability, restored_copies
from customers.services.database_errors import Fault, fault_of
from project import metrics

Answer = Callable[[HttpRequest], HttpResponse]


def health(get_response: Answer) -> Answer:
    """Answer the paths of VIEWS, whatever comes after."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if view := VIEWS.get(request.path_info):
            response = view(request)
            response["Cache-Control"] = "no-store"
            return response
        return get_response(request)

    return middleware


def livez(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers at all."""
    return _text("live")


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, too, keeps what it acknowledges, and has our tables.

    A restored copy whose webhooks and mails wait says so.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        durability.check_durability()
        is_held = database_schema.check_once() and restored_copies.is_held()
    except ImproperlyConfigured as error:
        return _text(str(error), 503)
    except (DatabaseError, InterfaceError) as error:
        fault = fault_of(error)
        if fault is None:
            raise
        return fault_text(fault)
    return _text(f"ready. {restored_copies.HELD}" if is_held else "ready")


def figures(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format; behind settings.METRICS_TOKEN where there is one."""
    wanted = f"Bearer {settings.METRICS_TOKEN}".encode()
    given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
    if settings.METRICS_TOKEN and not hmac.compare_digest(given, wanted):
        return _text("Send the METRICS_TOKEN.", 401, {"WWW-Authenticate": "Bearer"})
    shown = metrics.exposition(ready=readyz(request).status_code == 200)
    return HttpResponse(shown, content_type=CONTENT_TYPE_LATEST)


def fault_text(fault: Fault) -> HttpResponse:
    """The response that tells `fault` in one line."""
    return _text(fault.detail, fault.status, fault.headers)


def _text(sentence: str, status: int = 200, headers: dict | None = None) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain", headers=headers)


VIEWS = {"/livez": livez, "/readyz": readyz, "/metrics": figures}
