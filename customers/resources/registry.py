"""Which types the API has: nothing is on the wire that is not registered."""

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model

from customers.db.bounds import without_long_relatives
from customers.resources.base import ResourceType
from customers.resources.relation_kinds import make_relation


class Registry:
    """The types by their names, in the order in which they were registered."""

    def __init__(self) -> None:
        self.types: dict[str, type[ResourceType]] = {}

    def register(self, resource: type[ResourceType]) -> None:
        """Serve `resource`, and find out what its relationships lead to."""
        meta = resource.serializer_class.Meta
        if not resource.path:
            resource.queryset = without_long_relatives(resource.queryset)
        resource.relations = {
            name: make_relation(name, meta.model, self) for name in meta.relationships
        }
        resource.includable = resource.relations.keys() - resource.not_includable
        self.types[resource.name] = resource

    def type_of(self, model: type[Model]) -> type[ResourceType]:
        """The type whose rows are of `model`. Raises ImproperlyConfigured when there is none."""
        for resource in self.types.values():
            if resource.serializer_class.Meta.model is model:
                return resource
        raise ImproperlyConfigured(f"No type is registered for {model.__name__}.")


registry = Registry()
