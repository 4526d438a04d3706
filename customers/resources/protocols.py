"""What the API's language asks of those that it works with, whichever door they come from."""

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any, Protocol

from django.db.models import Model, QuerySet

from customers.services import principals, tokens

if TYPE_CHECKING:
    from customers.resources.relations import Relation

Principal = tokens.Principal | principals.InternalPrincipal


class ServedType(Protocol):
    """A type of resource that the API serves: its declarations, and the way to its rows."""

    @property
    def name(self) -> str:
        """What it is called on the wire."""

    @property
    def queryset(self) -> Any:
        """All of its rows."""

    @property
    def serializer_class(self) -> Any:
        """What reads and writes its attributes."""

    @property
    def filterset_class(self) -> Any:
        """What may be filtered and sorted."""

    @property
    def relations(self) -> "Mapping[str, Relation]":
        """Its relationships by name."""

    @property
    def includable(self) -> Set[str]:
        """The names of the relationships that a document may include."""

    def rows(self, principal: Principal) -> QuerySet:
        """The rows that `principal` may see."""

    def link_to(self, row: Any) -> str:
        """The address of `row`."""


class ServedTypes(Protocol):
    """All the types that are served."""

    @property
    def types(self) -> Mapping[str, ServedType]:
        """The types by their names."""

    def type_of(self, model: type[Model]) -> ServedType:
        """The type whose rows are of `model`."""
