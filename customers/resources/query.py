"""The query string, sorted into the families that JSON:API knows.

https://jsonapi.org/format/1.1/#query-parameters
"""

import re

from django.conf import settings

from customers.resources import errors

MEMBER = re.compile(r"(include|sort|fields|page|filter)((?:\[[^\[\]]*\])*)")
BRACKETED = re.compile(r"\[([^\[\]]*)\]")


class Query:
    """What a request's query string asks for, still as text.

    `pairs` are its names and values in order; `families` those the route offers.
    Raises errors.ParamNotAllowedError and the other query errors, naming the parameter.
    """

    def __init__(self, pairs, families):
        self.pairs = pairs
        self.include = ""
        self.sort = ""
        self.fields = {}
        self.page = {}
        self.filters = []
        seen = set()
        for name, value in pairs:
            match = MEMBER.fullmatch(name)
            if not match or match[1] not in families:
                raise errors.ParamNotAllowedError(f"{name[:100]} is not allowed.", parameter=name)
            if match[1] != "filter" and name in seen:
                raise errors.ParamNotAllowedError(
                    f"{name} is given more than once.", parameter=name
                )
            seen.add(name)
            getattr(self, f"_read_{match[1]}")(name, BRACKETED.findall(match[2]), value)
        if len(self.filters) > settings.MAX_FILTERS:
            raise errors.InvalidFilterSyntaxError(
                f"More than {settings.MAX_FILTERS} filters are given.", parameter="filter"
            )

    def _read_include(self, name, inner, value):
        self._refuse_brackets(name, inner)
        self.include = value

    def _read_sort(self, name, inner, value):
        self._refuse_brackets(name, inner)
        self.sort = value

    def _read_fields(self, name, inner, value):
        if len(inner) != 1:
            raise errors.InvalidFieldFormatError("It is written fields[type]=a,b.", parameter=name)
        self.fields[inner[0]] = value

    def _read_page(self, name, inner, value):
        if len(inner) != 1:
            raise errors.InvalidPageObjectError("It is written page[number]=1.", parameter=name)
        self.page[inner[0]] = value

    def _read_filter(self, name, inner, value):
        if len(inner) not in (1, 2) or (inner[0] == "q") != (len(inner) == 2):
            raise errors.InvalidFilterSyntaxError(
                "It is written filter[q][attribute_predicate]=value.", parameter=name
            )
        self.filters.append((name, inner, value))

    @staticmethod
    def _refuse_brackets(name, inner):
        if inner:
            raise errors.ParamNotAllowedError(f"{name} is not allowed.", parameter=name)
