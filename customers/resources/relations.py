"""How the rows of a relationship are found, whatever ties them together."""

from functools import cached_property

from django.db.models import Exists, OuterRef, Q

from customers.db.compiled import Parameter, Statement, UncompilableError
from customers.resources import errors


class Load:
    """What may still be loaded for one document: `rows`, and bytes as `budget` has.

    `unshown` is a function of a viewset: the names of long columns that the document leaves out.
    """

    def __init__(self, budget, rows, unshown):
        self.budget, self.rows, self.unshown = budget, rows, unshown


def run(principal, key, build, load=None, **values):
    """The rows of the queryset that `build` makes of `values`, compiled once for `principal`.

    `key` tells it from others. `build` may only depend on what it is given, and `values`
    are texts or lists of them. Raises TooManyBytesError when `load` allows no more.
    """
    if key not in principal.compiled:
        try:
            made = Statement(build(**{name: Parameter(name) for name in values}))
        except UncompilableError:
            made = None
        principal.compiled[key] = made
    statement = principal.compiled[key]
    if statement is None:
        return list(build(**values))
    return statement.within(load and load.budget, **values)


class Relation:
    """The relationship `name` of the rows of one type, leading to the type `target`.

    Whatever it finds is what `principal` may see.
    """

    to_many = True
    nullable = True

    def __init__(self, name, field, router):
        self.name = name
        self.field = field
        self.router = router

    @cached_property
    def target(self):
        """The viewset of the related type; None when rows of several types are related."""
        return self.router.type_of(self.field.related_model)

    def viewset_for(self, row):
        """The viewset of the related `row`."""
        return self.target

    def targets(self):
        """The viewsets of all types that it may lead to, by their names."""
        return {self.target.name: self.target}

    def among(self, parent, principal):
        """The queryset of the rows that are related to `parent`."""
        raise NotImplementedError

    def load(self, parents, principal, load):
        """The rows related to each of `parents`: a dictionary of parent id to rows.

        Runs a fixed number of queries. Raises errors.InvalidIncludeError when there are more
        rows, and TooManyBytesError when there are more bytes, than `load`, a Load, allows.
        """
        raise NotImplementedError

    def has(self, principal, q):
        """The condition on a parent that one of its related rows fulfils `q`."""
        raise NotImplementedError

    def rows_with(self, ids, target, principal, load):
        """The rows of the viewset `target` with these ids that `principal` may see, by id."""
        if not ids:
            return {}
        unshown = load.unshown(target)
        found = run(
            principal,
            (target, "with", unshown),
            lambda ids: target.rows(principal).filter(pk__any_of=ids).defer(*unshown),
            load,
            ids=list(ids),
        )
        return {row.pk: row for row in found}

    def found(self, principal, load, lookup, values, **conditions):
        """The rows of the target whose `lookup` is one of `values`, as far as `load` allows."""
        unshown, limit = load.unshown(self.target), load.rows

        def build(values):
            rows = self.target.rows(principal).filter(**conditions, **{lookup: values})
            return rows.defer(*unshown)[: limit + 1]

        rows = run(principal, (self, limit, unshown), build, load, values=values)
        return self.limited(rows, limit)

    def limited(self, rows, limit):
        found = list(rows[: limit + 1])
        if len(found) > limit:
            raise errors.InvalidIncludeError(
                f"Including {self.name} would bring more than {limit} resources; "
                "page through the relationship's related link instead.",
                parameter="include",
            )
        return found


class ToOne(Relation):
    """A foreign key of the parent's."""

    to_many = False

    @property
    def nullable(self):
        return self.field.null

    @property
    def column(self):
        return self.field.attname

    def among(self, parent, principal):
        return self.target.rows(principal).filter(pk=getattr(parent, self.column))

    def load(self, parents, principal, load):
        ids = {getattr(parent, self.column) for parent in parents} - {None}
        found = self.rows_with(ids, self.target, principal, load)
        return {
            parent.pk: [found[getattr(parent, self.column)]]
            for parent in parents
            if getattr(parent, self.column) in found
        }

    def has(self, principal, q):
        return Q(**{f"{self.name}__in": self.target.rows(principal).filter(q)})


class ToMany(Relation):
    """A foreign key of the target's that points at the parent."""

    @property
    def key(self):
        return self.field.field

    def among(self, parent, principal):
        return self.target.rows(principal).filter(**{self.key.name: parent})

    def load(self, parents, principal, load):
        ids = [parent.pk for parent in parents]
        found = {}
        for row in self.found(principal, load, f"{self.key.name}__pk__any_of", ids):
            found.setdefault(getattr(row, self.key.attname), []).append(row)
        return found

    def has(self, principal, q):
        own = {self.key.name: OuterRef("pk")}
        return Q(Exists(self.target.rows(principal).filter(q, **own)))


