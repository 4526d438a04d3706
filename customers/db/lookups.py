"""Comparisons that Django does not offer on both databases.

Why not Django's: `icontains` compares upper cases, which no trigram index serves and which SQLite
knows of ASCII alone; `contains` of JSON is PostgreSQL's alone; `in` writes each value into the SQL,
so that no plan can be kept. Taken out, the filters of the API could not be answered alike on both.
"""

import json
from functools import lru_cache, partial
from typing import Any

import orjson
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Field, JSONField, Lookup, TextField, Transform
from django.db.models.expressions import Col
from django.db.models.sql.compiler import SQLCompiler

from customers.db.compositions import compose, escape_wildcards, widen, widen_to_any
from customers.db.fields import FoldedField
from customers.db.indexes import has_trigrams

LAST_CHARACTER = "\U0010ffff"
SqlParts = tuple[str, tuple]


@Field.register_lookup
class AnyOf(Lookup):
    """`column__any_of=[…]`: as `in`, in SQL that does not depend on how many there are."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> SqlParts:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", (*params, self.rhs)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> SqlParts:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", (*params, self.rhs)  # noqa: S608


@CharField.register_lookup
@TextField.register_lookup
class Composed(Transform):
    """`column__nfc`: the text in the one spelling that equivalent texts share (UAX #15)."""

    lookup_name = "nfc"
    template = "normalize(%(expressions)s, NFC)"

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **options: Any
    ) -> SqlParts:
        return self.as_sql(compiler, connection, template="unicode_nfc(%(expressions)s)", **options)


@CharField.register_lookup
@TextField.register_lookup
class ILike(Lookup):
    """`column__ilike=pattern`: SQL LIKE of composed text, without regard to case.

    `\\\\` escapes % and _. An index knows the text as it is kept: PostgreSQL finds by that what may
    match, and normalizes those rows alone.
    """

    lookup_name = "ilike"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> SqlParts:
        column, params = self.process_lhs(compiler, connection)
        kept = self.lhs.target if isinstance(self.lhs, Col) else None
        if isinstance(kept, FoldedField):  # which is composed
            return f"{column} ILIKE %s", (*params, compose(self.rhs))
        indexed = kept is not None and has_trigrams(kept.model, kept.name)
        wide = widen_to_any(self.rhs) if indexed else [widen(self.rhs)]
        may_match = " OR ".join(f"{column} ILIKE %s" for _ in wide)
        values = [value for one in wide for value in (*params, one)]
        condition = f"(({may_match}) AND normalize({column}, NFC) ILIKE %s)"
        return condition, (*values, *params, compose(self.rhs))

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> SqlParts:
        column, params = self.process_lhs(compiler, connection)
        condition = f"unicode_lower({column}) LIKE unicode_lower(%s) ESCAPE '\\'"
        return condition, (*params, self.rhs)


@CharField.register_lookup
@TextField.register_lookup
class Holds(ILike):
    """`column__holds=text`: the text is a part of the column's, in upper or lower case."""

    lookup_name = "holds"

    def get_prep_lookup(self) -> str:
        return f"%{escape_wildcards(super().get_prep_lookup())}%"


@CharField.register_lookup
class Begins(ILike):
    """`column__begins=text`: the column's text begins with it, in upper or lower case."""

    lookup_name = "begins"

    def get_prep_lookup(self) -> str:
        return f"{escape_wildcards(super().get_prep_lookup())}%"


@CharField.register_lookup
class Prefix(Lookup):
    """`column__prefix=text`: the column, which is kept folded, begins with the folded text.

    A btree answers it: PostgreSQL's of varchar_pattern_ops, and any of SQLite's.
    """

    lookup_name = "prefix"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> SqlParts:
        column, column_params = self.process_lhs(compiler, connection)
        text, text_params = self.process_rhs(compiler, connection)
        params = [f"{escape_wildcards(str(param))}%" for param in text_params]
        return f"{column} LIKE {text}", (*column_params, *params)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> SqlParts:
        column, column_params = self.process_lhs(compiler, connection)
        text, text_params = self.process_rhs(compiler, connection)
        ends = [f"{param}{LAST_CHARACTER}" for param in text_params]
        params = (*column_params, *text_params, *column_params, *ends)
        return f"({column} >= {text} AND {column} < {text})", params


@JSONField.register_lookup
class JSONContains(Lookup):
    """`column__jcont=object`: the JSON value contains the given one (PostgreSQL's `@>`)."""

    lookup_name = "jcont"

    def get_prep_lookup(self) -> str:
        return json.dumps(self.rhs)

    def get_db_prep_lookup(self, value: str | int, connection: BaseDatabaseWrapper) -> SqlParts:
        return "%s", (value,)

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> SqlParts:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} @> %s::jsonb", (*params, self.rhs)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> SqlParts:
        column, params = self.process_lhs(compiler, connection)
        return f"json_contains({column}, %s)", (*params, self.rhs)


def contains(outer: object, inner: object) -> bool:
    """Whether the JSON value `outer` contains `inner`, by PostgreSQL's rules for `@>`.

    An object contains another whose members it contains; an array contains another
    whose elements it contains, in any order. Plain elements are found in a set, so that
    long arrays of them cost no more than reading them.
    """
    if isinstance(inner, dict):
        return isinstance(outer, dict) and all(
            key in outer and contains(outer[key], value) for key, value in inner.items()
        )
    if isinstance(inner, list):
        return isinstance(outer, list) and _contains_elements(outer, inner)
    return isinstance(outer, bool) == isinstance(inner, bool) and outer == inner


def _contains_elements(outer: list, inner: list) -> bool:
    plain, nested = _apart(inner)
    if not plain and not nested:
        return True
    known, others = _apart(outer)
    return plain <= known and all(
        any(contains(mine, element) for mine in others) for element in nested
    )


def _apart(values: list) -> tuple[set, list]:
    """The plain ones among JSON `values`, as a set in which true is not 1, and the others."""
    nested = [value for value in values if isinstance(value, dict | list)]
    plain = {
        (isinstance(value, bool), value) for value in values if not isinstance(value, dict | list)
    }
    return plain, nested


def _json_contains(outer: str | None, inner: str) -> bool:
    """`contains` of two texts; None, a row without a value, contains nothing."""
    return outer is not None and contains(orjson.loads(outer), _read_once(inner))


_read_once = lru_cache(maxsize=64)(orjson.loads)  # the same one is looked for in every row


def register_sqlite_functions(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Teach a new SQLite connection what PostgreSQL knows: `@>`, and of text beyond ASCII."""
    if connection.vendor == "sqlite":
        make = partial(connection.connection.create_function, deterministic=True)
        make("unicode_nfc", 1, lambda text: text and compose(text))
        make("unicode_lower", 1, lambda text: text and compose(text).lower())
        make("json_contains", 2, _json_contains)
