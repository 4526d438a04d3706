"""The API's routes, made from the types that are registered and their relationships.

For each type the list, its search and the detail; for each relationship of it the related route,
which is the list of the related type narrowed, and the relationship route.
"""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, include, re_path

from customers.api.base import UnknownRoute
from customers.api.search import SearchView
from customers.api.views import (
    DetailView,
    ListView,
    RelatedView,
    RelationshipView,
    ResourceView,
    SingletonView,
)
from customers.resources.base import ResourceType
from customers.resources.registry import Registry

PK = "(?P<pk>[^/]+)"
LINKAGE_OF_ONE = {"get": "linkage", "patch": "replace_linkage"}
LINKAGE_METHODS = {**LINKAGE_OF_ONE, "post": "add_linkage", "delete": "remove_linkage"}


def routes_of(registry: Registry) -> list[URLPattern | URLResolver]:
    """The patterns, a type's together behind its name, so that few are tried."""
    patterns = [
        re_path(rf"^(?={resource.path or name}\b)", include([*_routes_of_type(resource)]))
        for name, resource in registry.types.items()
    ]
    return [*patterns, re_path("", UnknownRoute.as_view())]


def _routes_of_type(resource: type[ResourceType]) -> Iterator[URLPattern]:
    if resource.path:
        yield _route(resource.path, SingletonView, {"get"}, resource=resource)
        yield from _routes_of_relations(resource, resource.path)
        yield from _routes_of_relations(resource, f"{resource.path}/{PK}")
        return
    if "list" in resource.actions:
        yield _route(f"{resource.name}/search", SearchView, {"post"}, resource=resource)
    detail = f"{resource.name}/{PK}"
    for path, view in {resource.name: ListView, detail: DetailView}.items():
        methods = {
            method.lower() for method, act in view.actions.items() if act in resource.actions
        }
        if methods:
            yield _route(path, view, methods, resource=resource)
    yield from _routes_of_relations(resource, detail)


def _routes_of_relations(resource: type[ResourceType], detail: str) -> Iterator[URLPattern]:
    for name, relation in resource.relations.items():
        target = relation.target or resource
        follow = {"resource": target, "source": resource, "relation": relation}
        yield _route(f"{detail}/{name}", RelatedView, {"get"}, **follow)
        linkage = LINKAGE_METHODS if relation.to_many else LINKAGE_OF_ONE
        if resource.path:  # what each caller sees one of, nobody writes
            linkage = {"get": "linkage"}
        yield _route(f"{detail}/relationships/{name}", RelationshipView, {*linkage}, **follow)


def _route(path: str, view: type[ResourceView], methods: set[str], **options: Any) -> URLPattern:
    methods = methods | {"head"} if "get" in methods else methods
    names = [name for name in view.http_method_names if name in methods]
    return re_path(f"^{path}/?$", view.as_view(http_method_names=names, **options))
