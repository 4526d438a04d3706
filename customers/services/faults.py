"""What fails outside of the service: a database that is away, slow, locked or full."""

import errno
from dataclasses import dataclass

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, ProgrammingError

OURS = (DataError, IntegrityError, ProgrammingError)  # what a wrong statement raises
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
FULL = {"53100", 13}  # SQLSTATEs, and SQLite's codes
LOCKED = {"55P03", 5, 6}
SLOW = {"57014", 9}
CROWDED = {"53300", "53400"}
COLLIDED = {"40001", "40P01"}


@dataclass(frozen=True)
class Fault:
    """What a caller is told: an HTTP status, a sentence, and when to try again in seconds."""

    status: int
    detail: str
    retry_after: int = 5

    @property
    def headers(self):
        return {"Retry-After": str(self.retry_after)}


def fault_of(error):
    """The Fault that the exception `error` stands for, None when it is a mistake of ours."""
    if isinstance(error, OSError):
        return _full() if error.errno in NO_ROOM else None
    if not isinstance(error, DatabaseError | InterfaceError) or isinstance(error, OURS):
        return None
    code = _code(error)
    if code in FULL:
        return _full()
    if code in LOCKED:
        return Fault(503, "Something else holds what this needs; try again later.", 1)
    if code in COLLIDED:
        return Fault(503, "Another change got in the way; try again.", 1)
    if code in SLOW:
        return Fault(503, "It took longer than the database may take; try again later.")
    if code in CROWDED:
        return Fault(503, "The database has no connection to spare; try again later.")
    return Fault(503, "The database does not answer; try again later.")


def is_collision(error):
    """Whether a transaction failed because of another one, so that it may succeed when repeated."""
    return isinstance(error, DatabaseError) and _code(error) in COLLIDED


def _full():
    return Fault(507, "There is no room left to write to; nothing was changed.", 60)


def _code(error):
    """PostgreSQL's SQLSTATE or SQLite's primary error code, None when there is neither."""
    cause = error.__cause__
    code = getattr(cause, "sqlstate", None)
    if code is None and (extended := getattr(cause, "sqlite_errorcode", None)) is not None:
        return extended & 0xFF
    return code
