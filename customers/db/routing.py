"""Which database a read is answered from: the primary, or a replica of it.

Why not Django's own: a router is asked by model alone, and knows nothing of the request that reads;
here the request says it, for everything that it reads. Without DATABASE_REPLICA_URL nothing of this
is in use. Taken out, the primary answers all reads.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db.models import Model

PRIMARY, REPLICA = "default", "replica"
_alias: ContextVar[str] = ContextVar("alias", default=PRIMARY)


def current_alias() -> str:
    """The alias of the database to read from."""
    return _alias.get()


@contextmanager
def from_replica() -> Iterator[None]:
    """What is read meanwhile is read from the replica."""
    token = _alias.set(REPLICA)
    try:
        yield
    finally:
        _alias.reset(token)


class Router:
    """Django's database router: reads go where `current_alias` says, all else to the primary."""

    def db_for_read(self, model: type[Model], **hints: object) -> str:
        return current_alias()

    def db_for_write(self, model: type[Model], **hints: object) -> str:
        return PRIMARY

    def allow_relation(self, one: Model, other: Model, **hints: object) -> bool:
        return True  # both are of one database

    def allow_migrate(self, database: str, app_label: str, **hints: object) -> bool:
        return database == PRIMARY
