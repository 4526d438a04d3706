"""Reading from a copy of the database, which never shows less than was acknowledged before.

A read goes to the replica when that has replayed all the primary had written when the
read began, and to the primary otherwise. So every caller reads what it and all others
have written, through whatever door.
"""

import logging
import time

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections, transaction

from customers.models import PRIMARY, REPLICA, from_replica

PATIENCE = 0.05  # seconds to wait for a replica that is behind
PAUSE = 0.005
FORSAKEN_FOR = 5  # seconds in which one that failed is not asked again

logger = logging.getLogger(__name__)
_forsaken_until = 0.0


def read(act):
    """What `act` returns, a function without arguments that only reads."""
    if not settings.DATABASE_REPLICA_URL or not has_caught_up():
        return act()
    try:
        with from_replica():
            return act()
    except (DatabaseError, InterfaceError) as error:
        _forsake(error)
    return act()


def has_caught_up():
    """Whether the replica has replayed what the primary has written by now, soon enough."""
    if time.monotonic() < _forsaken_until or transaction.get_connection().in_atomic_block:
        return False
    with connections[PRIMARY].cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()::text")
        wanted = cursor.fetchone()[0]
    last = time.monotonic() + PATIENCE
    try:
        with connections[REPLICA].cursor() as cursor:
            while True:
                cursor.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [wanted])
                if cursor.fetchone()[0]:
                    return True
                if time.monotonic() > last:
                    return False
                time.sleep(PAUSE)
    except (DatabaseError, InterfaceError) as error:
        _forsake(error)
        return False


def _forsake(error):
    global _forsaken_until
    _forsaken_until = time.monotonic() + FORSAKEN_FOR
    connections[REPLICA].close()
    logger.warning("The replica does not answer (%s).", type(error).__name__)
