"""A database as the first migration makes it, with a row of everything, kept in frozen.json.

`python -m customers.tests.frozen` writes the file anew; it is done once, before 0001 is frozen.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from django.apps import apps
from django.db import connection, models

FOLDER = Path(__file__).parent
FIRST = FOLDER.parent / "migrations" / "0001_initial.py"
KEPT = FOLDER / "frozen.json"
SCHEMA = (
    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    " ORDER BY type = 'trigger', type = 'index', rowid"
)


def digest():
    """Of the file of the first migration."""
    return hashlib.sha256(FIRST.read_bytes()).hexdigest()


def tables():
    """The models of this application by the name of their table, those of relations too."""
    found = apps.get_app_config("customers").get_models(include_auto_created=True)
    return {model._meta.db_table: model for model in found}


def rows():
    """Of each of our tables, its rows as JSON can hold them."""
    found = {}
    for table, model in tables().items():
        columns = [field.column for field in model._meta.local_concrete_fields]
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT {", ".join(columns)} FROM "{table}"')  # noqa: S608 our names
            found[table] = [
                {
                    field.column: readable(field, value)
                    for field, value in zip(model._meta.local_concrete_fields, row, strict=True)
                }
                for row in cursor.fetchall()
            ]
    return {table: kept for table, kept in found.items() if kept}


def readable(field, value):
    """The value of a column of SQLite as JSON, such as PostgreSQL reads, too."""
    if value is not None and isinstance(field, models.JSONField):
        return json.loads(value)
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return bool(value) if isinstance(field, models.BooleanField) and value is not None else value


def freeze():
    """Write KEPT from a database that has the first migration alone."""
    from django.core.management import call_command

    call_command("migrate", "customers", "0001", verbosity=0)
    call_command("migrate", "auth", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        schema = [sql for (sql,) in cursor.fetchall()]
        cursor.execute("SELECT app, name FROM django_migrations")
        applied = cursor.fetchall()
    from customers.tests.factories import FULL

    for name in ["customers", *FULL]:
        if not tables()[name].objects.exists():
            FULL[name]()
    text = {"digest": digest(), "applied": applied, "schema": schema, "rows": rows()}
    KEPT.write_text(json.dumps(text, indent=1, ensure_ascii=False, default=str) + "\n")


if __name__ == "__main__":
    if "DATA_DIR" not in os.environ:
        with tempfile.TemporaryDirectory() as folder:
            own = {"PATH": os.environ["PATH"], "DATA_DIR": folder, "LOG_LEVEL": "ERROR"}
            settings = {**own, "DJANGO_SETTINGS_MODULE": "project.settings"}
            again = [sys.executable, "-m", "customers.tests.frozen"]
            sys.exit(subprocess.run(again, env=settings).returncode)
    import django

    django.setup()
    freeze()
