"""Making one customer of two: what hangs on one moves to the other, and the one goes."""

from django.conf import settings
from django.db import transaction
from django.db.models import UniqueConstraint
from django.utils import timezone

from customers.jobs.bulk import ANONYMIZING
from customers.models import Customer, CustomerPasswordReset, Resource
from customers.services import audit
from customers.services.orders import count_order

FILLED = ["customer_group_id", "reference", "reference_origin", "tax_exemption_code"]


class MergeRefusedError(Exception):
    """The two cannot be merged; the message, a sentence, says why."""


class Merger:
    """What merging `spare` into `kept`, customers of one mode, will do.

    Raises MergeRefusedError.
    """

    def __init__(self, kept, spare):
        self.kept, self.spare = kept, spare
        if kept.pk == spare.pk:
            raise MergeRefusedError("A customer cannot be merged with itself.")
        if kept.mode != spare.mode:
            raise MergeRefusedError("Customers of the two modes never mix.")
        if {kept.anonymization_status, spare.anonymization_status} & set(ANONYMIZING):
            raise MergeRefusedError("One of them is being anonymized, or has been.")
        self.tags = set(kept.tags.all()) | set(spare.tags.all())
        if len(self.tags) > settings.MAX_TAGS:
            raise MergeRefusedError(
                f"Together they have {len(self.tags)} tags, and {settings.MAX_TAGS} are allowed."
            )
        self.filled = {
            name: getattr(spare, name)
            for name in FILLED
            if getattr(kept, name) is None and getattr(spare, name) is not None
        }
        self.metadata = {**spare.metadata, **kept.metadata}

    def moving(self):
        """Pairs of a model and the rows of it that move."""
        for relation in _relations():
            rows = relation.related_model.objects.filter(customer=self.spare)
            yield relation.related_model, rows.exclude(pk__in=self._doubles(rows))

    def doubled(self):
        """Pairs of a model and the rows of it that the kept customer has already, and that go."""
        for relation in _relations():
            rows = relation.related_model.objects.filter(customer=self.spare)
            yield relation.related_model, rows.filter(pk__in=self._doubles(rows))

    def _doubles(self, rows):
        """The ids of `rows` whose like the kept customer has, where two may not be."""
        found = set()
        for constraint in rows.model._meta.constraints:
            fields = getattr(constraint, "fields", ())
            if isinstance(constraint, UniqueConstraint) and "customer" in fields:
                (name,) = set(fields) - {"mode", "customer"}
                theirs = rows.model.objects.filter(customer=self.kept).values(name)
                found |= set(rows.filter(**{f"{name}__in": theirs}).values_list("pk", flat=True))
        return found


def merge(kept_id, spare_id, *, mode, actor):
    """Merge the customer `spare_id` into `kept_id`, both locked; return the kept one.

    The password, the sessions and the open resets of the spare one go with it: whoever had
    that account does not get into this one by it. The kept one's audit log tells what it
    takes to undo it. Raises MergeRefusedError and Customer.DoesNotExist; then nothing is changed.
    """
    with transaction.atomic():
        rows = Customer.objects.in_mode(mode).select_for_update().order_by("pk")
        found = {customer.pk: customer for customer in rows.filter(pk__in=[kept_id, spare_id])}
        if not {kept_id, spare_id} <= found.keys():
            raise Customer.DoesNotExist
        merger = Merger(found[kept_id], found[spare_id])
        kept, spare = merger.kept, merger.spare
        before, note = audit.values_of(kept), _note(merger)
        for model, moved in merger.moving():
            _move(model, list(moved), kept, actor)
        count_order(kept.pk, spare.total_orders_count, actor=actor)
        kept.refresh_from_db()
        for name, value in merger.filled.items():
            setattr(kept, name, value)
        kept.metadata = merger.metadata
        kept.tags.set(merger.tags)
        kept.save(update_fields=["metadata", *(name.removesuffix("_id") for name in FILLED)])
        changes = audit.changes_between(before, audit.values_of(kept))
        for name in ("total_orders_count", "status"):  # count_order has written them down
            changes.pop(name, None)
        audit.record(kept, "update", actor=actor, changes={**changes, "merged": (None, note)})
        audit.record(spare, "destroy", actor=actor, changes={"merged_into": (None, kept.pk)})
        spare.delete()
    return kept


def _relations():
    """The keys by which rows that move point at a customer."""
    return [
        relation
        for relation in Customer._meta.related_objects
        if relation.one_to_many
        and issubclass(relation.related_model, Resource)
        and relation.related_model is not CustomerPasswordReset
    ]


def _note(merger):
    """What it takes to undo a merger: all that is going, and what is moving, by id."""
    return {
        "id": merger.spare.pk,
        "attributes": _shown(merger.spare),
        "tags": sorted(map(str, merger.spare.tags.all())),
        "moved": {
            model._meta.db_table: list(rows.values_list("pk", flat=True))
            for model, rows in merger.moving()
            if rows
        },
        "dropped": {
            model._meta.db_table: [{"id": row.pk, **_shown(row)} for row in rows]
            for model, rows in merger.doubled()
            if rows
        },
    }


def _shown(row):
    """The values of `row` without its secrets."""
    return {
        name: value for name, value in audit.values_of(row).items() if not audit.is_secret(name)
    }


def _move(model, rows, kept, actor):
    changes = {"customer_id": (rows[0].customer_id, kept.pk)} if rows else {}
    audit.record_many(dict.fromkeys(rows, changes), "update", actor=actor)
    model.objects.filter(pk__in=[row.pk for row in rows]).update(
        customer=kept, updated_at=timezone.now()
    )
