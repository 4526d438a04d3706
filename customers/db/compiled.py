"""SQL that is compiled once from a queryset and run many times with other values."""

import re
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache, lru_cache

import orjson
import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, OperationalError, connection, connections
from django.db.models import Field, JSONField, Lookup, Model
from django.db.models.base import ModelState
from django.db.models.query import ModelIterable

from customers.db import routing
from customers.db.bounds import ByteBudget, is_long
from customers.db.fields import JsonField
from customers.db.prepared import CHUNK, Session

FROM_DB = Model.from_db.__func__
READ_JSON = JsonField.from_db_value


class UncompilableError(Exception):
    """The queryset does more than fetch whole rows by values known when it runs."""


class Parameter(str):
    """Stands for a text, or a list of them, that is given when the statement runs."""


class DateTimeParameter(datetime):
    """Stands for a moment, as Parameter does for a text."""

    def __new__(cls, name):
        slot = super().__new__(cls, 1970, 1, 1, tzinfo=UTC)
        slot.name = name
        return slot


def slot(name, value):
    """The slot `name` for what `value` is one of: moments, or texts and lists of them."""
    return DateTimeParameter(name) if isinstance(value, datetime) else Parameter(name)


@Field.register_lookup
class AnyOf(Lookup):
    """`column__any_of=[…]`: as `in`, in SQL that does not depend on how many there are."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*params, self.rhs]

    def as_sqlite(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", [*params, self.rhs]


class Statement:
    """The queryset `rows`, compiled, with its Parameters open.

    Calling it with a value for each Parameter returns the list of model instances. Raises
    UncompilableError when made of a queryset that does more.
    """

    def __init__(self, rows):
        query = rows.query
        if (
            rows._iterable_class is not ModelIterable
            or rows._prefetch_related_lookups
            or query.annotations
            or query.combinator
            or rows._sticky_filter
        ):
            raise UncompilableError
        compiler = query.get_compiler(connection=connection)
        self.sql = None
        with suppress(EmptyResultSet):
            self.sql, self.params = compiler.as_sql()
            self._open()
            self.build = _builder(compiler, compiler.klass_info)
            self.long = [
                place
                for place, (column, _, _) in enumerate(compiler.select)
                if is_long(column.target)
            ]
            converters = compiler.get_converters([column for column, _, _ in compiler.select])
            self.converters = [
                (at, convert, column)
                for at, (functions, column) in converters.items()
                for convert in functions
            ]
            self.natively = [
                one for one in self.converters if getattr(one[1], "__func__", None) is not READ_JSON
            ]

    def _open(self):
        """Find the slots; what is a moment otherwise may have been the time of compiling."""
        self.slots, self.params = [], list(self.params)
        for place, value in enumerate(self.params):
            if isinstance(value, DateTimeParameter):
                self.slots.append((place, value.name))
            elif isinstance(value, Parameter):
                self.slots.append((place, str(value)))
            elif isinstance(value, datetime):
                raise UncompilableError

    def __call__(self, **values):
        return self.within(None, **values)

    def within(self, budget: ByteBudget | None, **values: object) -> list[Model]:
        """As calling it, as long as `budget` lasts. Raises TooManyBytesError."""
        if self.sql is None:
            return []
        params = self.params.copy()
        for place, name in self.slots:
            params[place] = values[name]
        build = self.build
        if budget is None:
            rows, natively = _answer(self.sql, params)
        else:
            rows, natively = _answer_within(budget, self.sql, params, self.long)
        if converters := self.natively if natively else self.converters:
            rows = (_converted(row, converters) for row in rows)
        return [build(row) for row in rows]


def _converted(row, converters):
    row = list(row)
    for place, convert, column in converters:
        row[place] = convert(row[place], column, connection)
    return row


def _builder(compiler, found):
    """A function that makes an instance, and those that it is selected with, of a row."""
    model, state = found["model"], ModelState
    places = found["select_fields"]
    names = [compiler.select[place][0].target.attname for place in places]
    first, last = places[0], places[-1] + 1
    if model.from_db.__func__ is not FROM_DB or places != list(range(first, last)):
        raise UncompilableError
    related = []
    for one in found.get("related_klass_infos", ()):
        key = compiler.select[one["select_fields"][0]][0].target
        if not key.primary_key:
            raise UncompilableError
        related.append(
            (
                one["select_fields"][0],
                _builder(compiler, one),
                one["local_setter"],
                one["remote_setter"],
            )
        )

    def build(values):
        row = model.__new__(model)
        row.__dict__ = attributes = dict(zip(names, values[first:last], strict=True))
        attributes["_state"] = mine = state()
        mine.adding, mine.db = False, "default"
        for key, make, set_there, set_back in related:
            other = make(values) if values[key] is not None else None
            set_there(row, other)
            if other is not None:
                set_back(other, row)
        return row

    return build


def insert(*rows):
    """Save `rows`, new instances, by SQL compiled once; on PostgreSQL in one round trip."""
    found = []
    for row in rows:
        columns = row._meta.concrete_fields
        found.append([_ready(field, field.pre_save(row, add=True)) for field in columns])
    models = tuple(map(type, rows))
    if connection.vendor == "postgresql":
        execute(_insertions_into(models), [value for values in found for value in values])
    else:
        for model, values in zip(models, found, strict=True):
            execute(_insertions_into((model,)), values)
    for row in rows:
        row._state.adding, row._state.db = False, "default"


def update(row, names):
    """Save the fields `names` of `row`, which is in the database, by SQL compiled once.

    Returns whether it was done: not where a value is an expression for the database. Raises
    DatabaseError when the row is gone.
    """
    meta = row._meta
    fields = [field for field in meta.concrete_fields if field.name in names]
    values = [field.pre_save(row, add=False) for field in fields]
    if any(hasattr(value, "resolve_expression") for value in values):
        return False
    params = [_ready(field, value) for field, value in zip(fields, values, strict=True)]
    sql = _change_of(type(row), tuple(field.column for field in fields))
    if not execute(sql, [*params, row.pk]):
        raise DatabaseError("The row to save is gone.")
    return True


@cache
def _change_of(model, columns):
    quote, key = connection.ops.quote_name, connection.ops.quote_name(model._meta.pk.column)
    places = ", ".join(f"{quote(column)} = %s" for column in columns)
    table = quote(model._meta.db_table)
    return f"UPDATE {table} SET {places} WHERE {key} = %s RETURNING {key}"


@lru_cache(maxsize=200)
def _insertions_into(models):
    """The SQL that inserts a row into the table of each of `models`."""
    *others, last = [_insertion_into(model) for model in models]
    if not others:
        return last
    parts = ", ".join(f"part{number} AS ({sql})" for number, sql in enumerate(others))
    return f"WITH {parts} {last}"


def _insertion_into(model):
    quote, columns = connection.ops.quote_name, model._meta.concrete_fields
    names = ", ".join(quote(field.column) for field in columns)
    places = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({places})"


PLAIN = {bool, int, str, type(None)}  # what columns other than JSON's take as it is


def _ready(field, value):
    """`value` as the database takes it for the column `field`."""
    if type(value) in PLAIN and not isinstance(field, JSONField):
        return value
    return field.get_db_prep_save(value, connection)


class CheckFailedError(Exception):
    """A question that was asked along with a statement found nothing."""


class TokenCheck:
    """Whether `sql`, a SELECT of one value with `params`, finds something.

    It is `open` until it has been asked.
    """

    def __init__(self, sql, params):
        self.sql, self.params = sql, params
        self.open = True

    def settle(self):
        """Ask, unless that has been done. Raises CheckFailedError."""
        if self.open:
            rows, _ = _run(self.sql, self.params)
            self.told(rows[0][0] if rows else None)

    def along(self, sql, params):
        """As _run, of a statement that asks it too, which costs less than to ask it alone."""
        rows, natively = _run(_with(self.sql, sql), [*self.params, *params])
        if rows:
            self.told(rows[0][0])
        return [row[1:] for row in rows], natively

    def told(self, value):
        """Take the answer, None when nothing was found. Raises CheckFailedError."""
        self.open = False
        if value is None:
            raise CheckFailedError


@lru_cache(maxsize=500)
def _with(question, sql):
    return SELECTS.sub(f"SELECT ({question}), ", sql, count=1)


SELECTS = re.compile(r"\s*SELECT (?!DISTINCT\b)")
_question = ContextVar("question", default=None)


def with_token_check(question, act):
    """What `act` returns, a function without arguments.

    Its first statement that finds rows asks the open `question`, too, and raises CheckFailedError.
    """
    token = _question.set(question)
    try:
        return act()
    finally:
        _question.reset(token)


def execute(sql, params):
    """The rows, tuples, that `sql` finds, if any; how PostgreSQL plans it, native.Session says."""
    return _answer(sql, params)[0]


def _answer(sql, params):
    """As execute, and whether what is JSON has been read already."""
    question = _question.get()
    if question is None or not question.open or not SELECTS.match(sql):
        return _run(sql, params)
    return question.along(sql, params)


def _answer_within(budget, sql, params, places):
    """As _answer, as long as `budget` lasts for the texts at `places` and JSON."""
    if question := _question.get():
        question.settle()
    return _run(sql, params, budget, places)


def _run(sql, params, *within):
    here = connections[routing.place()]
    if here.vendor != "postgresql":
        return _by_django(here, sql, [_as_json(value) for value in params], *within), False
    if here.queries_logged or here.execute_wrappers:
        return _by_django(here, sql, params, *within), False
    try:
        return _natively(here, sql, params, *within), True
    except OperationalError:
        lost = here.connection is not None and here.connection.closed
        if here.in_atomic_block or not lost or here.alias == routing.REPLICA:
            raise  # of a replica it is asked anew, in a new connection, whether it may be read
        here.close()  # it was lost between two requests; a new one is as good
        return _natively(here, sql, params, *within), True


def _natively(here, sql, params, *within):
    if here.needs_rollback:
        here.validate_no_broken_transaction()
    if here.connection is None:
        here.ensure_connection()
    session = here.__dict__.get("clientele_session")
    if session is None or session.connection is not here.connection:
        prepares = here.connection.prepare_threshold is not None
        session = here.clientele_session = Session(here.connection, prepares)
    try:
        run = session.run_within if within else session.run
        found = run(sql, params, *within)
    except psycopg.Error:
        with here.wrap_database_errors:
            raise
    here.health_check_done = True
    return found


def _by_django(here, sql, params, budget=None, places=()):
    with here.cursor() as cursor:
        cursor.execute(sql, params)
        if not cursor.description:
            return []
        if budget is None:
            return cursor.fetchall()
        found = []
        while rows := cursor.fetchmany(CHUNK):
            budget.spend(rows, places)
            found += rows
        return found


def _as_json(value):
    return orjson.dumps(value).decode() if isinstance(value, list) else value
