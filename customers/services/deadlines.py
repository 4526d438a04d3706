"""How long one request may keep the database, however many statements it makes.

PostgreSQL's own limit is on each statement, and a page makes several; SQLite has none. So
a thread of the process looks at the requests under way, and stops what the database does
for one whose time is over: again and again, until the request has ended.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

PAUSE = 0.1  # seconds between two looks
PATIENCE = 2  # seconds in which PostgreSQL must take a cancellation

logger = logging.getLogger(__name__)
_under_way: dict[int, "_Deadline"] = {}  # by thread
_starting = threading.Lock()
_current: ContextVar["_Deadline | None"] = ContextVar("deadline", default=None)
_watch: threading.Thread | None = None


class _Deadline:
    """Until when, of time.monotonic, the thread that has `own_connections` may ask."""

    __slots__ = ("connections", "ends", "is_over", "lock")

    def __init__(self, seconds: float, own_connections: Sequence[BaseDatabaseWrapper]):
        self.ends = time.monotonic() + seconds
        self.connections = own_connections  # of the thread, whether open by now or later
        self.lock, self.is_over = threading.Lock(), False

    def stop(self) -> None:
        with self.lock:
            for connection in [] if self.is_over else self.connections:
                try:
                    _interrupt(connection)
                except Error as error:
                    logger.warning("Nothing could be stopped (%s).", type(error).__name__)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Whatever this thread asks the database meanwhile ends after `seconds`.

    It raises OperationalError, which database_errors knows.
    """
    global _watch
    if _watch is None:
        with _starting:
            if _watch is None:  # in this process: threads do not outlive a fork
                _watch = threading.Thread(target=_look, name="deadlines", daemon=True)
                _watch.start()
    request = _Deadline(seconds, connections.all())
    thread = threading.get_ident()
    _under_way[thread] = request
    token = _current.set(request)
    try:
        yield
    finally:
        _current.reset(token)
        del _under_way[thread]
        with request.lock:  # nothing is stopped for it any more: the next one is another's
            request.is_over = True


def shorten(seconds: float) -> None:
    """Let the request, where it has a deadline, ask for `seconds` from now on, and no longer."""
    if deadline := _current.get():
        deadline.ends = min(deadline.ends, time.monotonic() + seconds)


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
