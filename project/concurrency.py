"""How many requests one process has under way: no more than leave a thread free to answer.

A database that hangs, or a row that is locked, holds each thread that waits for it. Were all of
them to wait, nobody could tell a busy process from a dead one, and /livez would have it restarted.
So writes hold settings.MAX_WAITING_WRITES threads at most, and all requests together one more.
Whoever finds no place waits as long as others come to an end; where none does, 503 is answered
at once.
"""

import threading
import time

from django.conf import settings

from customers.services.faults import Fault
from project import health
from project.middleware import unavailable

PATIENCE = 0.08  # seconds without an end of any, after which nothing is waited for
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

    def give_back(self):
        with self._changed:
            self._free += 1
            self._given_back_at = time.monotonic()
            self._changed.notify()


def bounded(get_response):
    """Let no more requests in at once than there are places for; /livez needs none."""
    writes, all_requests = (Places(settings.MAX_WAITING_WRITES + more) for more in (0, 1))

    def middleware(request):
        if request.path_info == "/livez":
            return get_response(request)
        taken = []
        try:
            for places in [all_requests] if request.method in READS else [writes, all_requests]:
                if not places.take():
                    return refused(request)
                taken.append(places)
            return get_response(request)
        finally:
            for places in taken:
                places.give_back()

    return middleware


def refused(request):
    """The answer to a `request` for which there is no place."""
    if request.path_info in health.VIEWS:
        return health.told(BUSY)
    return unavailable(request, BUSY)
