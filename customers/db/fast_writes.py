"""Writes of whole rows by SQL that is compiled once; they send no signals.

Why not `save` and `bulk_create`: Django compiles each INSERT and UPDATE anew and sends signals, of
which nothing here hears. A new customer with its audit entry and its event costs 0.34 ms of CPU so,
by `save` and `bulk_create` 0.75; a change of one 0.08 instead of 0.26 (W6 and W7 of `python -m
deploy.checks benchmark` have them in whole requests). Taken out, everything is written as before.
"""

from functools import cache, lru_cache

from django.db import DatabaseError, connection
from django.db.models import Field, JSONField, Model

from customers.db.execute import execute

PLAIN = {bool, int, str, type(None)}  # what columns other than JSON's take as it is


def fast_insert(*rows: Model) -> None:
    """Insert `rows`, new instances, on PostgreSQL in one statement. Sends no signals.

    To Django the instances are as new as before. Raises IntegrityError and other DatabaseErrors.
    """
    values = [_insert_params(row) for row in rows]
    models = tuple(map(type, rows))
    if connection.vendor == "postgresql":
        execute(_insert_sql(models), [value for of_row in values for value in of_row])
        return
    for model, params in zip(models, values, strict=True):
        execute(_insert_sql((model,)), params)


def fast_update(row: Model, names: set[str]) -> None:
    """Write the fields `names` of `row`, which is in the database. Sends no signals.

    Their values are no expressions. Raises DatabaseError when the row is gone.
    """
    fields = [field for field in row._meta.concrete_fields if field.name in names]
    params = [_prepared(field, field.pre_save(row, add=False)) for field in fields]
    sql = _update_sql(type(row), tuple(field.column for field in fields))
    if not execute(sql, [*params, row.pk]):
        raise DatabaseError("The row to save is gone.")


def _insert_params(row: Model) -> list:
    columns = row._meta.concrete_fields
    return [_prepared(field, field.pre_save(row, add=True)) for field in columns]


def _prepared(field: Field, value: object) -> object:
    """`value` as the database takes it for the column `field`."""
    if type(value) in PLAIN and not isinstance(field, JSONField):
        return value
    return field.get_db_prep_save(value, connection)


def _column_of(field: Field) -> str:
    return field.column or field.attname


@cache
def _update_sql(model: type[Model], columns: tuple[str, ...]) -> str:
    quote = connection.ops.quote_name
    key = quote(_column_of(model._meta.pk))
    places = ", ".join(f"{quote(column)} = %s" for column in columns)
    table = quote(model._meta.db_table)
    return f"UPDATE {table} SET {places} WHERE {key} = %s RETURNING {key}"  # noqa: S608


@lru_cache(maxsize=200)
def _insert_sql(models: tuple[type[Model], ...]) -> str:
    """The SQL that inserts a row into the table of each of `models`."""
    *others, last = [_insert_into(model) for model in models]
    if not others:
        return last
    parts = ", ".join(f"part{number} AS ({sql})" for number, sql in enumerate(others))
    return f"WITH {parts} {last}"


def _insert_into(model: type[Model]) -> str:
    quote, columns = connection.ops.quote_name, model._meta.concrete_fields
    names = ", ".join(quote(_column_of(field)) for field in columns)
    places = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({places})"  # noqa: S608
