"""Whether the database keeps what it has acknowledged, as it was sent."""

from django.core.exceptions import ImproperlyConfigured
from django.db import connection

LOSSY = {"fsync": {"off"}, "synchronous_commit": {"off"}}
# With these a commit does not wait until a synchronous standby has it on its disk, so that it may
# be undone by a failover (https://www.postgresql.org/docs/current/runtime-config-wal.html).
AHEAD_OF_STANDBY = {"local", "remote_write"}
ASKED = [*LOSSY, "server_encoding", "synchronous_standby_names"]


def check_durability() -> None:
    """Raise ImproperlyConfigured when the database may lose an acknowledged change.

    PostgreSQL does with fsync or synchronous_commit off, and by a failover where commits do not
    wait for the synchronous standby that is configured; the settings make SQLite wait
    for the disk. Its encoding must be UTF-8, as others refuse what people are called.
    Raises DatabaseError when the database does not answer.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [ASKED])
        found = dict(cursor.fetchall())
    for name, lossy in LOSSY.items():
        if found[name] in lossy:
            raise ImproperlyConfigured(
                f"Set {name} to on in PostgreSQL: with {found[name]} it loses acknowledged changes."
            )
    commit = found["synchronous_commit"]
    if found["synchronous_standby_names"] and commit in AHEAD_OF_STANDBY:
        raise ImproperlyConfigured(
            f"Set synchronous_commit to on in PostgreSQL: with {commit} a failover to its"
            " synchronous standby loses acknowledged changes."
        )
    if found["server_encoding"] != "UTF8":
        raise ImproperlyConfigured(
            f"The database's encoding is {found['server_encoding']}: make one of UTF-8 (createdb"
            " --encoding UTF8 --template template0), restore a dump into it, and set DATABASE_URL."
        )
