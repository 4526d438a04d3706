"""Which database a read is answered from: the primary, or a replica of it."""

from contextlib import contextmanager
from contextvars import ContextVar

PRIMARY, REPLICA = "default", "replica"
_place = ContextVar("place", default=PRIMARY)


def place():
    """The alias of the database to read from."""
    return _place.get()


@contextmanager
def from_replica():
    """What is read meanwhile is read from the replica."""
    token = _place.set(REPLICA)
    try:
        yield
    finally:
        _place.reset(token)


class Router:
    """Django's database router: reads go where `place` says, all else to the primary."""

    def db_for_read(self, model, **hints):
        return place()

    def db_for_write(self, model, **hints):
        return PRIMARY

    def allow_relation(self, one, other, **hints):
        return True  # both are of one database

    def allow_migrate(self, database, app_label, **hints):
        return database == PRIMARY
