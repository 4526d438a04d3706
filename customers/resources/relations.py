"""How the rows of a relationship are found that a column or a table of pairs ties."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from django.db.models import Exists, Field, Model, OuterRef, Q, QuerySet

from customers.resources import errors
from customers.resources.prefetching import PrefetchBudget, fetch_rows
from customers.resources.protocols import Principal, Registry, ServedType

RowsById = dict[str, list[Model]]


class Relation:
    """The relationship `name` of the rows of one type, leading to the type `target`.

    Whatever it finds is what `principal` may see.
    """

    to_many = True
    nullable = True

    def __init__(self, name: str, field: Field | None, router: Registry) -> None:
        self.name = name
        self.field = field
        self.router = router

    @cached_property
    def target(self) -> ServedType | None:
        """The viewset of the related type; None when rows of several types are related."""
        return self.router.type_of(self.field.related_model)

    def viewset_for(self, row: Model) -> ServedType:
        """The viewset of the related `row`."""
        return self.target

    def targets(self) -> dict[str, ServedType]:
        """The viewsets of all types that it may lead to, by their names."""
        return {self.target.name: self.target}

    def queryset_for(self, parent: Model, principal: Principal) -> QuerySet:
        """The rows that are related to `parent`."""
        raise NotImplementedError

    def prefetch(
        self, parents: list[Model], principal: Principal, budget: PrefetchBudget
    ) -> RowsById:
        """The rows related to each of `parents`: a dictionary of parent id to rows.

        Runs a fixed number of queries. Raises errors.InvalidIncludeError when there are more
        rows, and TooManyBytesError when there are more bytes, than `budget` allows.
        """
        raise NotImplementedError

    def filter_q(self, principal: Principal, q: Q) -> Q:
        """The condition on a parent that one of its related rows fulfils `q`."""
        raise NotImplementedError

    def fetch_by_id(
        self, ids: Iterable[str], target: ServedType, principal: Principal, budget: PrefetchBudget
    ) -> dict[str, Model]:
        """The rows of the viewset `target` with these ids that `principal` may see, by id."""
        ids, deferred = list(ids), budget.deferred(target)
        if not ids:
            return {}

        def build(ids: list[str]) -> QuerySet:
            return target.rows(principal).filter(pk__any_of=ids).defer(*deferred)

        rows = fetch_rows(principal, (target, "with", deferred), build, budget, ids=ids)
        return {row.pk: row for row in rows}

    def fetch_related(
        self,
        principal: Principal,
        budget: PrefetchBudget,
        lookup: str,
        values: list[str],
        **conditions: str,
    ) -> list[Model]:
        """The rows of the target whose `lookup` is one of `values`, as far as `budget` allows."""
        deferred, limit = budget.deferred(self.target), budget.rows

        def build(values: list[str]) -> QuerySet:
            rows = self.target.rows(principal).filter(**conditions, **{lookup: values})
            return rows.defer(*deferred)[: limit + 1]

        rows = fetch_rows(principal, (self, limit, deferred), build, budget, values=values)
        return self.check_limit(rows, limit)

    def check_limit(self, rows: list[Model], limit: int) -> list[Model]:
        """`rows`. Raises errors.InvalidIncludeError when they are more than `limit`."""
        if len(rows) > limit:
            raise errors.InvalidIncludeError(
                f"Including {self.name} would bring more than {limit} resources; "
                "page through the relationship's related link instead.",
                parameter="include",
            )
        return rows


class ToOne(Relation):
    """A foreign key of the parent's."""

    to_many = False

    @property
    def nullable(self) -> bool:
        """Whether the foreign key may be null."""
        return self.field.null

    @property
    def column(self) -> str:
        """The name of the column that holds the id."""
        return self.field.attname

    def queryset_for(self, parent: Model, principal: Principal) -> QuerySet:
        """The one row, if any."""
        return self.target.rows(principal).filter(pk=getattr(parent, self.column))

    def prefetch(
        self, parents: list[Model], principal: Principal, budget: PrefetchBudget
    ) -> RowsById:
        """One query for the rows of all ids."""
        ids = {parent.pk: getattr(parent, self.column) for parent in parents}
        rows = self.fetch_by_id(set(ids.values()) - {None}, self.target, principal, budget)
        return {pk: [rows[other]] for pk, other in ids.items() if other in rows}

    def filter_q(self, principal: Principal, q: Q) -> Q:
        """The condition that the foreign key is one of the rows that fulfil `q`."""
        return Q(**{f"{self.name}__in": self.target.rows(principal).filter(q)})


