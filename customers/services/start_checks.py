"""What must hold of the database before a process serves from it.

`python -m customers.services.start_checks` exits with 1 and a line in the log when it does not.
"""

import logging
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

from customers.services import database_schema, durability


def check_database() -> None:
    """Raise ImproperlyConfigured, with what to do, when the database cannot be worked with.

    Raises DatabaseError when it does not answer.
    """
    durability.check_durability()
    database_schema.check_schema()


def check_at_start() -> None:
    """As `check_database`; one that is away is no reason not to start, /readyz asks it again."""
    try:
        check_database()
    except DatabaseError:
        return
    finally:
        connection.close()


def main() -> None:
    try:
        django.setup(set_prefix=False)
        check_at_start()
    except ImproperlyConfigured as error:
        logging.getLogger(__name__).critical(str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
