"""Reading from a copy of the database, which never shows less than was acknowledged before.

A read goes to the replica when that is one, has replayed all the primary had written when the
read began, and holds the token of the primary's timeline; to the primary otherwise. So every
caller reads what it and all others have written, through whatever door.

Positions of two timelines say nothing about each other: after a promotion a server that stayed
behind, the former primary or a replica of it, may well be past the position that is asked for.
The token, a row, tells it apart: it is made on the new timeline and gets there by replaying that
(https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-TIMELINES).
"""

import logging
import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections, transaction

from customers.db.execute import execute
from customers.db.routing import REPLICA, from_replica
from customers.models import Timeline
from customers.services import database_errors

PATIENCE = 0.05  # seconds to wait for a replica that is behind
PAUSE = 0.005
BEHIND_FOR = 1  # seconds in which one that was waited for in vain is not asked again,
UNFIT_FOR = 5  # one that failed, or that follows another timeline,
PRIMARY_FOR = 60  # and one that is none

POSITION = f"""
SELECT here.position::text, here.timeline, known.token
FROM (SELECT pg_current_wal_lsn() AS position,
      ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint AS timeline
      WHERE NOT pg_is_in_recovery()) here
LEFT JOIN {Timeline._meta.db_table} known ON known.number = here.timeline
"""  # noqa: S608 names of our own
STATE = f"""
SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn() >= %s::pg_lsn,
       EXISTS (SELECT 1 FROM {Timeline._meta.db_table} WHERE number = %s AND token = %s)
"""  # noqa: S608 names of our own

Result = TypeVar("Result")
logger = logging.getLogger(__name__)
_passed_over_until = 0.0
_why = None  # as it was logged last
_lacks = None  # the token that it was last found without
_marked: set[int] = set()  # the timelines that this process has given a new token


def read_on_replica(act: Callable[[], Result]) -> Result:
    """What `act` returns, a function without arguments that only reads.

    It is done again on the primary where the replica fails, but not where its time was over.
    """
    if not settings.DATABASE_REPLICA_URL or not has_caught_up():
        return act()
    try:
        with from_replica():
            return act()
    except (DatabaseError, InterfaceError) as error:
        if database_errors.fault_of(error) is database_errors.SLOW:  # as it would be on the primary
            raise
        _pass_over(UNFIT_FOR, f"does not answer ({type(error).__name__})")
    return act()


def has_caught_up() -> bool:
    """Whether the replica may be read from: it has what the primary has written by now.

    Where that is not so, it is not asked again for a while.
    """
    if time.monotonic() < _passed_over_until or transaction.get_connection().in_atomic_block:
        return False
    try:
        place = _place_of_primary()
        return place is not None and _has_replayed(*place)
    except (DatabaseError, InterfaceError) as error:
        _pass_over(UNFIT_FOR, f"cannot be asked ({type(error).__name__})")
        return False


def _place_of_primary() -> tuple[str, int, str] | None:
    """How far the primary has written, on which timeline, with which token.

    None when it is no primary, or when the token is new, as it is where the timeline is, and at
    the start of each process: a copy of the whole database may have been given another name.
    """
    for position, timeline, token in execute(POSITION, []):
        if token is not None and timeline in _marked:
            return position, timeline, token
        Timeline.objects.bulk_create(
            [Timeline(number=timeline, token=secrets.token_hex(16))],
            update_conflicts=True,
            unique_fields=["number"],
            update_fields=["token"],
        )
        _marked.add(timeline)
    return None


def _has_replayed(position: str, timeline: int, token: str) -> bool:
    """Whether the replica has, soon enough. Raises DatabaseError when it does not answer."""
    last = time.monotonic() + PATIENCE
    while True:
        (recovers, is_past, holds_token), *_ = _asked([position, timeline, token])
        if not recovers:
            _pass_over(PRIMARY_FOR, "is a primary; set DATABASE_REPLICA_URL to a replica of ours")
            return False
        if is_past:
            _suspect_of(None if holds_token else token)
            return holds_token
        if time.monotonic() > last:
            _pass_over(BEHIND_FOR)
            return False
        time.sleep(PAUSE)


def _asked(params: list) -> list[tuple]:
    """The replica's state, over a new connection where the last one is lost."""
    with from_replica():
        try:
            return execute(STATE, params)
        except (DatabaseError, InterfaceError):
            connections[REPLICA].close()
            return execute(STATE, params)


def _suspect_of(token: str | None) -> None:
    """Pass the replica over when it lacks `token` twice: once, that may have just been renewed."""
    global _lacks, _why
    if token is not None and token == _lacks:
        _pass_over(UNFIT_FOR, "has stayed on another timeline than the primary")
    elif token is None:
        _why = None
    _lacks = token


def _pass_over(seconds: float, why: str | None = None) -> None:
    """Let all reads go to the primary for `seconds`; `why` is logged once."""
    global _passed_over_until, _why
    _passed_over_until = time.monotonic() + seconds
    if seconds >= UNFIT_FOR:
        connections[REPLICA].close()
        if why != _why:
            logger.warning("The replica %s; reads go to the primary.", why)
    _why = why
