"""What the API's language asks of those that it works with, whichever door they come from."""

from typing import TYPE_CHECKING, Any, Protocol

from django.db.models import Model, QuerySet

from customers.services import principals, tokens

if TYPE_CHECKING:
    from customers.resources.filters import Filters
    from customers.resources.relations import Relation

Principal = tokens.Principal | principals.InternalPrincipal


class ServedType(Protocol):
    """A type of resource that the API serves: its declarations, and the way to its rows."""

    name: str
    queryset: QuerySet
    serializer_class: Any
    filterset_class: "type[Filters]"
    relations: "dict[str, Relation]"
    includable: set[str]

    def rows(self, principal: Principal) -> QuerySet:
        """The rows that `principal` may see."""

    def link_to(self, row: Model) -> str:
        """The address of `row`."""


class Registry(Protocol):
    """The types that are served, by name."""

    types: dict[str, ServedType]

    def type_of(self, model: type[Model]) -> ServedType:
        """The type whose rows are of `model`."""
