"""Which kind of relation a relationship is, and those that no column of their name ties."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db.models import (
    Exists,
    ForeignKey,
    ManyToManyField,
    ManyToOneRel,
    Model,
    OuterRef,
    Q,
    QuerySet,
)

from customers.models import Attachment
from customers.resources.prefetching import PrefetchBudget
from customers.resources.protocols import Principal, ServedType, ServedTypes
from customers.resources.relations import (
    ManyToMany,
    Relation,
    RelationToType,
    RowsById,
    ToMany,
    ToOne,
    group_by,
)


class AuditRelation(RelationToType):
    """The rows of the type `name` that say, by type and id, what they are about."""

    def __init__(self, name: str, model: type[Model], registry: ServedTypes) -> None:
        super().__init__(name, registry)
        self.model = model

    @cached_property
    def resource_type(self) -> str:
        """The type of what they are about."""
        return self.registry.type_of(self.model).name

    @cached_property
    def target(self) -> ServedType:
        """The type that has the relationship's name."""
        return self.registry.types[self.name]

    def queryset_for(self, parent: Model, principal: Principal) -> QuerySet:
        """The rows about `parent`."""
        return self._rows(principal, resource_id=parent.pk)

    def prefetch(
        self, parents: list[Model], principal: Principal, budget: PrefetchBudget
    ) -> RowsById:
        """One query for the rows about all parents."""
        ids, kind = [parent.pk for parent in parents], {"resource_type": self.resource_type}
        rows = self.fetch_related(principal, budget, "resource_id__any_of", ids, **kind)
        return group_by(rows, lambda row: row.resource_id)

    def filter_q(self, principal: Principal, q: Q) -> Q:
        """The condition that a row about the parent fulfils `q`."""
        return Q(Exists(self._rows(principal, resource_id=OuterRef("pk")).filter(q)))

    def _rows(self, principal: Principal, **ids: str | OuterRef) -> QuerySet:
        return self.target.rows(principal).filter(resource_type=self.resource_type, **ids)


class TopicWebhooks(RelationToType):
    """The webhooks that are called for the topic of an event."""

    def __init__(self, name: str, model: type[Model], registry: ServedTypes) -> None:
        super().__init__(name, registry)

    @cached_property
    def target(self) -> ServedType:
        """The type of webhooks."""
        return self.registry.types["webhooks"]

    def queryset_for(self, parent: Model, principal: Principal) -> QuerySet:
        """The webhooks of the topic of the event `parent`."""
        return self.target.rows(principal).filter(topic=_topic_of(parent))

    def prefetch(
        self, parents: list[Model], principal: Principal, budget: PrefetchBudget
    ) -> RowsById:
        """One query for the webhooks of all topics."""
        topics = {parent.pk: _topic_of(parent) for parent in parents}
        rows = self.fetch_related(principal, budget, "topic__any_of", [*{*topics.values()}])
        by_topic = group_by(rows, lambda row: row.topic)
        return {pk: by_topic.get(topic, []) for pk, topic in topics.items()}


def _topic_of(event: Any) -> str:
    return event.name


class PolymorphicToOne(Relation):
    """The one of several foreign keys of the parent's that is set, each to a type of its own."""

    to_many = False

    def __init__(self, name: str, model: type[Attachment], registry: ServedTypes) -> None:
        super().__init__(name, registry)
        keys = [model._meta.get_field(key) for key in model.ATTACHABLE]
        self.keys = [key for key in keys if isinstance(key, ForeignKey)]

    @property
    def nullable(self) -> bool:
        """Never: an attachment is one of something."""
        return False

    def type_for(self, row: Model) -> ServedType:
        """The type of the related `row`."""
        return self.registry.type_of(type(row))

    def targets(self) -> dict[str, ServedType]:
        """The types of all the foreign keys, by their names."""
        types = [self.registry.type_of(key.related_model) for key in self.keys]
        return {resource.name: resource for resource in types}

    def queryset_for(self, parent: Model, principal: Principal) -> QuerySet:
        """The one row."""
        key = next(key for key in self.keys if getattr(parent, key.attname))
        rows = self.registry.type_of(key.related_model).rows(principal)
        return rows.filter(pk=getattr(parent, key.attname))

    def prefetch(
        self, parents: list[Model], principal: Principal, budget: PrefetchBudget
    ) -> RowsById:
        """One query for each of the types."""
        found: RowsById = {}
        for key in self.keys:
            target = self.registry.type_of(key.related_model)
            ids = {parent.pk: getattr(parent, key.attname) for parent in parents}
            rows = self.fetch_by_id(set(ids.values()) - {None}, target, principal, budget)
            found |= {pk: [rows[other]] for pk, other in ids.items() if other in rows}
        return found


class TokenCustomer(RelationToType):
    """The customer whose token the caller holds, whatever the parent."""

    to_many = False

    def __init__(self, name: str, model: type[Model], registry: ServedTypes) -> None:
        super().__init__(name, registry)

    @cached_property
    def target(self) -> ServedType:
        """The type of customers."""
        return self.registry.types["customers"]

    def queryset_for(self, parent: Model | None, principal: Principal) -> QuerySet:
        """The one customer, if any."""
        return self.target.rows(principal).filter(pk=principal.owner_id or "")

    def prefetch(
        self, parents: list[Model], principal: Principal, budget: PrefetchBudget
    ) -> RowsById:
        """One query, whatever the parents."""
        owner = self.queryset_for(None, principal).first() if principal.owner_id else None
        return {parent.pk: [owner] for parent in parents} if owner else {}


WITHOUT_COLUMN: dict[str, Callable[..., Relation]] = {
    "attachable": PolymorphicToOne,
    "event_stores": AuditRelation,
    "events": AuditRelation,
    "jwt_customer": TokenCustomer,
    "webhooks": TopicWebhooks,
}


def make_relation(name: str, model: type[Model], registry: ServedTypes) -> Relation:
    """The Relation for the relationship `name` of `model`, by what ties its rows.

    Raises TypeError where nothing does.
    """
    if name in WITHOUT_COLUMN:
        return WITHOUT_COLUMN[name](name, model, registry)
    field = model._meta.get_field(name)
    if isinstance(field, ManyToManyField):
        return ManyToMany(name, field, registry)
    if isinstance(field, ManyToOneRel):
        return ToMany(name, field.field, registry)
    if isinstance(field, ForeignKey):
        return ToOne(name, field, registry)
    raise TypeError(f"{field} is no relationship: give it a row in WITHOUT_COLUMN")
