"""Changing a row so that nothing gets between, and what the change means for others."""

from django.db.models import PROTECT, Q

from customers.models import Customer, Kept, Order
from customers.services import events
from customers.services.orders import follow_order, lock_customers
from customers.services.sessions import follow_customer
from customers.services.transactions import Overtaken

FOLLOWERS = {Customer: follow_customer, Order: follow_order}


def lock(row, rows, *customers, read=None):
    """`row` read again from `rows` under a lock, after its customer's and those of `customers`.

    `read` is a function that reads and locks the row with an id, where the caller has one.
    Raises Overtaken when the row has just got another customer, DoesNotExist when it is gone.
    """
    customer_id = _customer_id(row)
    lock_customers(customer_id, *(customer.pk for customer in customers if customer))
    locked = read(row.pk) if read else rows.select_for_update(of=("self",)).get(pk=row.pk)
    if _customer_id(locked) != customer_id:
        raise Overtaken
    return locked


def record_update(row, before, *, who):
    """Write down how the locked `row` differs from `before`, and do what follows from it.

    `before` is what events.values_of gave before the change. Runs in the caller's
    transaction.
    """
    changes = events.changes_between(before, events.values_of(row))
    if changes:
        events.record(row, "update", who=who, changes=changes)
        if follow := FOLLOWERS.get(type(row)):
            follow(row, changes, who=who)


def delete(row, *, who):
    """Delete the locked `row` and write it down. Raises Kept and ProtectedError."""
    if kept := counted(_keepers(row)):
        raise Kept(f"it still has {kept}")
    changes = events.changes_between(events.values_of(row), {})
    events.record(row, "destroy", who=who, changes=changes)
    row.delete()


def counted(counts):
    """`3 customers and 1 order`, in order of name, for a dictionary of model to number."""
    return " and ".join(
        f"{count} {meta.verbose_name if count == 1 else meta.verbose_name_plural}"
        for meta, count in sorted(
            ((model._meta, count) for model, count in counts.items() if count),
            key=lambda item: item[0].verbose_name,
        )
    )


def _keepers(row):
    """How many rows of each model point at `row` by a key that protects it."""
    pointing = {}
    for relation in row._meta.get_fields(include_hidden=True):
        if relation.auto_created and getattr(relation, "on_delete", None) is PROTECT:
            own = Q(**{relation.field.name: row})
            model = relation.related_model
            pointing[model] = pointing.get(model, Q()) | own
    return {model: model.objects.filter(q).count() for model, q in pointing.items()}


def _customer_id(row):
    return getattr(row, "customer_id", None)
