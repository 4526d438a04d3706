"""Which kind of relation a relationship is, and those that no column of their name ties."""

from functools import cached_property

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from customers.resources.prefetching import PrefetchBudget
from customers.resources.protocols import Principal, Registry, ServedType
from customers.resources.relations import (
    ManyToMany,
    Relation,
    RowsById,
    ToMany,
    ToOne,
    group_by,
)


class AuditRelation(Relation):
    """The rows of `target_name` that say, by type and id, what they are about."""

    def __init__(self, name: str, model: type[Model], router: Registry) -> None:
        super().__init__(name, None, router)
        self.resource_type = model._meta.db_table

    @cached_property
    def target(self) -> ServedType:
        """The type that has the relationship's name."""
        return self.router.types[self.name]

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


class TopicWebhooks(Relation):
    """The webhooks that are called for the topic of an event."""

    @cached_property
    def target(self) -> ServedType:
        """The type of webhooks."""
        return self.router.types["webhooks"]

    def queryset_for(self, parent: Model, principal: Principal) -> QuerySet:
        """The webhooks of the topic of the event `parent`."""
        return self.target.rows(principal).filter(topic=parent.name)

    def prefetch(
        self, parents: list[Model], principal: Principal, budget: PrefetchBudget
    ) -> RowsById:
        """One query for the webhooks of all topics."""
        topics = list({parent.name for parent in parents})
        rows = self.fetch_related(principal, budget, "topic__any_of", topics)
        by_topic = group_by(rows, lambda row: row.topic)
        return {parent.pk: by_topic.get(parent.name, []) for parent in parents}


class PolymorphicToOne(Relation):
    """The one of several foreign keys of the parent's that is set, each to a type of its own."""

    to_many = False
    nullable = False
    target = None

    def __init__(self, name: str, model: type[Model], router: Registry) -> None:
        super().__init__(name, None, router)
        self.keys = [model._meta.get_field(key) for key in model.ATTACHABLE]

    def viewset_for(self, row: Model) -> ServedType:
        """The viewset of the related `row`, of whichever type."""
        return self.router.type_of(type(row))

    def targets(self) -> dict[str, ServedType]:
        """The viewsets of all the foreign keys' types, by their names."""
        viewsets = [self.router.type_of(key.related_model) for key in self.keys]
        return {viewset.name: viewset for viewset in viewsets}

    def queryset_for(self, parent: Model, principal: Principal) -> QuerySet:
        """The one row."""
        key = next(key for key in self.keys if getattr(parent, key.attname))
        rows = self.router.type_of(key.related_model).rows(principal)
        return rows.filter(pk=getattr(parent, key.attname))

    def prefetch(
        self, parents: list[Model], principal: Principal, budget: PrefetchBudget
    ) -> RowsById:
        """One query for each of the types."""
        found: RowsById = {}
        for key in self.keys:
            target = self.router.type_of(key.related_model)
            ids = {parent.pk: getattr(parent, key.attname) for parent in parents}
            rows = self.fetch_by_id(set(ids.values()) - {None}, target, principal, budget)
            found |= {pk: [rows[other]] for pk, other in ids.items() if other in rows}
        return found


class TokenCustomer(Relation):
    """The customer whose token the caller holds, whatever the parent."""

    to_many = False

    @cached_property
    def target(self) -> ServedType:
        """The type of customers."""
        return self.router.types["customers"]

    def queryset_for(self, parent: Model | None, principal: Principal) -> QuerySet:
        """The one customer, if any."""
        return self.target.rows(principal).filter(pk=principal.owner_id or "")

    def prefetch(
        self, parents: list[Model], principal: Principal, budget: PrefetchBudget
    ) -> RowsById:
        """One query, whatever the parents."""
        owner = self.queryset_for(None, principal).first() if principal.owner_id else None
        return {parent.pk: [owner] for parent in parents} if owner else {}


WITHOUT_COLUMN = {
    "attachable": PolymorphicToOne,
    "event_stores": AuditRelation,
    "events": AuditRelation,
    "jwt_customer": TokenCustomer,
    "webhooks": TopicWebhooks,
}


def make_relation(name: str, model: type[Model], router: Registry) -> Relation:
    """The Relation for the relationship `name` of `model`, by what ties its rows."""
    if name in WITHOUT_COLUMN:
        return WITHOUT_COLUMN[name](name, model, router)
    field = model._meta.get_field(name)
    if field.many_to_many:
        return ManyToMany(name, field, router)
    if field.one_to_many:
        return ToMany(name, field, router)
    return ToOne(name, field, router)
