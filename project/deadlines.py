"""How long one request may keep the database, however many statements it makes.

PostgreSQL's own limit is on each statement, and a page makes several; SQLite has none. So
a thread of the process looks at the requests under way, and stops what the database does
for one whose time is over: again and again, until the request has ended.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse
from psycopg.pq import TransactionStatus

from customers.services import deadlines

PAUSE = 0.1  # seconds between two looks
PATIENCE = 2  # seconds in which PostgreSQL must take a cancellation

Answer = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger(__name__)
_under_way: dict[int, "_Request"] = {}  # by thread
_starting = threading.Lock()
_watch = None


def bounded(get_response: Answer) -> Answer:
    """Let each request ask the database for settings.DATABASE_REQUEST_TIMEOUT seconds."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not settings.DATABASE_REQUEST_TIMEOUT:
            return get_response(request)
        with deadline(settings.DATABASE_REQUEST_TIMEOUT):
            return get_response(request)

    return middleware


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Whatever this thread asks the database meanwhile ends after `seconds`.

    It raises OperationalError, which services.database_errors knows.
    """
    global _watch
    if _watch is None:
        with _starting:
            if _watch is None:  # in this process: threads do not outlive a fork
                _watch = threading.Thread(target=_look, name="deadlines", daemon=True)
                _watch.start()
    request = _Request(seconds, connections.all())
    thread = threading.get_ident()
    _under_way[thread] = request
    token = deadlines.current.set(request)
    try:
        yield
    finally:
        deadlines.current.reset(token)
        del _under_way[thread]
        with request.lock:  # nothing is stopped for it any more: the next one is another's
            request.is_over = True


class _Request(deadlines.Deadline):
    __slots__ = ("connections", "is_over", "lock")

    def __init__(self, seconds: float, own_connections: Sequence[BaseDatabaseWrapper]):
        super().__init__(seconds)
        self.connections = own_connections  # of the thread, whether open by now or later
        self.lock, self.is_over = threading.Lock(), False

    def stop(self) -> None:
        with self.lock:
            for connection in [] if self.is_over else self.connections:
                try:
                    _interrupt(connection)
                except Error as error:
                    logger.warning("Nothing could be stopped (%s).", type(error).__name__)


def _interrupt(connection: BaseDatabaseWrapper) -> None:
    """Stop the statement that another thread runs by `connection`, if there is one."""
    raw = connection.connection
    if raw is None:
        return
    with connection.wrap_database_errors:
        if connection.vendor == "sqlite":
            raw.interrupt()
        elif raw.pgconn.transaction_status == TransactionStatus.ACTIVE:
            raw.cancel_safe(timeout=PATIENCE)


def _look() -> None:
    while True:
        time.sleep(PAUSE)
        now = time.monotonic()
        for request in [*_under_way.values()]:
            if request.ends < now:
                request.stop()
