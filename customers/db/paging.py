"""Counting a list and opening it anywhere, at a cost that does not grow with the list.

Why not Django's Paginator: it counts by reading every row and skips to a page by reading all before
it, on 100,000 customers 8 ms for the first page and 18 for page 2000; here both take one. Taken out
(`rows.count()` and a slice), every list answers as before, but that a count is never an estimate:
`python -m deploy.checks benchmark`, W2 and W5 "by hand".
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from threading import Lock
from typing import NamedTuple

import orjson
from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Model, QuerySet
from django.db.models.expressions import Col, OrderBy
from django.db.models.lookups import Exact

from customers.db.compiled import Statement, UncompilableError, parameter_for
from customers.db.execute import execute
from customers.db.indexes import ROW_COUNTS, RowCountTriggers
from customers.db.keysets import keyset_after

NEAR = 500  # rows that are skipped faster than they are avoided
FEW = 200  # rows whose ids are kept between counting them and reading a page of them
FIXED = {
    "id",
    "created_at",
}  # what a row never changes: its place moves only when others come or go
MOST_STATEMENTS = 50  # kept of one list
MOST_LISTS, MOST_PLACES = 64, 10_000  # remembered in one process


class Count(NamedTuple):
    """How many rows a list has.

    `version` is another whenever any row came, went or moved; `ids` are those of all, if few.
    """

    number: int
    exact: bool = True
    version: tuple | None = None
    ids: list[str] | None = None


def count_rows(rows: QuerySet) -> Count:
    """As PagedQuery.count, of a queryset."""
    return PagedQuery(rows).count()


def load_page(rows: QuerySet, start: int, size: int, counted: Count) -> list[Model]:
    """As PagedQuery.page, of a queryset."""
    return PagedQuery(rows).page(start, size, counted)


class PagedQuery:
    """An ordered queryset, of which numbers and pages are asked again and again.

    What is compiled for one question is kept for the next.
    """

    def __init__(self, rows: QuerySet):
        self.rows = rows
        self.tallied = _tallied(rows) if connection.vendor == "postgresql" else None
        self.order = order_of(rows)
        self.lasting = bool(self.tallied) and all(name in FIXED for name in self.order)
        self._statements: dict[object, Statement[Model] | None] = {}

    def count(self) -> Count:
        """How many rows there are, a Count.

        It is exact, except where more than settings.MAX_COUNTED rows would have to be read:
        there PostgreSQL's own estimate is taken, which is always more than that.
        """
        rows = self.rows.order_by()
        if connection.vendor != "postgresql":
            return Count(rows.count())
        if self.tallied and (known := _tally(rows.model._meta.db_table, *self.tallied)):
            return known
        ids = self._few()
        if len(ids) <= FEW:
            return Count(len(ids), ids=ids)
        most = settings.MAX_COUNTED
        number = rows[: most + 1].count()
        if number <= most:
            return Count(number)
        return Count(max(_estimate(rows), most + 1), exact=False)

    def page(self, start: int, size: int, counted: Count) -> list[Model]:
        """The rows from the place `start` (from 0), at most `size`; `counted` is the Count.

        Far places are reached from a row that is remembered, from the nearer end, or
        through the index alone.
        """
        if start >= counted.number and counted.exact:
            return []
        end = start + size
        if counted.ids is not None:
            return self._some(
                ("any", start, end), lambda ids: self._of(ids)[start:end], ids=counted.ids
            )
        if start < NEAR:
            return self._some((start, end), lambda: self.rows[start:end])
        if counted.version and self.lasting:
            places = _places(self._name, counted.version)
            return self._from_remembered(start, size, counted, places)
        return self._deep(start, size, counted)

    def _few(self) -> list[str]:
        """The ids of the rows, one more than FEW at most, by SQL that is compiled once."""
        return [pk for (pk,) in execute(*self._few_sql)] if self._few_sql else []

    @cached_property
    def _few_sql(self) -> tuple[str, tuple] | None:
        ids = self.rows.order_by().values_list("pk", flat=True)[: FEW + 1]
        try:
            return ids.query.sql_with_params()
        except EmptyResultSet:
            return None

    def _some(self, key: object, build: Callable[..., QuerySet], **values: object) -> list[Model]:
        """The rows of the queryset that `build` makes of `values`, compiled once by `key`."""
        if key not in self._statements:
            try:
                made = Statement(
                    build(**{name: parameter_for(name, values[name]) for name in values})
                )
            except UncompilableError:
                made = None
            if len(self._statements) >= MOST_STATEMENTS:
                self._statements.clear()
            self._statements[key] = made
        statement = self._statements[key]
        return list(build(**values)) if statement is None else statement(**values)

    def _of(self, ids: list[str]) -> QuerySet:
        return self.rows.filter(pk__any_of=ids)

    def _deep(self, start: int, size: int, counted: Count) -> list[Model]:
        """As page, by walking the index to the ids and reading only their rows."""
        end = counted.number - start
        if counted.exact and start > end:
            turned = self.rows.reverse().values_list("pk", flat=True)
            ids = list(turned[max(end - size, 0) : end])
        else:
            ids = list(self.rows.values_list("pk", flat=True)[start : start + size])
        return self._some("any", self._of, ids=ids)

    def _from_remembered(
        self, start: int, size: int, counted: Count, places: "_Places"
    ) -> list[Model]:
        if known := places.starts.get(start):
            found = self._page_after(*known, size)
        else:
            found = self._deep(start, size, counted)
        if found:
            first, last = (
                {name: getattr(row, name) for name in self.order} for row in (found[0], found[-1])
            )
            with _lock:
                places.starts[start] = first, True
                places.starts.setdefault(start + len(found), (last, False))
                while len(places.starts) > MOST_PLACES:
                    places.starts.popitem(last=False)
        return found

    def _page_after(self, values: dict, inclusive: bool, size: int) -> list[Model]:
        return self._some(
            ("after", inclusive, size),
            lambda **values: keyset_after(self.rows, self.order, values, inclusive=inclusive)[
                :size
            ],
            **values,
        )

    @cached_property
    def _name(self) -> str:
        return str(self.rows.query)


def order_of(rows: QuerySet) -> dict[str, bool]:
    """The columns that order `rows`, each once, and whether it does so descending."""
    order: dict[str, bool] = {}
    for term in rows.query.order_by or rows.model._meta.ordering:
        expression, down = term, False
        if isinstance(term, OrderBy):
            expression, down = term.expression, term.descending
        if isinstance(expression, F):
            expression = expression.name  # type: ignore[attr-defined]  # the stubs leave it out
        text = str(expression)
        name, down = text.removeprefix("-"), down or text.startswith("-")
        order.setdefault(rows.model._meta.pk.name if name == "pk" else name, down)
    return order


def _tallied(rows: QuerySet) -> list[str | None] | None:
    """The mode and the second value that alone narrow `rows`, None for each that is not asked.

    None when anything else narrows them or nothing keeps their number.
    """
    query = rows.query
    index = next(
        (one for one in rows.model._meta.indexes if isinstance(one, RowCountTriggers)), None
    )
    if index is None or query.is_sliced or query.distinct or query.combinator or query.group_by:
        return None
    where, found = query.where, dict.fromkeys(index.fields)
    if where.negated or (where.connector != "AND" and len(where.children) > 1):
        return None
    conditions: Sequence[object] = where.children
    for condition in conditions:
        if not (
            type(condition) is Exact
            and isinstance(condition.lhs, Col)
            and condition.lhs.alias == query.base_table
            and found.get(condition.lhs.target.name, "") is None
            and isinstance(condition.rhs, str)
        ):
            return None
        found[condition.lhs.target.name] = condition.rhs
    return [*found.values(), None][:2]


def _tally(table: str, mode: str | None, value: str | None) -> Count | None:
    sql = f"""
        SELECT sum(change) FILTER (WHERE (%s::text IS NULL OR mode = %s::text)
                                   AND (%s::text IS NULL OR value = %s::text)),
               sum(hashint8extended(id, 0)), count(*)
        FROM {ROW_COUNTS} WHERE resource_type = %s
    """  # noqa: S608 a constant
    ((number, *version),) = execute(sql, [mode, mode, value, value, table])
    return Count(int(number or 0), version=tuple(version)) if version[1] else None


def _estimate(rows: QuerySet) -> int:
    try:
        plan = orjson.loads(rows.order_by().explain(format="json"))
    except EmptyResultSet:
        return 0
    return int(plan[0]["Plan"]["Plan Rows"])


class _Places:
    """Where places of a list begin, as long as its version stays."""

    def __init__(self, version: tuple):
        self.version = version
        # place: the values of a row, and whether it is the first
        self.starts: OrderedDict[int, tuple[dict, bool]] = OrderedDict()


_lists: OrderedDict[str, _Places] = OrderedDict()  # by SQL
_lock = Lock()


def _places(name: str, version: tuple) -> _Places:
    with _lock:
        places = _lists.get(name)
        if places is None or places.version != version:
            places = _lists[name] = _Places(version)
        _lists.move_to_end(name)
        if len(_lists) > MOST_LISTS:
            _lists.popitem(last=False)
    return places
