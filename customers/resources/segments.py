"""Sets of customers, described by filters of the API's own language."""

from collections.abc import Iterable
from urllib.parse import urlencode

from django.db.models import QuerySet

from customers.resources import operations
from customers.resources.protocols import Principal

SAFE = "[],:@/"  # signs that a query string may show as they are

Filter = tuple[str, str]  # a name of filter[q], and a value


def filtered_customers(filters: Iterable[Filter], principal: Principal) -> QuerySet:
    """The customers that fulfil all of `filters`, pairs of a name of filter[q] and a value.

    A name may come twice. Raises operations.WriteRefusedError, naming what is wrong.
    """
    rounds: list[dict[str, str]] = []
    for name, value in filters:
        fitting = next((one for one in rounds if name not in one), None)
        if fitting is None:
            rounds.append(fitting := {})
        fitting[name] = value
    first, *others = rounds or [{}]
    rows = operations.rows("customers", principal, first)
    for asked in others:
        rows = rows & operations.rows("customers", principal, asked)
    return rows


def query_of(filters: Iterable[Filter]) -> str:
    """`filters` as the API's query string."""
    return urlencode([(f"filter[q][{name}]", value) for name, value in filters], safe=SAFE)
