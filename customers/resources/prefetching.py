"""Rows for one document: queried in bulk, by SQL compiled once, within a budget."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Model, QuerySet

from customers.db.bounds import ByteBudget
from customers.db.compiled import Parameter, Statement, UncompilableError
from customers.resources.protocols import Principal, ServedType


@dataclass(frozen=True)
class PrefetchBudget:
    """What may still be loaded for one document: `rows`, and bytes as `byte_budget` has.

    `deferred` is a function of a viewset: the names of long columns that the document leaves out.
    """

    byte_budget: ByteBudget
    rows: int
    deferred: Callable[[ServedType], tuple[str, ...]]


def fetch_rows(
    principal: Principal,
    key: object,
    build: Callable[..., QuerySet],
    budget: PrefetchBudget | None = None,
    **values: str | list[str],
) -> list[Model]:
    """The rows of the queryset that `build` makes of `values`, compiled once for `principal`.

    `key` tells it from others. `build` may only depend on what it is given, and `values`
    are texts or lists of them. Raises TooManyBytesError when `budget` allows no more.
    """
    if key not in principal.compiled:
        principal.compiled[key] = _compile(build, values)
    statement = principal.compiled[key]
    if statement is None:
        return list(build(**values))
    return statement.within(budget and budget.byte_budget, **values)


def _compile(build: Callable[..., QuerySet], names: dict[str, str | list[str]]) -> Statement | None:
    """`build`'s queryset as a Statement with a Parameter for each of `names`; None if it cannot."""
    try:
        return Statement(build(**{name: Parameter(name) for name in names}))
    except UncompilableError:
        return None
