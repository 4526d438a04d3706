"""What fails outside of the service: a database that is away, slow, locked, full or misconfigured.

Each is told for what it is, by its SQLSTATE
(https://www.postgresql.org/docs/current/errcodes-appendix.html) or SQLite's result code
(https://www.sqlite.org/rescode.html).
"""

import errno
import logging
from dataclasses import dataclass

from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)

OURS = (DataError, IntegrityError, ProgrammingError)  # what a wrong statement raises
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
COLLIDED = {"40001", "40P01"}
OTHER_TABLES = ("no such table", "no such column", "has no column named")  # SQLite's words


@dataclass(frozen=True)
class Fault:
    """What a caller is told: an HTTP status, a sentence, and when to try again in seconds.

    `retry_after` is None where trying again is of no use; `level` is that of the line in the log.
    """

    status: int
    detail: str
    retry_after: int | None = 5
    level: int = logging.WARNING

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)} if self.retry_after else {}


AWAY = Fault(503, "The database does not answer; try again later.")
RESTARTING = Fault(503, "The database stops or starts; try again later.")
LOCKED = Fault(503, "Something else holds what this needs; try again later.", 1)
COLLISION = Fault(503, "Another change got in the way; try again.", 1)
SLOW = Fault(503, "It took longer than the database may take; try again later.")
CROWDED = Fault(503, "The database has no connection to spare; try again later.")
READ_ONLY = Fault(503, "The database takes no changes just now, reads alone; try again later.")
FULL = Fault(507, "There is no room left to write to; nothing was changed.", 60)
NO_MEMORY = Fault(503, "The database is short of memory; try again later.", 30)
BROKEN = Fault(503, "The database cannot use its own files.", 60, logging.ERROR)
FORBIDDEN = Fault(
    503, "The database does not let the service do this: it lacks a privilege.", 60, logging.ERROR
)
OTHER_VERSION = Fault(
    503, "The database's tables are of another version than the service.", 30, logging.ERROR
)
UNSUPPORTED = Fault(501, "The database does not support what this needs.", None, logging.ERROR)
OTHER = Fault(503, "The database failed at this; try again later.", 30, logging.ERROR)

FAULTS = {  # by SQLSTATE, its class, and SQLite's primary result code
    "08": AWAY,
    "57P01": RESTARTING,
    "57P02": RESTARTING,
    "57P03": RESTARTING,
    "57P04": AWAY,
    "57P05": AWAY,
    "25P03": AWAY,
    "55P03": LOCKED,
    5: LOCKED,
    6: LOCKED,
    "40": COLLISION,
    "57014": SLOW,
    9: SLOW,
    "53300": CROWDED,
    "53400": CROWDED,
    "25006": READ_ONLY,
    8: READ_ONLY,
    "53100": FULL,
    13: FULL,
    "53200": NO_MEMORY,
    7: NO_MEMORY,
    "58": BROKEN,
    "XX001": BROKEN,
    "XX002": BROKEN,
    10: BROKEN,
    11: BROKEN,
    14: AWAY,
    "42501": FORBIDDEN,
    3: FORBIDDEN,
    "42P01": OTHER_VERSION,
    "42703": OTHER_VERSION,
    "0A000": UNSUPPORTED,
}
GONE = {AWAY, RESTARTING, CROWDED, READ_ONLY}  # with which nobody can work, and which pass


def fault_of(error: BaseException) -> Fault | None:
    """The Fault that the exception `error` stands for, None when it is a mistake of ours."""
    if isinstance(error, OSError):
        return FULL if error.errno in NO_ROOM else None
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    code = _code(error)
    if code is None:
        return _fault_without_code(error)
    if code == 1 and any(words in str(error) for words in OTHER_TABLES):
        return OTHER_VERSION
    fault = FAULTS.get(code) or FAULTS.get(str(code)[:2])
    return fault or (None if isinstance(error, OURS) else OTHER)


def _fault_without_code(error: BaseException) -> Fault | None:
    if isinstance(error, OURS):
        return None
    if isinstance(error, NotSupportedError):
        return UNSUPPORTED
    if isinstance(error, OperationalError | InterfaceError):
        return AWAY  # there was no answer to have one
    return COLLISION  # of Django's, and ours: the row to save is gone


def is_collision(error: BaseException) -> bool:
    """Whether a transaction failed because of another one, so that it may succeed when repeated."""
    return isinstance(error, DatabaseError) and _code(error) in COLLIDED


def is_away(error: BaseException) -> bool:
    """Whether the exception `error` says that the database takes no work at all just now."""
    return fault_of(error) in GONE


def place_of(error: BaseException) -> str:
    """What the database says the exception `error` is about, such as `SQLSTATE 23505, table tags`.

    Empty when it does not say. Names of tables, columns and constraints, never a value.
    """
    cause = _cause(error)
    if name := getattr(cause, "sqlite_errorname", None):
        return name
    diagnosis = getattr(cause, "diag", None)
    told = [("SQLSTATE", getattr(cause, "sqlstate", None))]
    for what in ("table", "column", "constraint", "datatype"):
        told.append((what, getattr(diagnosis, f"{what}_name", None)))
    return ", ".join(f"{what} {name}" for what, name in told if name)


def _cause(error: BaseException) -> BaseException | None:
    """The driver's exception, which Django's `error` was made of."""
    return error.__cause__ if isinstance(error, DatabaseError | InterfaceError) else error


def _code(error: BaseException) -> str | int | None:
    """PostgreSQL's SQLSTATE or SQLite's primary error code, None when there is neither."""
    cause = _cause(error)
    code = getattr(cause, "sqlstate", None)
    if code is None and (extended := getattr(cause, "sqlite_errorcode", None)) is not None:
        return extended & 0xFF
    return code
