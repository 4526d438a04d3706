"""Pages of a list: by `page[number]` or `page[after]` and `page[size]`, and the links between."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from customers.api import places
from customers.db.keysets import keyset_after
from customers.db.paging import PagedQuery, order_of
from customers.resources import errors

LARGEST_NUMBER = 2**31
MARK = "_"  # of a place that is more than an id

Members = Mapping[str, str]  # of the query: {"number": …, "size": …} in text
Pairs = list[tuple[str, str]]  # the whole query, which links repeat
Found = tuple[list[Model], dict[str, Any]]  # rows, and the document's `meta` and `links`


class Page:
    """One page of a list, by its number (from 1) and its size in rows."""

    def __init__(self, number: int, size: int) -> None:
        self.number = number
        self.size = size

    @classmethod
    def parse(cls, members: Members) -> "Page | Cursor":
        """The page that `members`, the query's {"number": …, "size": …} in text, ask for.

        A Cursor when they have "after" instead of a number. Raises errors.InvalidPageValueError
        and errors.ParamNotAllowedError.
        """
        if "after" in members:
            return Cursor.parse(members)
        _refuse_others(members, {"number", "size"})
        return cls(_positive(members, "number", 1), _size(members))

    def read(self, rows: PagedQuery | QuerySet, url: str, query: Pairs) -> Found:
        """The page of `rows`, and the document's `meta` and `links`.

        `url` is the list's; `query` holds the request's own members, pairs of name and
        value, which the links repeat.
        """
        listing = rows if isinstance(rows, PagedQuery) else PagedQuery(rows)
        counted = listing.count()
        found = listing.page((self.number - 1) * self.size, self.size, counted)
        pages = -(-counted.number // self.size)
        others = [(name, value) for name, value in query if name != "page[number]"]
        path = f"{url}?{_encoded([*others, ('page[number]', '')])}"  # ends before the number
        links = {"first": f"{path}1"}
        if self.number > 1:
            links["prev"] = f"{path}{min(self.number - 1, max(pages, 1))}"
        if self.number < pages:
            links["next"] = f"{path}{self.number + 1}"
        links["last"] = f"{path}{max(pages, 1)}"
        meta = {"record_count": counted.number, "page_count": pages}
        if not counted.exact:
            meta["record_count_estimated"] = True
        return found, {"meta": meta, "links": links}


class Cursor:
    """The `size` rows that come after the place `after`, "" for the beginning.

    It costs the same anywhere in a list, and nothing is counted. A place holds the values that
    order its row, as they were when the page was read: whatever becomes of that row, the list
    goes on behind them.
    """

    def __init__(self, after: str, size: int) -> None:
        self.after = after
        self.size = size

    @classmethod
    def parse(cls, members: Members) -> "Cursor":
        """As Page.parse, of {"after": …, "size": …}."""
        _refuse_others(members, {"after", "size"})
        return cls(members.get("after", ""), _size(members))

    def read(self, rows: PagedQuery | QuerySet, url: str, query: Pairs) -> Found:
        """As Page.read; `links` has `next` alone, as long as there are more."""
        rows = rows.rows if isinstance(rows, PagedQuery) else rows
        found = list(self._beyond(rows)[: self.size + 1])
        links = {}
        if len(found) > self.size:
            found.pop()
            others = [(name, value) for name, value in query if name != "page[after]"]
            place = _place_of(found[-1], order_of(rows))
            links["next"] = f"{url}?{_encoded([*others, ('page[after]', place)])}"
        return found, {"meta": {}, "links": links}

    def _beyond(self, rows: QuerySet) -> QuerySet:
        if not self.after:
            return rows
        try:
            order = order_of(rows)
            return keyset_after(rows, order, _values_at(self.after, rows.model, order))
        except (TypeError, ValueError, ValidationError) as error:
            raise errors.InvalidPageValueError(
                f"{self.after[:40]} is not a place in this list.", parameter="page[after]"
            ) from error


def _place_of(row: Model, order: dict[str, bool]) -> str:
    """The place of `row` in an `order`: its id where that alone orders, else all its values."""
    if list(order) == ["id"]:
        return row.pk
    values = [getattr(row, name) for name in order]
    return MARK + places.hide(orjson.dumps(dict(zip(_terms(order), values, strict=True))))


def _values_at(place: str, model: type[Model], order: dict[str, bool]) -> dict[str, Any]:
    """The values by column that `place`, of _place_of, holds.

    Raises TypeError, ValueError and ValidationError where it is none in this `order`.
    """
    if list(order) == ["id"]:
        return {"id": _value_of(model, "id", place)}
    found = orjson.loads(places.reveal(place.removeprefix(MARK)))
    if not (place.startswith(MARK) and list(found) == _terms(order)):
        raise ValueError(place)
    pairs = zip(order, found.values(), strict=True)
    return {name: _value_of(model, name, value) for name, value in pairs}


def _terms(order: dict[str, bool]) -> list[str]:
    return [f"{'-' if down else ''}{name}" for name, down in order.items()]


def _value_of(model: type[Model], name: str, value: object) -> Any:
    """The `value` of JSON as one of the column `name`. Raises ValueError and ValidationError."""
    (field,) = (one for one in model._meta.concrete_fields if one.name == name)
    found = field.to_python(value)
    if found is None and not field.null:
        raise ValueError(value)
    if isinstance(found, str) and (found != value or "\0" in found):
        raise ValueError(value)
    if field.primary_key and not (found.isascii() and found.isalnum()):
        raise ValueError(value)
    return found


def _encoded(query: list[tuple[str, str]]) -> str:
    """`query` in a URL. A comma stays as it is (RFC 3986 section 3.4): lists may be long."""
    return urlencode(query, safe=",")


def _refuse_others(members: Members, known: set[str]) -> None:
    for name in members.keys() - known:
        raise errors.ParamNotAllowedError(
            f"page[{name}] is not allowed.", parameter=f"page[{name}]"
        )


def _size(members: Members) -> int:
    size = _positive(members, "size", settings.PAGE_SIZE)
    if size > settings.MAX_PAGE_SIZE:
        raise errors.InvalidPageValueError(
            f"size exceeds maximum page size of {settings.MAX_PAGE_SIZE}.",
            parameter="page[size]",
        )
    return size


def _positive(members: Members, name: str, default: int) -> int:
    text = members.get(name)
    if text is None:
        return default
    if not (
        text.isascii() and text.isdigit() and len(text) < 11 and 0 < int(text) < LARGEST_NUMBER
    ):
        raise errors.InvalidPageValueError(
            f"{text[:40]} is not a page {name}: it must be a whole number from 1.",
            parameter=f"page[{name}]",
        )
    return int(text)
