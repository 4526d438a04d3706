"""Until when the request that is being answered may ask the database."""

import time
from contextvars import ContextVar


class Deadline:
    """The moment `ends`, of time.monotonic, from which on nothing more is asked."""

    __slots__ = ("ends",)

    def __init__(self, seconds: float):
        self.ends = time.monotonic() + seconds


current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def shorten(seconds: float) -> None:
    """Let the request, where it has a deadline, ask for `seconds` from now on, and no longer."""
    if deadline := current.get():
        deadline.ends = min(deadline.ends, time.monotonic() + seconds)
