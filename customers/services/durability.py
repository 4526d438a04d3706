"""Whether the database keeps what it has acknowledged."""

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

LOSSY = {"fsync": ["off"], "synchronous_commit": ["off"]}


def check():
    """Raise ImproperlyConfigured when the database may lose an acknowledged change.

    PostgreSQL does with fsync or synchronous_commit off; SQLite is told by the settings
    to wait for the disk. Raises DatabaseError when the database does not answer.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(LOSSY)])
        for name, value in cursor.fetchall():
            if value in LOSSY[name]:
                raise ImproperlyConfigured(
                    f"Set {name} to on in PostgreSQL: with {value} it loses acknowledged changes."
                )


def check_at_start():
    """As `check`; a database that is away is no reason not to start, /readyz asks it again."""
    try:
        check()
    except DatabaseError:
        return
    finally:
        connection.close()
