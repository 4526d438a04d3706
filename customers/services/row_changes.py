"""Changing a row under its locks, and what follows from the change for others."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from django.db.models import PROTECT, Exists, Model, OuterRef, Q, QuerySet

from customers.models import (
    Address,
    Customer,
    DeletionRefusedError,
    Order,
    Resource,
    address_foreign_keys,
)
from customers.services import audit
from customers.services.actors import Actor
from customers.services.audit import Values
from customers.services.customers import ForgottenError, refuse_forgotten
from customers.services.orders import follow_order, lock_customers
from customers.services.sessions import follow_customer
from customers.services.transactions import ConcurrentUpdateError

CONSEQUENCES: dict[type[Resource], Callable[..., None]] = {
    Customer: follow_customer,
    Order: follow_order,
}

R = TypeVar("R", bound=Resource)


def lock(
    row: R,
    rows: QuerySet[R] | Callable[[str], R],
    *others: object,
    forgotten_too: bool = False,
) -> R:
    """`row` read again from `rows` under a lock, after its customer's and those of `others`.

    `rows` may also be a function that reads and locks the row with an id. `others` are customers
    and rows of customers, or None. Raises ConcurrentUpdateError when the row has just got another
    customer, DoesNotExist when it is gone, and ForgottenError when one of the customers has been
    anonymized, unless `forgotten_too`, as for what is deleted.
    """
    customer_id = _customer_id(row)
    lock_customers(customer_id, *map(_owner_id, others), forgotten_too=forgotten_too)
    locked = rows(row.pk) if callable(rows) else rows.select_for_update(of=("self",)).get(pk=row.pk)
    if _customer_id(locked) != customer_id:
        raise ConcurrentUpdateError
    if not forgotten_too:
        check_writable(locked)
    return locked


def admit(*others: object) -> None:
    """Lock the customers whose `others` are, rows that something new is to belong to.

    `others` are as those of `lock`. Raises ForgottenError.
    """
    lock_customers(*map(_owner_id, others))


def check_writable(row: Resource) -> None:
    """Raise ForgottenError when the locked `row` is, or is of, a customer who was anonymized.

    Of a row with a customer of its own, that one was asked under its lock. What belongs to a
    customer by way of another row is deleted or emptied by an anonymization that comes later.
    """
    if isinstance(row, Customer):
        refuse_forgotten(row)
    elif _customer_id(row) is None and _is_of_forgotten(row):
        raise ForgottenError


def _is_of_forgotten(row):
    forgotten = {"anonymization_status__in": Customer.FORGOTTEN}
    if isinstance(row, Address):  # it has no owner: whoever refers to it counts
        found = Q()
        for model, key in address_foreign_keys():
            holders = model.objects.filter(**{key: OuterRef("pk")})
            of_forgotten = {f"customer__{name}": value for name, value in forgotten.items()}
            found |= Q(Exists(holders.filter(**of_forgotten)))
        return Address.objects.filter(found, pk=row.pk).exists()
    owner_id = row.owning_customer_id
    return owner_id is not None and Customer.objects.filter(pk=owner_id, **forgotten).exists()


def _owner_id(row):
    """The id of the customer who `row` is, or who owns it; None where there is none."""
    if isinstance(row, Customer):
        return row.pk
    return row.owning_customer_id if isinstance(row, Resource) else None


def record_update(row: Resource, before: Values, *, actor: Actor | None) -> None:
    """Record how the locked `row` differs from `before`, and do what follows from it.

    `before` is what audit.audited_values gave before the change. Runs in the caller's
    transaction.
    """
    changes = audit.changes_between(before, audit.audited_values(row))
    if changes:
        audit.record(row, "update", actor=actor, changes=changes)
        if follow := CONSEQUENCES.get(type(row)):
            follow(row, changes, actor=actor)


def delete_locked_row(row: Resource, *, actor: Actor | None) -> None:
    """Delete the locked `row` and record it. Raises DeletionRefusedError and ProtectedError."""
    if referring := counted_rows(_referring_rows(row)):
        raise DeletionRefusedError(f"it still has {referring}")
    audit.record(row, "destroy", actor=actor)
    row.delete()


def counted_rows(counts: Mapping[type[Model], int]) -> str:
    """`3 customers and 1 order`, in order of name, for a dictionary of model to number."""
    return " and ".join(
        f"{count} {meta.verbose_name if count == 1 else meta.verbose_name_plural}"
        for meta, count in sorted(
            ((model._meta, count) for model, count in counts.items() if count),
            key=lambda item: str(item[0].verbose_name),
        )
    )


def _referring_rows(row):
    """How many rows of each model point at `row` by a key that protects it."""
    pointing: dict[type[Model], Q] = {}
    for relation in row._meta.get_fields(include_hidden=True):
        if relation.auto_created and getattr(relation, "on_delete", None) is PROTECT:
            own = Q(**{relation.field.name: row})
            model = relation.related_model
            pointing[model] = pointing.get(model, Q()) | own
    return {model: QuerySet(model).filter(q).count() for model, q in pointing.items()}


def _customer_id(row):
    return getattr(row, "customer_id", None)
