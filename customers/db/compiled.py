"""SQL that is compiled once from a queryset, and run many times with other values.

Why not the queryset itself: Django compiles it, resolves its lookups and makes a cursor each time
it is run, 480 µs of CPU for a row by its id; compiled before, it costs 32. Taken out (the queryset
run in place of its Statement) everything answers as before, and retrieving a customer, which runs
two, takes three times as long: `python -m deploy.checks benchmark`, W1.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from customers.db.bounds import ByteBudget, is_long
from customers.db.execute import execute, execute_within

M = TypeVar("M", bound=Model)


class UncompilableError(Exception):
    """The queryset does more than fetch whole rows by values known when it runs."""


class Parameter(str):
    """Stands for a text, or a list of them, that is given when the statement runs."""


class DateTimeParameter(datetime):
    """Stands for a moment, as Parameter does for a text."""

    name: str

    def __new__(cls, name: str) -> "DateTimeParameter":
        parameter = super().__new__(cls, 1970, 1, 1, tzinfo=UTC)
        parameter.name = name
        return parameter


def parameter_for(name: str, value: object) -> Parameter | DateTimeParameter:
    """The parameter `name` for what `value` is one of: moments, or texts and lists of them."""
    return DateTimeParameter(name) if isinstance(value, datetime) else Parameter(name)


class Statement(Generic[M]):
    """The queryset `rows`, compiled, with its Parameters open.

    Calling it with a value for each Parameter returns the list of model instances. The caller
    answers for a plain queryset: filtered, ordered, sliced, with select_related and defer, without
    values() and prefetches. Raises UncompilableError for annotations, unions, and moments that are
    no Parameters: they may have been the time of compiling.
    """

    def __init__(self, rows: QuerySet[M]):
        query = rows.query
        if query.annotations or query.combinator or query.values_select:
            raise UncompilableError
        compiler = query.get_compiler(connection=connection)
        try:
            self.sql, params = compiler.as_sql()
        except EmptyResultSet:
            self.sql = None
            return
        self.params = list(params)
        self.open = list(_open_parameters(self.params))
        columns = [column for column, _, _ in compiler.select]
        self.build = _builder(rows.model, compiler, compiler.klass_info)
        self.long_columns = [
            place for place, column in enumerate(columns) if is_long(column.target)
        ]
        self.converters = [
            (place, convert, column)
            for place, (functions, column) in compiler.get_converters(columns).items()
            for convert in functions
        ]

    def __call__(self, **values: object) -> list[M]:
        return self.within(None, **values)

    def within(self, budget: ByteBudget | None, **values: object) -> list[M]:
        """As calling it, as long as `budget` lasts. Raises TooManyBytesError."""
        if self.sql is None:
            return []
        params = self.params.copy()
        for place, name in self.open:
            params[place] = values[name]
        if budget is None:
            found = execute(self.sql, params)
        else:
            found = execute_within(budget, self.sql, params, self.long_columns)
        build, converters = self.build, self.converters
        if converters:
            return [build(_converted(row, converters)) for row in found]
        return [build(row) for row in found]


def _open_parameters(params: list) -> Iterator[tuple[int, str]]:
    """The places and names of what is open among `params`."""
    for place, value in enumerate(params):
        if isinstance(value, DateTimeParameter):
            yield place, value.name
        elif isinstance(value, Parameter):
            yield place, str(value)
        elif isinstance(value, datetime):
            raise UncompilableError


def _converted(row: tuple, converters: list[tuple]) -> list:
    values = list(row)
    for place, convert, column in converters:
        values[place] = convert(values[place], column, connection)
    return values


def _builder(model: type[M], compiler: SQLCompiler, info: dict) -> Callable[[Any], M]:
    """A function that makes an instance, and those that it is selected with, of a row."""
    places, related_infos = info["select_fields"], info.get("related_klass_infos", [])
    first, last = places[0], places[-1] + 1
    if places != list(range(first, last)) or any(one["reverse"] for one in related_infos):
        raise UncompilableError
    names = [compiler.select[place][0].target.attname for place in places]
    make = model.from_db
    related = [
        (_key_place(compiler, one), _builder(one["model"], compiler, one), one["field"].name)
        for one in related_infos
    ]

    def build(values: Any) -> M:
        row = make("default", names, values[first:last])
        for place, make_other, name in related:
            setattr(row, name, make_other(values) if values[place] is not None else None)
        return row

    return build


def _key_place(compiler: SQLCompiler, info: dict) -> int:
    """Where the primary key of what is selected along stands: None there means no row."""
    place = info["select_fields"][0]
    if not compiler.select[place][0].target.primary_key:
        raise UncompilableError
    return place
