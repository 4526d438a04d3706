"""What each type of the API declares, and the one way to its rows."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet

from customers.models import Resource, ResourceQuerySet
from customers.resources import errors
from customers.resources.filters import Filters
from customers.resources.prefetching import fetch_rows
from customers.resources.protocols import Principal
from customers.resources.relations import Relation
from customers.resources.serializers import ResourceSerializer
from customers.services import tokens


class ResourceType:
    """One type: its rows, the serializer that shows and writes them, and what filters them.

    A subclass declares them and is registered; it has no instances. `actions` are what may be
    done to the type, `not_includable` the relationships that no document includes.
    """

    name: ClassVar[str]  # on the wire, and in every address
    path: ClassVar[str | None] = None  # where it is not the name
    queryset: ClassVar[ResourceQuerySet]
    serializer_class: ClassVar[type[ResourceSerializer]]
    filterset_class: ClassVar[type[Filters] | None] = None
    actions = frozenset({"list", "create", "retrieve", "partial_update", "destroy"})
    not_includable = frozenset({"event_stores"})
    paged_by_cursor = False  # alone: its lists are too long to be counted
    takes_files = False  # in its attributes, which makes its requests larger than others
    shows_password = False  # whether a customer shows the one that it has with a change

    # set when it is registered
    relations: ClassVar[dict[str, Relation]] = {}
    includable: ClassVar[set[str]] = set()

    @classmethod
    def rows(cls, principal: Principal) -> ResourceQuerySet:
        """The one way to this type's rows: those that `principal` may see."""
        return cls.queryset.all().visible_to(principal)

    @classmethod
    def row(cls, principal: Principal, pk: str) -> Resource:
        """The row of `rows` with the id `pk`, any string. Raises DoesNotExist."""
        return cls._get_row(principal, pk, cls, lambda pk: cls.rows(principal).filter(pk=pk))

    @classmethod
    def locked_row(cls, principal: Principal, pk: str) -> Resource:
        """As `row`, and locked."""

        def build(pk: str) -> QuerySet:
            return cls.rows(principal).select_for_update(of=("self",)).filter(pk=pk)

        return cls._get_row(principal, pk, (cls, "lock"), build)

    @classmethod
    def _get_row(
        cls, principal: Principal, pk: str, key: object, build: Callable[[str], QuerySet]
    ) -> Resource:
        if not (pk.isascii() and pk.isalnum()):  # NUL is more than databases take
            raise cls.queryset.model.DoesNotExist
        found: list[Any] = fetch_rows(principal, key, build, pk=pk)
        if not found:
            raise cls.queryset.model.DoesNotExist
        return found[0]

    @classmethod
    def link_to(cls, row: Resource) -> str:
        """The address of `row`."""
        return f"{settings.PUBLIC_URL}/api/{cls.name}/{row.pk}"


class SingletonType(ResourceType):
    """A type of which each caller sees one resource, at `path`."""

    path: ClassVar[str]
    actions = frozenset({"retrieve_singleton"})

    @classmethod
    def row_for(cls, principal: tokens.Principal) -> Any:
        """The one resource that `principal` sees."""
        raise NotImplementedError

    @classmethod
    def row(cls, principal: Any, pk: str) -> Any:
        """The one resource, where it is asked for without an id or by its own.

        Raises errors.RecordNotFoundError.
        """
        row = cls.row_for(principal)
        if pk not in ("", row.pk):
            raise errors.RecordNotFoundError
        return row

    @classmethod
    def link_to(cls, row: object) -> str:
        """The address of the one resource."""
        return f"{settings.PUBLIC_URL}/api/{cls.path}"