class ManyToMany(Relation):
    """A table of pairs between parent and target."""

    @property
    def pairs(self):
        return self.field.remote_field.through.objects.all()

    @property
    def source_name(self):
        return self.field.m2m_field_name()

    @property
    def target_name(self):
        return self.field.m2m_reverse_field_name()

    @property
    def source_id(self):
        return f"{self.source_name}_id"

    @property
    def target_id(self):
        return f"{self.target_name}_id"

    def among(self, parent, principal):
        pairs = self.pairs.filter(**{self.source_name: parent})
        return self.target.rows(principal).filter(pk__in=pairs.values(self.target_name))

    def load(self, parents, principal, load):
        ids, limit = [parent.pk for parent in parents], load.rows
        pairs = run(
            principal,
            (self, limit),
            lambda ids: self.pairs.filter(**{f"{self.source_name}__pk__any_of": ids}).order_by(
                self.target_name
            )[: limit + 1],
            ids=ids,
        )
        pairs = [
            (getattr(pair, self.source_id), getattr(pair, self.target_id))
            for pair in self.limited(pairs, limit)
        ]
        known = self.rows_with({target for _, target in pairs}, self.target, principal, load)
        found = {}
        for source, target in pairs:
            if target in known:
                found.setdefault(source, []).append(known[target])
        return found

    def has(self, principal, q):
        rows = self.target.rows(principal).filter(q)
        own = {self.source_name: OuterRef("pk"), f"{self.target_name}__in": rows}
        return Q(Exists(self.pairs.filter(**own)))


class AuditRelation(Relation):
    """The rows of `target_name` that say, by type and id, what they are about."""

    def __init__(self, name, model, router):
        super().__init__(name, None, router)
        self.resource_type = model._meta.db_table

    @cached_property
    def target(self):
        return self.router.types[self.name]

    def _rows(self, principal, **ids):
        return self.target.rows(principal).filter(resource_type=self.resource_type, **ids)

    def among(self, parent, principal):
        return self._rows(principal, resource_id=parent.pk)

    def load(self, parents, principal, load):
        ids = [parent.pk for parent in parents]
        found, kind = {}, {"resource_type": self.resource_type}
        for row in self.found(principal, load, "resource_id__any_of", ids, **kind):
            found.setdefault(row.resource_id, []).append(row)
        return found

    def has(self, principal, q):
        return Q(Exists(self._rows(principal, resource_id=OuterRef("pk")).filter(q)))


class TopicWebhooks(Relation):
    """The webhooks that are called for the topic of an event."""

    @cached_property
    def target(self):
        return self.router.types["webhooks"]

    def among(self, parent, principal):
        return self.target.rows(principal).filter(topic=parent.name)

    def load(self, parents, principal, load):
        topics = list({parent.name for parent in parents})
        listening = {}
        for row in self.found(principal, load, "topic__any_of", topics):
            listening.setdefault(row.topic, []).append(row)
        return {parent.pk: listening.get(parent.name, []) for parent in parents}


class PolymorphicToOne(Relation):
    """The one of several foreign keys of the parent's that is set, each to a type of its own."""

    to_many = False
    nullable = False
    target = None

    def __init__(self, name, model, router):
        super().__init__(name, None, router)
        self.keys = [model._meta.get_field(key) for key in model.ATTACHABLE]

    def viewset_for(self, row):
        return self.router.type_of(type(row))

    def targets(self):
        viewsets = [self.router.type_of(key.related_model) for key in self.keys]
        return {viewset.name: viewset for viewset in viewsets}

    def among(self, parent, principal):
        key = next(key for key in self.keys if getattr(parent, key.attname))
        rows = self.router.type_of(key.related_model).rows(principal)
        return rows.filter(pk=getattr(parent, key.attname))

    def load(self, parents, principal, load):
        found = {}
        for key in self.keys:
            target = self.router.type_of(key.related_model)
            owners = {parent.pk: getattr(parent, key.attname) for parent in parents}
            ids = set(owners.values()) - {None}
            rows = self.rows_with(ids, target, principal, load)
            found |= {pk: [rows[owner]] for pk, owner in owners.items() if owner in rows}
        return found


class TokenCustomer(Relation):
    """The customer whose token the caller holds, whatever the parent."""

    to_many = False

    @cached_property
    def target(self):
        return self.router.types["customers"]

    def among(self, parent, principal):
        return self.target.rows(principal).filter(pk=principal.owner_id or "")

    def load(self, parents, principal, load):
        owner = self.among(None, principal).first() if principal.owner_id else None
        return {parent.pk: [owner] for parent in parents} if owner else {}


# relationships that no column of that name ties
OTHERS = {
    "attachable": PolymorphicToOne,
    "event_stores": AuditRelation,
    "events": AuditRelation,
    "jwt_customer": TokenCustomer,
    "webhooks": TopicWebhooks,
}


def relation(name, model, router):
    """The Relation for the relationship `name` of `model`, by what ties its rows."""
    if name in OTHERS:
        return OTHERS[name](name, model, router)
    field = model._meta.get_field(name)
    if field.many_to_many:
        return ManyToMany(name, field, router)
    if field.one_to_many:
        return ToMany(name, field, router)
    return ToOne(name, field, router)
