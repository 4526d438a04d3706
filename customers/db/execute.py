"""SQL with its values, run without a new cursor, and as long as a budget of bytes lasts.

Why not `connection.cursor()`: Django makes a cursor, registers its adapters and wraps it for each
statement, and binds values in the client, so that PostgreSQL plans each anew. Here each of Django's
connections keeps one psycopg cursor, which prepares what is run again; Django still opens, closes
and checks the connection, and keeps its transactions. A row by its id costs 26 µs of CPU so, 88 by
Django's cursor. Taken out (`execute` by Django's cursor alone, as on SQLite), everything answers as
before, and slower: `python -m deploy.checks benchmark` says by how much.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from weakref import WeakKeyDictionary

import orjson
import psycopg
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.types.datetime import TimestamptzLoader

from customers.db import routing
from customers.db.bounds import ByteBudget, TooManyBytesError

CHUNK = 10  # rows that come together where their bytes are counted
MOST_PREPARED = 300  # statements of one connection
# What is looked for decides here by which way it is best found: the plan of one is bad for another.
PLANNED_EACH_TIME = re.compile("LIKE|@>")

Rows = list[tuple]
_cursors: WeakKeyDictionary[BaseDatabaseWrapper, psycopg.Cursor] = WeakKeyDictionary()


def execute(sql: str, params: Sequence) -> Rows:
    """The rows, if any, that `sql` with a %s for each of `params` finds.

    Moments come as aware datetimes, JSON as text. A connection that was lost since its last
    statement is made anew, outside of a transaction. Raises django.db.DatabaseError.
    """
    return _run(sql, params, None, ())


def execute_within(
    budget: ByteBudget, sql: str, params: Sequence, long_columns: Sequence[int]
) -> Rows:
    """As `execute`, of rows that come a few at a time, as long as `budget` lasts.

    Texts and JSON of the `long_columns`, by their places, are counted. Raises TooManyBytesError.
    """
    return _run(sql, params, budget, long_columns)


def _run(
    sql: str, params: Sequence, budget: ByteBudget | None, long_columns: Sequence[int]
) -> Rows:
    here = connections[routing.current_alias()]
    if here.vendor != "postgresql":
        return _by_django(here, sql, [_as_json(value) for value in params], budget, long_columns)
    if here.queries_logged or here.execute_wrappers:  # somebody wants to see each statement
        return _by_django(here, sql, params, budget, long_columns)
    try:
        return _by_kept_cursor(here, sql, params, budget, long_columns)
    except OperationalError:
        lost = here.connection is not None and here.connection.closed
        if here.in_atomic_block or not lost or here.alias == routing.REPLICA:
            raise  # of a replica it is asked anew, in a new connection, whether it may be read
        here.close()  # it was lost between two requests; a new one is as good
        return _by_kept_cursor(here, sql, params, budget, long_columns)


def _by_kept_cursor(
    here: BaseDatabaseWrapper,
    sql: str,
    params: Sequence,
    budget: ByteBudget | None,
    long_columns: Sequence[int],
) -> Rows:
    if here.needs_rollback:
        here.validate_no_broken_transaction()
    if here.connection is None:
        here.ensure_connection()
    cursor = _cursors.get(here)
    if cursor is None or cursor.connection is not here.connection:
        cursor = _cursors[here] = _new_cursor(here.connection)
    with here.wrap_database_errors:
        if budget is not None:
            found = _streamed(here, cursor, sql, params, budget, long_columns)
        else:
            cursor.execute(sql, params, prepare=_prepare(sql))
            result = cursor.pgresult
            found = cursor.fetchall() if result is not None and result.nfields else []
    here.health_check_done = True  # type: ignore[attr-defined]  # the stubs do not know it
    return found


@lru_cache(maxsize=1000)
def _prepare(sql: str) -> bool | None:
    """How psycopg is to prepare `sql`: never (False), or once it has run a few times (None)."""
    return False if PLANNED_EACH_TIME.search(sql) else None


def _new_cursor(connection: psycopg.Connection) -> psycopg.Cursor:
    connection.prepared_max = MOST_PREPARED
    cursor = psycopg.Cursor(connection)
    cursor.adapters.register_loader("timestamptz", TimestamptzLoader)  # Django's is in Python
    return cursor


def _streamed(
    here: BaseDatabaseWrapper,
    cursor: psycopg.Cursor,
    sql: str,
    params: Sequence,
    budget: ByteBudget,
    long_columns: Sequence[int],
) -> Rows:
    """The rows; when there are too many bytes the server is told to stop.

    Within a transaction, which that would end, what else comes is passed over instead.
    """
    found, rows = [], cursor.stream(sql, params, size=CHUNK)
    try:
        for row in rows:
            budget.spend([row], long_columns)
            found.append(row)
    except TooManyBytesError:
        if here.in_atomic_block:
            for _ in rows:
                """It is of no use."""
        raise
    finally:
        rows.close()  # type: ignore[attr-defined]  # it is a generator, whatever psycopg says
    return found


def _by_django(
    here: BaseDatabaseWrapper,
    sql: str,
    params: Sequence,
    budget: ByteBudget | None,
    long_columns: Sequence[int],
) -> Rows:
    with here.cursor() as cursor:
        cursor.execute(sql, params)
        if not cursor.description:
            return []
        if budget is None:
            return cursor.fetchall()
        found = []
        while rows := cursor.fetchmany(CHUNK):
            budget.spend(rows, long_columns)
            found += rows
        return found


def _as_json(value: object) -> object:
    return orjson.dumps(value).decode() if isinstance(value, list) else value
