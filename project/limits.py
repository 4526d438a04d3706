"""What a request may take: how long its head, how many at once, how long of the database.

The server reads no more than 64 KB of address and header fields, and tells what is longer by the
bare status; up to there `bounded_head` answers in JSON:API's shape, before all else.

A database that hangs, or a row that is locked, holds each thread that waits for it. Were all of
them to wait, nobody could tell a busy process from a dead one, and /livez would have it restarted.
So writes hold settings.MAX_WAITING_WRITES threads at most, and all requests together one more;
whoever has a password hashed holds none meanwhile.
Whoever finds no slot waits as long as others come to an end; where none does, 503 is answered
at once.
"""

import threading
import time
from collections.abc import Callable

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from customers.api import errors
from customers.services import passwords
from customers.services.database_errors import Fault
from customers.services.deadlines import deadline
from project import health
from project.middleware import unavailable

MAX_SIZE = 8190  # bytes of the address, and of one header field: filters are long
PATIENCE = 0.5  # seconds without an end of any, after which nothing is waited for
READS = {"GET", "HEAD", "OPTIONS"}
Answer = Callable[[HttpRequest], HttpResponse]
BUSY = Fault(503, "Too many requests wait for the database; try again.", 1)


def bounded_head(get_response: Answer) -> Answer:
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


def bounded_concurrency(get_response: Answer) -> Answer:
    """Let no more requests in at once than there are slots for; /livez needs none."""
    writes, all_requests = (ThreadSlots(settings.MAX_WAITING_WRITES + more) for more in (0, 1))

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info == "/livez":
            return get_response(request)
        is_read = request.method in READS
        slots = RequestSlots([all_requests] if is_read else [writes, all_requests])
        token = passwords.held_slots.set(slots)
        try:
            return get_response(request) if slots.acquire() else refused(request)
        finally:
            slots.release()
            passwords.held_slots.reset(token)

    return middleware


def refused(request: HttpRequest) -> HttpResponse:
    """The answer to a `request` for which there is no slot."""
    if request.path_info in health.VIEWS:
        return health.fault_text(BUSY)
    return unavailable(request, BUSY)


def bounded_time(get_response: Answer) -> Answer:
    """Let each request ask the database for settings.DATABASE_REQUEST_TIMEOUT seconds."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not settings.DATABASE_REQUEST_TIMEOUT:
            return get_response(request)
        with deadline(settings.DATABASE_REQUEST_TIMEOUT):
            return get_response(request)

    return middleware


class ThreadSlots:
    """`count` slots, each of which one thread may acquire and must release."""

    def __init__(self, count: int):
        self._free, self._changed = count, threading.Condition()
        self._released_at = 0.0

    def acquire(self) -> bool:
        """Take a slot; whether there was one, or has been one soon enough."""
        with self._changed:
            while not self._free:
                left = self._released_at + PATIENCE - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return False
            self._free -= 1
            if not self._free:
                self._released_at = time.monotonic()  # from now on somebody may wait
            return True

    def release(self) -> None:
        """Let a thread that waits have a slot."""
        with self._changed:
            self._free += 1
            self._released_at = time.monotonic()
            self._changed.notify()


class RequestSlots:
    """What one request holds: a slot of each of `kinds`, or none."""

    def __init__(self, kinds: list[ThreadSlots]):
        self._kinds = kinds
        self._held: list[ThreadSlots] = []

    def acquire(self) -> bool:
        """Take them; whether all were to be had, without which none is held."""
        for slots in self._kinds:
            if not slots.acquire():
                self.release()
                return False
            self._held.append(slots)
        return True

    def release(self) -> None:
        """Let others have what is held."""
        while self._held:
            self._held.pop().release()


def refusal(status: int, title: str, code: str, detail: str) -> HttpResponse:
    """A response with one error in JSON:API's shape."""
    error = {"title": title, "detail": detail, "code": code, "status": str(status)}
    response = HttpResponse(orjson.dumps({"errors": [error]}), errors.CONTENT_TYPE, status)
    response["Cache-Control"] = "no-store"
    return response
