"""The API's routes, made from the types that are registered and their relationships."""

from django.core.exceptions import ImproperlyConfigured
from django.urls import include, re_path

from customers.api.base import UnknownRoute
from customers.db.bounds import without_long_relatives
from customers.resources.relation_kinds import make_relation

LIST_METHODS = {"get": "list", "post": "create"}
DETAIL_METHODS = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
LINKAGE_OF_ONE = {"get": "linkage", "patch": "replace_linkage"}
LINKAGE_METHODS = {
    "get": "linkage",
    "patch": "replace_linkage",
    "post": "add_linkage",
    "delete": "remove_linkage",
}


class Router:
    """Collects the types by `register` and gives their URL patterns by `urls`.

    For each type the list and the detail; for each relationship of it the related
    route, which is the list of the related type narrowed, and the relationship route.
    """

    def __init__(self):
        self.viewsets = {}

    def register(self, viewset):
        """Serve the type of `viewset`, a subclass of ResourceViewSet."""
        meta = viewset.serializer_class.Meta
        viewset.router = self
        if viewset.queryset is not None:
            viewset.queryset = without_long_relatives(viewset.queryset)
        viewset.relations = {
            name: make_relation(name, meta.model, self) for name in meta.relationships
        }
        viewset.includable = viewset.relations.keys() - viewset.not_includable
        self.viewsets[viewset.resource_name] = viewset

    def viewset_of(self, model):
        """The viewset that serves `model`. Raises ImproperlyConfigured when none is registered."""
        for viewset in self.viewsets.values():
            if viewset.serializer_class.Meta.model is model:
                return viewset
        raise ImproperlyConfigured(f"No type is registered for {model.__name__}.")

    @property
    def urls(self):
        """The patterns, a type's together behind its name, so that few are tried."""
        patterns = [
            re_path(rf"^(?={viewset.path or name}\b)", include([*self._patterns(viewset)]))
            for name, viewset in self.viewsets.items()
        ]
        return [*patterns, re_path("", UnknownRoute.as_view())]

    def _patterns(self, viewset):
        """The patterns of a type's routes."""
        if "only" in viewset.offers:
            yield _path(viewset.path, viewset, {"get": "only"})
            return
        route, detail = viewset.resource_name, f"{viewset.resource_name}/(?P<pk>[^/]+)"
        for path, methods in {route: LIST_METHODS, detail: DETAIL_METHODS}.items():
            offered = {verb: act for verb, act in methods.items() if act in viewset.offers}
            if offered:
                yield _path(path, viewset, offered)
        for name, link in viewset.relations.items():
            target = link.target or viewset  # of several types, each row tells its own
            follow = {"source": viewset, "relation": link}
            related = {"get": "list" if link.to_many else "related"}
            yield _path(f"{detail}/{name}", target, related, **follow)
            methods = LINKAGE_METHODS if link.to_many else LINKAGE_OF_ONE
            yield _path(f"{detail}/relationships/{name}", target, methods, **follow)


def _path(route, viewset, methods, **options):
    return re_path(f"^{route}/?$", viewset.as_view(dict(methods), **options))  # it adds HEAD
