"""Whether the database's tables are those that this version reads and writes."""

from collections.abc import Iterator

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

GUIDE = "docs/operating.md says how, under “Upgrades”"
# Each column there is, and whether a row can only be written by naming a value for it.
COLUMNS = {
    "postgresql": (
        "SELECT table_name, column_name,"
        " is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'"
        " FROM information_schema.columns WHERE table_schema = ANY (current_schemas(false))"
    ),
    "sqlite": (
        'SELECT t.name, c.name, c."notnull" AND c.dflt_value IS NULL AND NOT c.pk'
        " FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'"
    ),
}


def check_schema() -> None:
    """Raise ImproperlyConfigured when the tables are those of another version.

    A database without any is left alone: `migrate` is still to come. So are additions that rows
    can be written without, as a newer version makes them. Raises DatabaseError when the database
    does not answer.
    """
    found = _columns()
    if not found:
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise ImproperlyConfigured(
            "The database's tables are those of an older version: run `manage.py migrate`, then"
            " start again."
        )
    if wrong := sorted(_differences(found)):
        raise ImproperlyConfigured(
            "The database's tables are those of a version that cannot be upgraded in place"
            f" ({', '.join(wrong[:3])}{', …' if wrong[3:] else ''}): move its data into a new"
            f" database; {GUIDE}."
        )


_fits: set[str] = set()  # names of databases whose tables have been found to fit


def check_once() -> bool:
    """As `check_schema`, until the tables have been found to fit; whether there are any."""
    name = str(connection.settings_dict["NAME"])
    if name not in _fits:
        check_schema()
        if not _columns():
            return False
        _fits.add(name)
    return True


def _columns() -> dict[str, dict[str, bool]]:
    """Of each table of ours that there is, the columns, and whether each must be written."""
    ours = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    found: dict[str, dict[str, bool]] = {}
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS[connection.vendor])
        for table, column, must_be_written in cursor.fetchall():
            if table in ours:
                found.setdefault(table, {})[column] = bool(must_be_written)
    return found


def _differences(found: dict[str, dict[str, bool]]) -> Iterator[str]:
    """What is missing from the tables, and what is in them that no model writes."""
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        columns = {field.column for field in model._meta.local_concrete_fields}
        there = found.get(table, {})
        yield from (f"{table}.{name} is missing" for name in columns - there.keys())
        unknown = there.keys() - columns
        yield from (f"{table}.{name} is unknown" for name in unknown if there[name])
