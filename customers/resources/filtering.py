"""Filters of a query as conditions on a queryset."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from customers.resources import errors
from customers.resources.conditions import FilterTarget
from customers.resources.filter_names import (
    Parsed,
    UnknownFilterError,
    parse_plain_filter,
    parse_query_filter,
)
from customers.resources.predicates import PREDICATES
from customers.resources.protocols import Principal, ServedType
from customers.services import permissions

AskedFilter = tuple[str, list[str] | tuple[str, ...], str]


def filter_rows(
    rows: QuerySet, resource: ServedType, principal: Principal, asked: Iterable[AskedFilter]
) -> QuerySet:
    """`rows` of `resource`'s type that fulfil every filter in `asked`.

    `asked` is a list of query parameter, name and text; the name is the part in
    brackets, with `q` before it or not: [("filter[q][email_eq]", ("q", "email_eq"), "a@b.c")].
    Raises errors.FilterNotAllowedError and errors.InvalidFilterValueError, naming the parameter.
    """
    comparisons = 0
    for parameter, names, text in asked:
        targets, predicate = _parse(resource, parameter, names)
        _check_readable(targets, principal, parameter)
        comparisons += count_comparisons(targets, predicate, text)
        if comparisons > settings.MAX_FILTER_VALUES:
            raise errors.InvalidFilterValueError(
                f"More than {settings.MAX_FILTER_VALUES} comparisons are asked for.",
                parameter=parameter,
            )
        rows = rows.filter(_build_alternatives(parameter, targets, predicate, text, principal))
    return rows


def count_comparisons(targets: list[FilterTarget], predicate: str, text: str) -> int:
    """What a filter costs of each row: each value counts, and a long text for several."""
    values = text.count(",") + 1 if predicate.endswith(("_any", "_all")) else 1
    reads_value = PREDICATES[predicate].reads_value
    return values * sum(target.declared.weight if reads_value else 1 for target in targets)


def build_q(target: FilterTarget, predicate: str, text: str, principal: Principal) -> Q:
    """The condition on a row that its attribute `target` fulfils `predicate` of `text`.

    Of related rows those count that `principal` may see. Raises ValidationError.
    """
    q, or_missing = PREDICATES[predicate].condition(target, text)
    if or_missing:
        q |= target.is_null()
    for relation in reversed(target.relations):
        q = relation.filter_q(principal, q)
        if or_missing:
            q |= ~relation.filter_q(principal, Q())
    return q


def _parse(resource: ServedType, parameter: str, names: list[str] | tuple[str, ...]) -> Parsed:
    try:
        if len(names) > 1:
            return parse_query_filter(resource, names[1])
        return parse_plain_filter(resource, names[0])
    except UnknownFilterError as error:
        raise errors.FilterNotAllowedError(str(error), parameter=parameter) from error


def _check_readable(targets: list[FilterTarget], principal: Principal, parameter: str) -> None:
    """Raise UnauthorizedError where one of `targets` is of a type closed to an integration's role.

    Of a sales channel it is left to the rows that it may see.
    """
    types = {one.target.name for target in targets for one in target.relations if one.target}
    if principal.sees_all and not all(permissions.allow(principal, name, "list") for name in types):
        raise errors.UnauthorizedError(parameter=parameter)


def _build_alternatives(
    parameter: str, targets: list[FilterTarget], predicate: str, text: str, principal: Principal
) -> Q:
    """The condition that one of `targets` fulfils `predicate`, blaming `parameter` if it cannot."""
    try:
        return reduce(or_, (build_q(target, predicate, text, principal) for target in targets))
    except ValidationError as error:
        raise errors.InvalidFilterValueError(
            f"'{text[:100]}' cannot be compared: {' '.join(error.messages)}", parameter=parameter
        ) from error
