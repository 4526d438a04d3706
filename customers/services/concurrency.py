"""How many requests of one customer, or of one guest, a process answers at once.

A process has few threads. Programs of one's own may take them all; a customer may not.
"""

from collections import Counter
from threading import Lock

from django.conf import settings

RETRY_AFTER = 1  # seconds

_lock = Lock()
_under_way = Counter()  # of whom: requests


class TooManyAtOnceError(Exception):
    """As many requests of the same caller are being answered as may be."""

    headers = {"Retry-After": str(RETRY_AFTER)}

    def __str__(self):
        return f"Too many requests at once; try again in {RETRY_AFTER} second."


class Place:
    """A place among the requests of `caller`, taken until it is left.

    Raises TooManyAtOnceError where settings.MAX_CONCURRENT_REQUESTS are taken.
    """

    def __init__(self, caller: str):
        self.caller = caller
        with _lock:
            if _under_way.get(caller, 0) >= settings.MAX_CONCURRENT_REQUESTS:
                raise TooManyAtOnceError
            _under_way[caller] += 1

    def leave(self) -> None:
        with _lock:
            _under_way[self.caller] -= 1
            if not _under_way[self.caller]:
                del _under_way[self.caller]


def place_of(principal) -> Place | None:
    """A Place for whom `principal` stands for, None for a program, which needs none.

    A guest is known by the token. Raises TooManyAtOnceError.
    """
    if principal.sees_all or not settings.MAX_CONCURRENT_REQUESTS:
        return None
    return Place(principal.owner_id or principal.claims["jti"])
