"""How many requests one process has under way: no more than leave a thread free to answer.

A database that hangs, or a row that is locked, holds each thread that waits for it. Were all of
them to wait, nobody could tell a busy process from a dead one, and /livez would have it restarted.
So writes hold settings.MAX_WAITING_WRITES threads at most, and all requests together one more;
whoever has a password looked at holds none meanwhile.
Whoever finds no place waits as long as others come to an end; where none does, 503 is answered
at once.
"""

import threading
import time

from django.conf import settings

from customers.services import passwords
from customers.services.database_errors import Fault
from project import health
from project.middleware import unavailable

PATIENCE = 0.5  # seconds without an end of any, after which nothing is waited for
READS = {"GET", "HEAD", "OPTIONS"}
BUSY = Fault(503, "Too many requests wait for the database; try again.", 1)


class Places:
    """`most` places, each of which one thread may take and must give back."""

    def __init__(self, most):
        self._free, self._changed = most, threading.Condition()
        self._given_back_at = 0.0

    def take(self):
        """Take a place; whether there was one, or has been one soon enough."""
        with self._changed:
            while not self._free:
                left = self._given_back_at + PATIENCE - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return False
            self._free -= 1
            if not self._free:
                self._given_back_at = time.monotonic()  # from now on somebody may wait
            return True

    def refund(self):
        with self._changed:
            self._free += 1
            self._given_back_at = time.monotonic()
            self._changed.notify()


class RequestPlace:
    """What one request holds: a place of each of `kinds`, or none."""

    def __init__(self, kinds: list[Places]):
        self._kinds, self._taken = kinds, []

    def take(self) -> bool:
        """Take them; whether all were to be had, without which none is held."""
        for places in self._kinds:
            if not places.take():
                self.refund()
                return False
            self._taken.append(places)
        return True

    def refund(self) -> None:
        while self._taken:
            self._taken.pop().refund()


def bounded(get_response):
    """Let no more requests in at once than there are places for; /livez needs none."""
    writes, all_requests = (Places(settings.MAX_WAITING_WRITES + more) for more in (0, 1))

    def middleware(request):
        if request.path_info == "/livez":
            return get_response(request)
        is_read = request.method in READS
        place = RequestPlace([all_requests] if is_read else [writes, all_requests])
        token = passwords.held.set(place)
        try:
            return get_response(request) if place.take() else refused(request)
        finally:
            place.refund()
            passwords.held.reset(token)

    return middleware


def refused(request):
    """The answer to a `request` for which there is no place."""
    if request.path_info in health.VIEWS:
        return health.told(BUSY)
    return unavailable(request, BUSY)
