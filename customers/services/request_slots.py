"""How many requests of one customer, or of one guest, a process answers at once.

A process has few threads. Programs of one's own may take them all; a customer may not: a
page of a shop asks for several things at once, each for a moment, but beside what takes
long there is room for little.
"""

import time
from threading import Lock

from django.conf import settings

from customers.services.tokens import Principal

RETRY_AFTER = 1  # seconds
LONG = 0.25  # seconds, after which a request takes long
BESIDE_LONG = 2  # requests at once of whom one takes long

_lock = Lock()
_under_way: dict[str, list[float]] = {}  # by caller: when each request began


class TooManyAtOnceError(Exception):
    """As many requests of the same caller are being answered as may be."""

    headers = {"Retry-After": str(RETRY_AFTER)}

    def __str__(self) -> str:
        return f"Too many requests at once; try again in {RETRY_AFTER} second."


class RequestSlot:
    """One of the slots for requests of `caller`, taken until it is released.

    Raises TooManyAtOnceError where settings.MAX_CONCURRENT_REQUESTS are taken, or
    BESIDE_LONG while one takes long.
    """

    def __init__(self, caller: str):
        self.caller, self.began = caller, time.monotonic()
        with _lock:
            others, most = _under_way.get(caller, []), settings.MAX_CONCURRENT_REQUESTS
            if others and self.began - others[0] > LONG:
                most = min(most, BESIDE_LONG)
            if len(others) >= most:
                raise TooManyAtOnceError
            _under_way[caller] = [*others, self.began]

    def release(self) -> None:
        """Let another request of the caller have it."""
        with _lock:
            _under_way[self.caller].remove(self.began)
            if not _under_way[self.caller]:
                del _under_way[self.caller]


def acquire_slot(principal: Principal) -> RequestSlot | None:
    """A RequestSlot for whom `principal` stands for, None for a program, which needs none.

    A guest is known by the token. Raises TooManyAtOnceError.
    """
    if principal.sees_all or not settings.MAX_CONCURRENT_REQUESTS:
        return None
    return RequestSlot(principal.owner_id or principal.claims["jti"])
