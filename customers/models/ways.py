"""The ways from rows to a customer, as they are declared of their keys."""

from functools import cache, reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.db.models import Field, Model, Q, QuerySet

from customers.db.declarations import Erase, declaration_of, declared
from customers.models.base import Resource
from customers.models.customers import Customer


@cache
def all_models() -> list[type[Any]]:
    """Every model of this application."""
    return list(apps.get_app_config("customers").get_models())


@cache
def models_by_type() -> dict[str, type[Resource]]:
    """The models of resources by their types."""
    return {model._meta.db_table: model for model in all_models() if issubclass(model, Resource)}


def is_way(field: Field) -> bool:
    """Whether `field`, a key or a column with an id, ties its rows to a customer's."""
    said = declaration_of(field)
    if said is None:
        return False
    if not field.is_relation:
        return bool(said.way)
    stays = field.related_model is Customer and said.erase is Erase.KEEP
    return bool(said.way) or stays or said.erase is Erase.DELETE


def goes_with_customer(model: type[Model]) -> bool:
    """Whether the rows of `model` that are a customer's go when the customer is forgotten."""
    return any(
        field.many_to_one and said.erase is Erase.DELETE for field, said in declared(model).values()
    )


@cache
def customer_paths() -> dict[type[Any], list[str]]:
    """How to ask for the rows of a customer, by model: the paths of keys that lead to one.

    Those that hang on others' rows come before these.
    """
    found = {model: _paths(model, {model}) for model in all_models() if model is not Customer}
    found = {model: paths for model, paths in found.items() if paths}
    depth = {model: max(path.count("__") for path in paths) for model, paths in found.items()}
    return {model: found[model] for model in sorted(found, key=lambda one: -depth[one])}


def owned_rows(model: type[Model], customer: Customer) -> QuerySet:
    """The rows of `model` that are `customer`'s, by whatever key."""
    paths = (Q(**{path: customer}) for path in customer_paths()[model])
    return model._default_manager.filter(reduce(or_, paths))


@cache
def id_columns() -> dict[type[Any], list[str]]:
    """The columns, by model, that hold the id of the row which theirs is about."""
    found = {
        model: [
            name
            for name, (field, _) in declared(model).items()
            if not field.is_relation and is_way(field)
        ]
        for model in all_models()
    }
    return {model: names for model, names in found.items() if names}


def _paths(model, seen):
    found = []
    for field in model._meta.concrete_fields:
        target = field.related_model
        if not (field.is_relation and is_way(field)):
            continue
        if target is Customer:
            found.append(field.name)
        elif target not in seen:
            found += [f"{field.name}__{path}" for path in _paths(target, {*seen, target})]
    return found
