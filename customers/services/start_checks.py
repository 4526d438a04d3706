"""What must hold of the database before a process serves from it."""

from django.db import DatabaseError, connection

from customers.services import database_schema, durability


def check() -> None:
    """Raise ImproperlyConfigured, with what to do, when the database cannot be worked with.

    Raises DatabaseError when it does not answer.
    """
    durability.check()
    database_schema.check()


def check_at_start() -> None:
    """As `check`; a database that is away is no reason not to start, /readyz asks it again."""
    try:
        check()
    except DatabaseError:
        return
    finally:
        connection.close()
