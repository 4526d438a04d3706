"""Comparisons that Django does not offer on both databases."""

import json
import re

from django.db.models import CharField, JSONField, Lookup, TextField


@CharField.register_lookup
@TextField.register_lookup
class ILike(Lookup):
    """`column__ilike=pattern`: SQL LIKE without regard to case; `\\\\` escapes % and _."""

    lookup_name = "ilike"

    def as_sql(self, compiler, connection):
        column, column_params = self.process_lhs(compiler, connection)
        pattern, pattern_params = self.process_rhs(compiler, connection)
        return f"{column} ILIKE {pattern}", [*column_params, *pattern_params]

    def as_sqlite(self, compiler, connection):
        column, column_params = self.process_lhs(compiler, connection)
        pattern, pattern_params = self.process_rhs(compiler, connection)
        condition = f"unicode_lower({column}) LIKE unicode_lower({pattern}) ESCAPE '\\'"
        return condition, [*column_params, *pattern_params]


@CharField.register_lookup
@TextField.register_lookup
class Holds(ILike):
    """`column__holds=text`: the text is a part of the column's, in upper or lower case."""

    lookup_name = "holds"

    def get_prep_lookup(self):
        return f"%{_literal(super().get_prep_lookup())}%"


@CharField.register_lookup
class Begins(ILike):
    """`column__begins=text`: the column's text begins with it, in upper or lower case."""

    lookup_name = "begins"

    def get_prep_lookup(self):
        return f"{_literal(super().get_prep_lookup())}%"


def _literal(text):
    """`text` as a pattern that means itself."""
    return re.sub(r"([\\%_])", r"\\\1", text)


@JSONField.register_lookup
class JSONContains(Lookup):
    """`column__jcont=object`: the JSON value contains the given one (PostgreSQL's `@>`)."""

    lookup_name = "jcont"

    def get_prep_lookup(self):
        return json.dumps(self.rhs)

    def get_db_prep_lookup(self, value, connection):
        return "%s", [value]

    def as_sql(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        return f"{column} @> %s::jsonb", [*params, self.rhs]

    def as_sqlite(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        return f"json_contains({column}, %s)", [*params, self.rhs]


def contains(outer, inner):
    """Whether the JSON value `outer` contains `inner`, by PostgreSQL's rules for `@>`.

    An object contains another whose members it contains; an array contains another
    whose elements it contains, in any order.
    """
    if isinstance(inner, dict):
        return isinstance(outer, dict) and all(
            key in outer and contains(outer[key], value) for key, value in inner.items()
        )
    if isinstance(inner, list):
        return isinstance(outer, list) and all(
            any(contains(mine, element) for mine in outer) for element in inner
        )
    return isinstance(outer, bool) == isinstance(inner, bool) and outer == inner


def register_sqlite_functions(connection, **_):
    """Teach a new SQLite connection what PostgreSQL knows: `@>`, and case beyond ASCII."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(
            "unicode_lower", 1, lambda text: text and text.lower(), deterministic=True
        )
        connection.connection.create_function(
            "json_contains",
            2,
            lambda outer, inner: (
                outer is not None and contains(json.loads(outer), json.loads(inner))
            ),
            deterministic=True,
        )
