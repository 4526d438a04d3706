"""What the name of a filter spells: attributes, through relationships, and a predicate."""

import re
from collections.abc import Iterator

from customers.resources.conditions import FilterTarget
from customers.resources.filter_types import IdFilter
from customers.resources.predicates import PREDICATES
from customers.resources.protocols import ServedType
from customers.resources.relations import ToOne

MOST_RELATIONS = 4
LONGEST_NAME = 500
LONGEST_FIRST = sorted(PREDICATES, key=len, reverse=True)  # not_eq ends in eq, too

Parsed = tuple[list[FilterTarget], str]


class UnknownFilterError(Exception):
    """A filter's name spells nothing that may be asked; the message says what is wrong."""


def parse_query_filter(resource: ServedType, name: str) -> Parsed:
    """The attributes and the predicate in `a_or_b_predicate`. Raises UnknownFilterError."""
    problem = f"{name[:100]} ends in no known predicate."
    if len(name) > LONGEST_NAME:
        raise UnknownFilterError(problem)
    for predicate in LONGEST_FIRST:
        stem = name.removesuffix(f"_{predicate}")
        if stem == name:
            continue
        if targets := find_alternatives(resource, stem):
            check_predicate(targets, predicate, stem)
            return targets, predicate
        problem = f"{stem[:100]} is not an attribute of {resource.name} to filter by."
    raise UnknownFilterError(problem)


def parse_plain_filter(resource: ServedType, name: str) -> Parsed:
    """As parse_query_filter, for filters without `q`: equal, or one of a list, or within dates."""
    for stem, predicate in spell_plain_filter(name):
        target = find_target(resource, stem, 1)
        if target and predicate in target.declared.predicates:
            whole = predicate == "in" and target.declared.may_hold_commas
            return [target], "eq" if whole else predicate
    raise UnknownFilterError(f"{name[:100]} is not a filter of {resource.name}.")


def spell_plain_filter(name: str) -> Iterator[tuple[str, str]]:
    """What a plain filter's name may mean: pairs of an attribute's name and a predicate."""
    yield "id" if name == "ids" else name, "in"
    for suffix, predicate in {"_from": "gteq", "_to": "lteq"}.items():
        if name.endswith(suffix):
            yield name.removesuffix(suffix), predicate


def check_predicate(targets: list[FilterTarget], predicate: str, stem: str) -> None:
    """Raise UnknownFilterError where `predicate` does not apply to all of `targets`."""
    if any(predicate not in target.declared.predicates for target in targets):
        raise UnknownFilterError(f"{predicate} does not apply to {stem[:100]}.")


def find_alternatives(resource: ServedType, stem: str) -> list[FilterTarget]:
    """The attributes of `a_or_b`, none when one is unknown."""
    if target := find_target(resource, stem, MOST_RELATIONS):
        return [target]
    for joint in re.finditer("_or_", stem):
        first = find_target(resource, stem[: joint.start()], MOST_RELATIONS)
        if first and (others := find_alternatives(resource, stem[joint.end() :])):
            return [first, *others]
    return []


def find_target(resource: ServedType, name: str, hops: int) -> FilterTarget | None:
    """The attribute `name` of the type, or of a related type, whose relationship it begins with.

    `hops` is how many relationships may lead to it.
    """
    filters = resource.filterset_class
    if declared := filters.base_filters.get(name):
        return FilterTarget((), declared, declared.field_name, resource.queryset.model)
    for relationship in sorted(filters.relationships, key=len, reverse=True):
        rest = name.removeprefix(f"{relationship}_")
        if rest != name and hops and (found := follow(resource, relationship, rest, hops)):
            return found
    return None


def follow(resource: ServedType, relationship: str, name: str, hops: int) -> FilterTarget | None:
    """The attribute `name` of what `relationship` leads to; of one row its id is at hand."""
    relation = resource.relations[relationship]
    if name == "id" and isinstance(relation, ToOne):
        return FilterTarget((), IdFilter(), relation.column, resource.queryset.model)
    if relation.target is None:
        return None
    found = find_target(relation.target, name, hops - 1)
    return found and found._replace(relations=(relation, *found.relations))
