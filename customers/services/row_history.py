"""Whose a row is, who changed it last, and what became of it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model

from customers.models import Address, Application, Customer, EventStore, address_foreign_keys
from customers.services.actors import Actor

MOST_READ = 50  # entries of one row that are searched


@dataclass(frozen=True)
class Change:
    """When something was done, and who did it, in words."""

    at: datetime
    actor: str


@dataclass(frozen=True)
class End(Change):
    """The deletion of a row; `merged_into` is the id of the customer that a merged one became."""

    merged_into: str | None


def latest_changes(row: Model, columns: Iterable[str]) -> dict[str, Change]:
    """The latest Change of each of the `columns` of `row`, by column, as far as one is logged."""
    mode = getattr(row, "mode", None)
    if mode is None:  # the log is about resources
        return {}
    entries = EventStore.objects.filter(mode=mode, resource_id=row.pk).order_by("-id")
    found: dict[str, EventStore] = {}
    for entry in entries.filter(resource_type=row._meta.db_table)[:MOST_READ]:
        for name in {*columns} & entry.payload.keys():
            found.setdefault(name, entry)
    return {name: Change(entry.created_at, actor_name(entry.who)) for name, entry in found.items()}


def end_of(resource_type: str, pk: str, *, mode: str) -> End | None:
    """The End of the row that had the id `pk`; None when none of the type was ever deleted."""
    entries = EventStore.objects.filter(mode=mode, resource_id=pk, resource_type=resource_type)
    entry = entries.filter(event="destroy").order_by("-id").first()
    if entry is None:
        return None
    merged_into = entry.payload.get("merged_into", {}).get("to")
    return End(entry.created_at, actor_name(entry.who), merged_into)


def actor_name(actor: Actor | None) -> str:
    """The name of whoever the JSON `who` of an entry stands for."""
    known: Mapping[str, Any] = actor or {}
    owner, application = (known.get(name) or {} for name in ("owner", "application"))
    if owner.get("type") == "User":
        user = get_user_model().objects.filter(pk=owner["id"]).first()
        return user.get_username() if user else "a former member of staff"
    if owner.get("type") == "Operator":
        return "an operator"
    if owner:
        return "the customer"
    if application:
        found = Application.objects.filter(pk=application.get("id")).first()
        return found.name if found else "a program"
    return "the service"


def owners_of(row: Model) -> list[str]:
    """The ids of the customers whose `row` is, in order; of an address, of all who hold it."""
    if isinstance(row, Customer):
        return [row.pk]
    if isinstance(row, Address):
        held = [
            model.objects.filter(**{key: row}).exclude(customer=None).values_list("customer_id")
            for model, key in address_foreign_keys()
        ]
        first, *others = (one.order_by() for one in held)
        return sorted(pk for (pk,) in first.union(*others).order_by())
    owner = getattr(row, "owning_customer_id", None)
    return [owner] if owner else []


def states_of(customer_ids: Collection[str]) -> dict[str, list]:
    """Of each of the customers that there are: whether anonymizing has begun, the latest merger.

    A pair by id. The latest merger of another customer into it is the id of its entry in the
    audit log, "" when there was none.
    """
    if not customer_ids:
        return {}
    found = Customer.objects.filter(pk__in=customer_ids).values_list("pk", "anonymization_status")
    mergers = EventStore.objects.filter(resource_id__in=customer_ids, resource_type="customers")
    mergers = mergers.filter(event="update", payload__has_key="merged").order_by("id")
    latest = dict(mergers.values_list("resource_id", "id"))
    return {pk: [status in Customer.FORGOTTEN, latest.get(pk, "")] for pk, status in found}
