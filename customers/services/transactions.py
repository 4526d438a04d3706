"""Transactions beside others: those that collide are begun again, none waits for another's row."""

import random
import time

from django.db import DatabaseError, InterfaceError, connection

from customers.services import database_errors

PAUSES = (0.02, 0.05, 0.1, 0.2)  # seconds before the second, third, fourth and fifth attempt


class ConcurrentUpdateError(Exception):
    """Another change got in the way; the act may be tried again."""


def skip_locked(rows):
    """Those of `rows` that no other transaction has locked, and they are locked as they are read.

    Where the database cannot pass over rows (SQLite), it lets one transaction write at a time.
    """
    skip = connection.features.has_select_for_update_skip_locked
    return rows.select_for_update(skip_locked=skip, of=("self",))


def advisory_lock(what: str) -> None:
    """Let no other transaction get beyond here with the same `what`, a text, before this one ends.

    SQLite has one transaction write at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [what])


def reconnected(act):
    """What `act` returns, a function without arguments that is one transaction.

    It is called again over a new connection, after a pause, when the last one was lost. That may
    have been after the database had written it, so it must be one that then finds nothing left to
    do, or that may be done twice. Inside a transaction of the caller's it is called once.
    """
    for pause in PAUSES:
        try:
            return act()
        except (DatabaseError, InterfaceError) as error:
            if connection.in_atomic_block or not database_errors.is_away(error):
                raise
            connection.close()
        time.sleep(pause)
    return act()


def retry_on_conflict(act):
    """What `act` returns, a function without arguments that is one transaction.

    It is called again when it was ConcurrentUpdateError, or when the database undid it because of
    another transaction (a deadlock or a serialization failure); so all it does must be
    undone with it. Inside a transaction of the caller's it is called once.
    """
    for pause in PAUSES:
        try:
            return act()
        except (ConcurrentUpdateError, DatabaseError) as error:
            again = isinstance(error, ConcurrentUpdateError) or database_errors.is_collision(error)
            if connection.in_atomic_block or not again:
                raise
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 apart from the others
    return act()
