"""Where everything is, as the settings say: variables of the shell for backup and restore."""

import shlex
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from psycopg import pq


def where() -> dict[str, object]:
    """Values by name: `data`, the folder; `tables`, those there are; `file` and `uri` of SQLite,
    else what libpq reads.

    Raises ImproperlyConfigured, and DatabaseError when the database cannot be read.
    """
    found: dict[str, object] = {"data": settings.DATA_DIR, "file": "", "tables": ""}
    if settings.SQLITE:
        file = found["file"] = Path(settings.DATABASES["default"]["NAME"]).absolute()
        found["uri"] = f"file:{quote(str(file))}?mode=ro"  # by which no file is made
        connection.settings_dict |= {"NAME": found["uri"], "OPTIONS": {}}
        if not file.exists():
            return found
    else:
        found |= libpq(connection.get_connection_params())
    found["tables"] = " ".join(connection.introspection.table_names())
    return found


def libpq(parameters: dict[str, Any]) -> dict[str, Any]:
    """The variables by which pg_dump and its like connect as the service does."""
    variables = {
        option.keyword.decode(): option.envvar.decode()
        for option in pq.Conninfo.get_defaults()
        if option.envvar
    }
    del variables["options"]  # the limits of a request
    return {variables[name]: value for name, value in parameters.items() if name in variables}


if __name__ == "__main__":
    try:
        django.setup()
        for name, value in where().items():
            print(f"export {name}={shlex.quote(str(value))}")
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except DatabaseError as error:
        sys.exit(f"The database cannot be read: {error}")
