"""Sets of customers, described by filters of the API's own language."""

from urllib.parse import urlencode

from customers.resources import operations

SAFE = "[],:@/"  # signs that a query string may show as they are


def rows_of(filters, principal):
    """The customers that fulfil all of `filters`, pairs of a name of filter[q] and a value.

    A name may come twice. Raises operations.WriteRefusedError, naming what is wrong.
    """
    rounds = []
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


def query_of(filters):
    """`filters` as the API's query string."""
    return urlencode([(f"filter[q][{name}]", value) for name, value in filters], safe=SAFE)
