"""Filters of a query as conditions on a queryset."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from operator import or_

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from customers.db.compositions import widen_to_any
from customers.resources import errors
from customers.resources.conditions import FilterTarget
from customers.resources.filter_names import (
    Parsed,
    UnknownFilterError,
    parse_plain_filter,
    parse_query_filter,
)
from customers.resources.filter_texts import ListText, split_list
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
    comparisons = listed = 0
    for parameter, names, text in asked:
        targets, predicate = _parse(resource, parameter, names)
        _check_readable(targets, principal, parameter)
        with _blaming(parameter, text):
            values = _values_in(text, predicate)
            comparisons += count_comparisons(targets, predicate, values)
            listed += len(values)
            _check_most(comparisons, "MAX_FILTER_VALUES", "comparisons are asked for", parameter)
            _check_most(listed, "MAX_LISTED_VALUES", "values are listed", parameter)
            found = (build_q(target, predicate, values, principal) for target in targets)
            rows = rows.filter(reduce(or_, found))
    return rows


def _values_in(text: str, predicate: str) -> list[str]:
    """The values that `predicate` reads in `text`. Raises ValidationError."""
    if PREDICATES[predicate].takes_list:
        return split_list(text)
    if isinstance(text, ListText):
        raise ValidationError("it is a list, where one value is asked for.")
    return [text]


def count_comparisons(targets: list[FilterTarget], predicate: str, values: list[str]) -> int:
    """What a filter costs of each row: each value counts, and a long text for several.

    But what is equal to one of many is found at once. A value that an index knows in several
    spellings counts for each.
    """
    if not PREDICATES[predicate].reads_value:
        several = predicate.endswith(("_any", "_all"))
        return (len(values) if several else 1) * len(targets)
    return sum(
        target.declared.weight * (len(widen_to_any(value)) if target.finds_parts else 1)
        for target in targets
        for value in values
    )


def build_q(target: FilterTarget, predicate: str, values: list[str], principal: Principal) -> Q:
    """The condition on a row that its attribute `target` fulfils `predicate` of `values`, texts.

    Of related rows those count that `principal` may see. Raises ValidationError.
    """
    q, or_missing = PREDICATES[predicate].condition(target, values)
    if or_missing:
        q |= target.is_null()
    for relation in reversed(target.relations):
        q = relation.filter_q(principal, q)
        if or_missing:
            q |= ~relation.filter_q(principal, Q())
    return q


def _check_most(number: int, setting: str, what: str, parameter: str) -> None:
    most = getattr(settings, setting)
    if number > most:
        raise errors.InvalidFilterValueError(f"More than {most} {what}.", parameter=parameter)


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


@contextmanager
def _blaming(parameter: str, text: str) -> Iterator[None]:
    """Say of `parameter` that its `text` cannot be compared."""
    try:
        yield
    except ValidationError as error:
        raise errors.InvalidFilterValueError(
            f"'{text[:100]}' cannot be compared: {' '.join(error.messages)}", parameter=parameter
        ) from error