class ToMany(Relation):
    """A foreign key of the target's that points at the parent."""

    @property
    def key(self) -> Field:
        """The target's foreign key."""
        return self.field.field

    def queryset_for(self, parent: Model, principal: Principal) -> QuerySet:
        """The rows whose foreign key points at `parent`."""
        return self.target.rows(principal).filter(**{self.key.name: parent})

    def prefetch(
        self, parents: list[Model], principal: Principal, budget: PrefetchBudget
    ) -> RowsById:
        """One query for the rows of all parents."""
        ids = [parent.pk for parent in parents]
        rows = self.fetch_related(principal, budget, f"{self.key.name}__pk__any_of", ids)
        return group_by(rows, lambda row: getattr(row, self.key.attname))

    def filter_q(self, principal: Principal, q: Q) -> Q:
        """The condition that a row which fulfils `q` points at the parent."""
        own = {self.key.name: OuterRef("pk")}
        return Q(Exists(self.target.rows(principal).filter(q, **own)))


class ManyToMany(Relation):
    """A table of pairs between parent and target."""

    @property
    def pairs(self) -> QuerySet:
        """The rows of the table of pairs."""
        return self.field.remote_field.through.objects.all()

    @property
    def source_name(self) -> str:
        """The name of the pairs' foreign key to the parent."""
        return self.field.m2m_field_name()

    @property
    def target_name(self) -> str:
        """The name of the pairs' foreign key to the target."""
        return self.field.m2m_reverse_field_name()

    def queryset_for(self, parent: Model, principal: Principal) -> QuerySet:
        """The rows that are paired with `parent`."""
        pairs = self.pairs.filter(**{self.source_name: parent})
        return self.target.rows(principal).filter(pk__in=pairs.values(self.target_name))

    def prefetch(
        self, parents: list[Model], principal: Principal, budget: PrefetchBudget
    ) -> RowsById:
        """One query for the pairs of all parents, one for the rows."""
        pairs = list(self._fetch_pairs(parents, principal, budget.rows))
        rows = self.fetch_by_id({target for _, target in pairs}, self.target, principal, budget)
        found: RowsById = {}
        for source, target in pairs:
            if target in rows:
                found.setdefault(source, []).append(rows[target])
        return found

    def filter_q(self, principal: Principal, q: Q) -> Q:
        """The condition that a row which fulfils `q` is paired with the parent."""
        rows = self.target.rows(principal).filter(q)
        own = {self.source_name: OuterRef("pk"), f"{self.target_name}__in": rows}
        return Q(Exists(self.pairs.filter(**own)))

    def _fetch_pairs(
        self, parents: list[Model], principal: Principal, limit: int
    ) -> Iterator[tuple[str, str]]:
        """The pairs of ids of parent and target."""

        def build(ids: list[str]) -> QuerySet:
            pairs = self.pairs.filter(**{f"{self.source_name}__pk__any_of": ids})
            return pairs.order_by(self.target_name)[: limit + 1]

        ids = [parent.pk for parent in parents]
        pairs = self.check_limit(fetch_rows(principal, (self, limit), build, ids=ids), limit)
        for pair in pairs:
            yield getattr(pair, f"{self.source_name}_id"), getattr(pair, f"{self.target_name}_id")


def group_by(rows: Iterable[Model], key_of: Callable[[Model], str]) -> RowsById:
    """`rows` by what `key_of` says of each, in their order."""
    found: RowsById = {}
    for row in rows:
        found.setdefault(key_of(row), []).append(row)
    return found
