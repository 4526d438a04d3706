"""The first migration is frozen, and a database that it made is upgraded with its data."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import django
import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from customers.services import database_schema
from customers.tests import frozen

pytestmark = pytest.mark.thorough

ROOT = Path(settings.BASE_DIR)
KEPT = json.loads(frozen.KEPT.read_text())
OLDER = "The database's tables are those of an older version: run `manage.py migrate`, then start"
COUNTED = """
import json, django
django.setup()
from customers.services import database_schema
from customers.tests import frozen
database_schema.check_schema()
models = [frozen.tables()[table] for table in %r]
ids = {one._meta.db_table: one._base_manager.values_list("pk", flat=True) for one in models}
print(json.dumps({table: sorted(map(str, found)) for table, found in ids.items()}))
"""


class Installation:
    """A database of its own at `url`, and programs that use it."""

    def __init__(self, url, folder):
        self.url = url
        self.environment = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(folder),
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "LOG_LEVEL": "ERROR",
            "LOG_FORMAT": "text",
        }

    def run(self, *words):
        return subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
        )

    def manage(self, *words):
        done = self.run("manage.py", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def execute(self, *statements):
        """Run statements, each a text or a text and its values, in one transaction."""
        pairs = [(one, ()) if isinstance(one, str) else one for one in statements]
        if settings.SQLITE:
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as there, there:
                for sql, values in pairs:
                    there.execute(sql, values)
        else:
            with psycopg.connect(self.url) as there:
                for sql, values in pairs:
                    there.execute(sql, values or None)


@pytest.fixture
def installation(tmp_path):
    if settings.SQLITE:
        yield Installation(f"sqlite:///{tmp_path}/frozen.sqlite3", tmp_path)
        return
    given = urlsplit(os.environ["DATABASE_URL"])
    url = given._replace(scheme="postgresql").geturl()
    name = f"{connection.settings_dict['NAME']}_frozen"
    with psycopg.connect(url, autocommit=True) as there:
        there.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        there.execute(f'CREATE DATABASE "{name}"')
        yield Installation(given._replace(scheme="postgresql", path=f"/{name}").geturl(), tmp_path)
        there.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def frozen_database(installation):
    """A database as the first migration left it, with the rows that are kept for it."""
    if settings.SQLITE:
        tables = [sql for sql in KEPT["schema"] if not sql.startswith("CREATE TRIGGER")]
        applied = [
            ("INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, '2026-01-01')", one)
            for one in KEPT["applied"]
        ]
        triggers = [sql for sql in KEPT["schema"] if sql.startswith("CREATE TRIGGER")]
        installation.execute(*tables, *applied, *insertions(), *triggers)
    else:
        installation.manage("migrate", "customers", "0001", "--verbosity", "0")
        installation.execute("SET LOCAL TIME ZONE 'UTC'", *insertions())
    return installation


def insertions():
    """The statements that write the rows, which may refer to later ones."""
    populated = "INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, %s)"
    for table, rows in KEPT["rows"].items():
        if not settings.SQLITE:
            yield populated.format(table), [json.dumps(rows)]
            continue
        for row in rows:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            yield f"INSERT INTO {table} ({names}) VALUES ({marks})", [*map(stored, row.values())]


def stored(value):
    return json.dumps(value) if isinstance(value, dict | list) else value


def test_the_first_migration_is_frozen():
    assert frozen.digest() == KEPT["digest"], (
        "0001_initial.py is what databases out there were made by: leave it, and write a new one."
    )


@pytest.mark.skipif(
    not settings.SQLITE or django.VERSION >= (6,), reason="kept as Django 5.2 writes it for SQLite"
)
def test_the_first_migration_makes_the_tables_that_it_always_made(installation):
    """Also when the fields, indexes and functions that it names have changed."""
    installation.manage("migrate", "customers", "0001", "--verbosity", "0")
    with closing(sqlite3.connect(installation.url.removeprefix("sqlite:///"))) as there:
        made = {sql for (sql,) in there.execute(frozen.SCHEMA)}
    ours = {sql for sql in KEPT["schema"] if "auth_" not in sql and "django_" not in sql}
    assert {sql for sql in made if "auth_" not in sql and "django_" not in sql} == ours


@pytest.mark.thorough
def test_a_database_of_the_frozen_state_is_upgraded_with_its_data(frozen_database):
    frozen_database.manage("migrate", "--verbosity", "0")
    counted = frozen_database.run("-c", COUNTED % (list(KEPT["rows"]),))
    assert counted.returncode == 0, counted.stderr
    kept = {
        table: sorted(str(row["id"]) for row in rows)
        for table, rows in KEPT["rows"].items()
        if "id" in rows[0]
    }
    found = json.loads(counted.stdout)
    assert {table: found[table] for table in kept} == kept
    customer = KEPT["rows"]["customers"][0]
    mode = f"--mode={customer['mode']}"
    shown = frozen_database.manage("export_personal_data", customer["email"], mode)
    assert json.loads(shown)
    assert frozen_database.manage("work", "--once").startswith("Done; ")


@pytest.mark.thorough
def test_nothing_starts_on_tables_that_are_still_to_be_upgraded(frozen_database):
    frozen_database.execute("DELETE FROM django_migrations WHERE app = 'customers'")
    worker = frozen_database.run("manage.py", "work")
    assert (worker.returncode, worker.stdout) == (1, "")
    assert OLDER in worker.stderr
    server = frozen_database.run("-m", "project.server")
    assert server.returncode == 1
    assert f"CRITICAL __main__ {OLDER}" in server.stderr
    assert "Traceback" not in server.stderr
    application = frozen_database.run("-c", "import project.wsgi")
    assert application.returncode == 1
    assert f"CRITICAL project.wsgi {OLDER}" in application.stderr


def test_tables_without_a_column_are_refused_with_what_to_do(db):
    database_schema.check_schema()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE customers RENAME COLUMN profile_id TO profile")
    told = r"cannot be upgraded in place \(customers\.profile_id is missing\): move its data"
    with pytest.raises(ImproperlyConfigured, match=told):
        database_schema.check_schema()
    with pytest.raises(CommandError, match=told):
        call_command("work", once=True)


def test_tables_with_a_column_that_nobody_fills_are_refused(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE customers ADD COLUMN loyalty varchar(8) NOT NULL DEFAULT 'none'"
        )
        database_schema.check_schema()  # a newer version's, which rows can be written without
        cursor.execute("CREATE TABLE rewards (id integer)")
        database_schema.check_schema()
        if not settings.SQLITE:
            cursor.execute("ALTER TABLE customers ALTER COLUMN loyalty DROP DEFAULT")
            with pytest.raises(ImproperlyConfigured, match=r"customers\.loyalty is unknown"):
                database_schema.check_schema()


def test_a_database_without_tables_waits_for_them(installation):
    made = "import django; django.setup(); from customers.services import database_schema as s"
    done = installation.run("-c", f"{made}; s.check_schema()")
    assert (done.returncode, done.stderr) == (0, "")
