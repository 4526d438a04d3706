"""Making one customer of two: what hangs on one moves to the other, and the one goes."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, UniqueConstraint
from django.utils import timezone

from customers.db.declarations import declared, keys_to
from customers.models import Customer, Resource
from customers.services import audit
from customers.services.actors import Actor
from customers.services.orders import count_order


class MergeRefusedError(Exception):
    """The two cannot be merged; the message, a sentence, says why."""


class Merger:
    """What merging `duplicate` into `target`, customers of one mode, will do.

    Raises MergeRefusedError.
    """

    def __init__(self, target: Customer, duplicate: Customer) -> None:
        self.target, self.duplicate = target, duplicate
        if target.pk == duplicate.pk:
            raise MergeRefusedError("A customer cannot be merged with itself.")
        if target.mode != duplicate.mode:
            raise MergeRefusedError("Customers of the two modes never mix.")
        if target.is_being_anonymized or duplicate.is_being_anonymized:
            raise MergeRefusedError("One of them is being anonymized, or has been.")
        self.tags = set(target.tags.all()) | set(duplicate.tags.all())
        if len(self.tags) > settings.MAX_TAGS:
            raise MergeRefusedError(
                f"Together they have {len(self.tags)} tags, and {settings.MAX_TAGS} are allowed."
            )
        self.filled: dict[str, Any] = {
            name: getattr(duplicate, name)
            for name in _fillable()
            if getattr(target, name) is None and getattr(duplicate, name) is not None
        }
        self.metadata = {**duplicate.metadata, **target.metadata}

    def moving(self) -> Iterator[tuple[type[Resource], QuerySet]]:
        """Pairs of a model and the rows of it that move."""
        for model, rows in self._rows():
            yield model, rows.exclude(pk__in=self._conflicts(rows))

    def conflicting(self) -> Iterator[tuple[type[Resource], QuerySet]]:
        """Pairs of a model and the rows of it whose like the target has already, and that go."""
        for model, rows in self._rows():
            yield model, rows.filter(pk__in=self._conflicts(rows))

    def _rows(self):
        for model, key in _moving_keys():
            yield model, model.objects.filter(**{key: self.duplicate})

    def _conflicts(self, rows):
        """The ids of `rows` whose like the target has, where two may not be."""
        found = set()
        for constraint in rows.model._meta.constraints:
            fields = getattr(constraint, "fields", ())
            if isinstance(constraint, UniqueConstraint) and "customer" in fields:
                (name,) = set(fields) - {"mode", "customer"}
                theirs = rows.model.objects.filter(customer=self.target).values(name)
                found |= set(rows.filter(**{f"{name}__in": theirs}).values_list("pk", flat=True))
        return found


def merge(target_id: str, duplicate_id: str, *, mode: str, actor: Actor | None) -> Customer:
    """Merge the customer `duplicate_id` into `target_id`, both locked; return the latter.

    The password, the sessions and the open resets of the duplicate go with it: whoever had
    that account does not get into this one by it. The target's audit log tells what it
    takes to undo it. Raises MergeRefusedError and Customer.DoesNotExist; then nothing is changed.
    """
    with transaction.atomic():
        merger = Merger(*_locked(target_id, duplicate_id, mode))
        target, duplicate = merger.target, merger.duplicate
        before, note = audit.audited_values(target), _note(merger)
        for model, moved in merger.moving():
            _move(model, list(moved), target, actor)
        count_order(target.pk, duplicate.total_orders_count, actor=actor)
        _take_over(merger)
        changes = audit.changes_between(before, audit.audited_values(target))
        for name in ("total_orders_count", "status"):  # count_order has written them down
            changes.pop(name, None)
        changes["merged"] = (None, note)
        audit.record(target, "update", actor=actor, changes=changes)
        audit.record(duplicate, "destroy", actor=actor, changes={"merged_into": (None, target.pk)})
        duplicate.delete()
    return target


def _locked(target_id, duplicate_id, mode):
    rows = Customer.objects.in_mode(mode).select_for_update().order_by("pk")
    found = {customer.pk: customer for customer in rows.filter(pk__in=[target_id, duplicate_id])}
    if not {target_id, duplicate_id} <= found.keys():
        raise Customer.DoesNotExist
    return found[target_id], found[duplicate_id]


def _take_over(merger):
    """Give the target what it lacked and the duplicate had."""
    target = merger.target
    target.refresh_from_db()
    for name, value in merger.filled.items():
        setattr(target, name, value)
    target.metadata = merger.metadata
    target.tags.set(merger.tags)
    filled = (name.removesuffix("_id") for name in merger.filled)
    target.save(update_fields=["metadata", *filled])


def _fillable():
    """The columns of a customer that may be empty and are not made up when nobody gives one."""
    return [
        field.attname
        for field, _ in declared(Customer).values()
        if field.editable and not field.many_to_many and field.null and not field.has_default()
    ]


def _moving_keys():
    """The keys by which rows that move point at a customer, with their models."""
    return [
        (model, key.name) for model, key in keys_to(Customer) if declared(model)[key.name][1].moves
    ]


def _note(merger):
    """What it takes to undo a merger: all that is going, and what is moving, by id."""
    return {
        "id": merger.duplicate.pk,
        "attributes": _shown(merger.duplicate),
        "tags": sorted(map(str, merger.duplicate.tags.all())),
        "moved": {
            model._meta.db_table: list(rows.values_list("pk", flat=True))
            for model, rows in merger.moving()
            if rows
        },
        "dropped": {
            model._meta.db_table: [{"id": row.pk, **_shown(row)} for row in rows]
            for model, rows in merger.conflicting()
            if rows
        },
    }


def _shown(row: Resource) -> dict[str, Any]:
    """The values of `row` without its secrets."""
    model = type(row)
    secret, values = audit.secret_columns(model), audit.audited_values(row).items()
    return {name: audit.json_of(model, name, value) for name, value in values if name not in secret}


def _move(model, rows, target, actor):
    changes = {"customer_id": (rows[0].customer_id, target.pk)} if rows else {}
    audit.record_many(dict.fromkeys(rows, changes), "update", actor=actor)
    model.objects.filter(pk__in=[row.pk for row in rows]).update(
        customer=target, updated_at=timezone.now()
    )
