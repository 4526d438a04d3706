"""The query string, sorted into the families that JSON:API knows.

https://jsonapi.org/format/1.1/#query-parameters
"""

import re
from collections.abc import Iterable

from django.conf import settings

from customers.resources import errors

MEMBER = re.compile(r"(include|sort|fields|page|filter)((?:\[[^\[\]]*\])*)")
BRACKETED = re.compile(r"\[([^\[\]]*)\]")


class Query:
    """What a request's query string asks for, still as text.

    `pairs` are its names and values in order; `families` those the route offers.
    Raises errors.ParamNotAllowedError and the other query errors, naming the parameter.
    """

    def __init__(self, pairs: list[tuple[str, str]], families: Iterable[str]) -> None:
        self.pairs = pairs
        self.include = ""
        self.sort = ""
        self.fields: dict[str, str] = {}
        self.page: dict[str, str] = {}
        self.filters: list[tuple[str, list[str], str]] = []
        self._seen: set[str] = set()
        for name, value in pairs:
            self._read(name, value, families)
        if len(self.filters) > settings.MAX_FILTERS:
            raise errors.InvalidFilterSyntaxError(
                f"More than {settings.MAX_FILTERS} filters are given.", parameter="filter"
            )

    def _read(self, name: str, value: str, families: Iterable[str]) -> None:
        match = MEMBER.fullmatch(name)
        if not match or match[1] not in families:
            raise errors.ParamNotAllowedError(f"{name[:100]} is not allowed.", parameter=name)
        if match[1] != "filter" and name in self._seen:
            raise errors.ParamNotAllowedError(f"{name} is given more than once.", parameter=name)
        self._seen.add(name)
        READERS[match[1]](self, name, BRACKETED.findall(match[2]), value)

    def read_include(self, name: str, inner: list[str], value: str) -> None:
        """Keep the paths to include."""
        _refuse_brackets(name, inner)
        self.include = value

    def read_sort(self, name: str, inner: list[str], value: str) -> None:
        """Keep the order that is asked for."""
        _refuse_brackets(name, inner)
        self.sort = value

    def read_fields(self, name: str, inner: list[str], value: str) -> None:
        """Keep the names that are to be shown of a type."""
        if len(inner) != 1:
            raise errors.InvalidFieldFormatError("It is written fields[type]=a,b.", parameter=name)
        self.fields[inner[0]] = value

    def read_page(self, name: str, inner: list[str], value: str) -> None:
        """Keep a member of the page that is asked for."""
        if len(inner) != 1:
            raise errors.InvalidPageObjectError("It is written page[number]=1.", parameter=name)
        self.page[inner[0]] = value

    def read_filter(self, name: str, inner: list[str], value: str) -> None:
        """Keep a filter: its parameter, its name in brackets, and its text."""
        if len(inner) not in (1, 2) or (inner[0] == "q") != (len(inner) == 2):
            raise errors.InvalidFilterSyntaxError(
                "It is written filter[q][attribute_predicate]=value.", parameter=name
            )
        self.filters.append((name, inner, value))


READERS = {
    "include": Query.read_include,
    "sort": Query.read_sort,
    "fields": Query.read_fields,
    "page": Query.read_page,
    "filter": Query.read_filter,
}


def _refuse_brackets(name: str, inner: list[str]) -> None:
    if inner:
        raise errors.ParamNotAllowedError(f"{name} is not allowed.", parameter=name)
