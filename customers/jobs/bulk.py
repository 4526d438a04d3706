"""Bulk actions under way: chunk by chunk, each customer once, in the chunk's transaction."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from customers.jobs.bulk_actions import ACTIONS, Options
from customers.models import BulkAct, BulkChunk, Customer
from customers.services.actors import Actor
from customers.services.transactions import skip_locked

CHUNK = 100  # customers who are locked together
AT_ONCE = 1000  # customers for whom a member of staff waits; more are left to the worker


def begin_bulk_act(
    customer_ids: Iterable[str],
    kind: str,
    *,
    mode: str,
    actor: Actor | None,
    options: Options | None = None,
) -> BulkAct:
    """Store that the action `kind` is to be done to the customers; return the BulkAct.

    `options` are those of the action's `apply`. Whoever has no more than AT_ONCE customers goes
    on with `finish`.
    """
    with transaction.atomic():
        act = BulkAct.objects.create(mode=mode, kind=kind, options=options or {}, actor=actor)
        waiting = iter(customer_ids)
        while ids := list(islice(waiting, CHUNK)):
            BulkChunk.objects.create(bulk_act=act, customer_ids=ids)
            act.total += len(ids)
        if not act.total:
            act.finished_at = timezone.now()
        act.save(update_fields=["total", "finished_at"])
    return act


def finish(act: BulkAct) -> BulkAct:
    """Do what is left of `act` that no worker is doing; return it as it then is."""
    while do_next(act.chunks.all()):
        pass
    act.refresh_from_db()
    return act


def do_next(chunks: QuerySet[BulkChunk] | None = None) -> bool:
    """Do the first of `chunks`, of all without, that no one else is doing.

    Returns whether there was one. What it does and how far the action has come are one transaction:
    whatever stops it, no customer is left out, and none is done twice.
    """
    chunks = BulkChunk.objects.all() if chunks is None else chunks
    with transaction.atomic():
        chunk = skip_locked(chunks.order_by("id")).first()
        if chunk is None:
            return False
        rows = Customer.objects.in_mode(chunk.bulk_act.mode).order_by("pk").select_for_update()
        customers = list(rows.filter(pk__in=chunk.customer_ids))
        skipped = _apply(customers, chunk.bulk_act)
        if gone := len(chunk.customer_ids) - len(customers):
            skipped["no longer there"] = gone
        chunk.delete()
        _count(chunk, skipped)
    return True


def _count(chunk, skipped):
    """Count the customers of `chunk`; `skipped` are the numbers of those who were, by reason."""
    act = BulkAct.objects.select_for_update().get(pk=chunk.bulk_act_id)
    act.done += len(chunk.customer_ids) - skipped.total()
    for reason, number in skipped.items():
        act.refusals[reason] = act.refusals.get(reason, 0) + number
    if act.done + act.refused == act.total:
        act.finished_at = timezone.now()
    act.save(update_fields=["done", "refusals", "finished_at"])


def _apply(customers, act):
    """Do it to the locked `customers`; returns how many were skipped, by reason."""
    free = [one for one in customers if not one.is_being_anonymized]
    skipped = Counter({"anonymized, or about to be": len(customers) - len(free)})
    skipped.update(ACTIONS[act.kind].apply(free, act.options, act.actor))
    return +skipped  # without reasons that apply to no one
