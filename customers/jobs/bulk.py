"""Doing one thing to many customers: each in the transaction of its chunk, once, or refused."""

from collections import Counter
from itertools import islice

from django.db import transaction
from django.utils import timezone

from customers.jobs import mails
from customers.models import BulkAct, BulkChunk, Customer, CustomerGroup, QueuedMail
from customers.resources import operations
from customers.services import audit, principals, row_changes, tagging
from customers.services.transactions import skip_locked

CHUNK = 100  # customers who are locked together
AT_ONCE = 1000  # customers for whom a member of staff waits; more are left to the worker
Kind = BulkAct.Kind
Status = Customer.AnonymizationStatus
FORGOTTEN = (Status.REQUESTED, Status.STARTED, Status.COMPLETED)


class ActionRefusedError(Exception):
    """It cannot be done to this customer; the message, a sentence, says why."""


def begin(customer_ids, kind, *, mode, actor, options=None):
    """Write down that `kind` is to be done to the customers; return the BulkAct.

    `customer_ids` is an iterable. `options` are {"tags": "a,b"} or {"customer_group": id or
    None}. Who has no more than AT_ONCE customers goes on with `finish`.
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


def finish(act):
    """Do what is left of `act` that no worker is doing; return it as it then is."""
    while do_next(act.chunks):
        pass
    act.refresh_from_db()
    return act


def do_next(chunks=BulkChunk.objects):
    """Do the first of `chunks` that nobody else is doing. Returns whether there was one.

    What it does and how far the act has come are one transaction: whatever stops it, a
    customer is neither left out nor served twice.
    """
    with transaction.atomic():
        chunk = skip_locked(chunks.order_by("id")).first()
        if chunk is None:
            return False
        rows = Customer.objects.in_mode(chunk.bulk_act.mode).order_by("pk").select_for_update()
        customers = list(rows.filter(pk__in=chunk.customer_ids))
        refusals = _do(customers, chunk.bulk_act)
        if gone := len(chunk.customer_ids) - len(customers):
            refusals["Is gone."] = gone
        chunk.delete()
        _count(chunk, refusals)
    return True


def _count(chunk, refusals):
    """Write down how far the act has come with `chunk`."""
    act = BulkAct.objects.select_for_update().get(pk=chunk.bulk_act_id)
    act.done += len(chunk.customer_ids) - sum(refusals.values())
    for sentence, count in refusals.items():
        act.refusals[sentence] = act.refusals.get(sentence, 0) + count
    if act.done + act.refused == act.total:
        act.finished_at = timezone.now()
    act.save(update_fields=["done", "refusals", "finished_at"])


def _do(customers, act):
    """Do it to the locked `customers`; returns what stood in the way, and of how many."""
    free = [one for one in customers if one.anonymization_status not in FORGOTTEN]
    refusals = Counter({"Is being anonymized, or has been.": len(customers) - len(free)})
    refusals.update(ACTS[act.kind](free, act.options, act.actor))
    return +refusals  # without those of nobody


def _each(do):
    """An act on many of `do`, which is done to one and may raise ActionRefusedError."""

    def act(customers, options, actor):
        for customer in customers:
            try:
                do(customer, options, actor)
            except ActionRefusedError as error:
                yield str(error)

    return act


def _add_tags(customers, options, actor):
    spared = tagging.retag_all(customers, add=options["tags"], actor=actor)
    return [f"A customer {tagging.TooManyTagsError()}." for _ in spared]


def _remove_tags(customers, options, actor):
    tagging.retag_all(customers, remove=options["tags"], actor=actor)
    return []


def _set_group(customer, options, actor):
    group = options["customer_group"]
    if group and not CustomerGroup.objects.in_mode(customer.mode).filter(pk=group).exists():
        raise ActionRefusedError("The group is gone.")
    before = audit.values_of(customer)
    if before["customer_group_id"] != group:
        customer.customer_group_id = group
        customer.save(update_fields=["customer_group"])
        row_changes.record_update(customer, before, actor=actor)


def _send_reset(customer, options, actor):
    if not customer.has_password:
        raise ActionRefusedError("Is a guest without a password; send an invitation.")
    mails.request_reset(customer.email, mode=customer.mode, actor=actor)


def _send_invitation(customer, options, actor):
    if customer.has_password:
        raise ActionRefusedError("Is registered already; send a password reset.")
    kind = QueuedMail.Kind.INVITATION
    mails.request_reset(customer.email, mode=customer.mode, actor=actor, kind=kind)


def _request_anonymization(customer, options, actor):
    try:
        operations.update(
            customer,
            principals.InternalPrincipal(customer.mode, actor),
            {"_request_anonymization": True},
        )
    except operations.WriteRefusedError as error:
        raise ActionRefusedError(f"It {error.errors[0][1]}.") from error


ACTS = {
    Kind.ADD_TAGS: _add_tags,
    Kind.REMOVE_TAGS: _remove_tags,
    Kind.SET_GROUP: _each(_set_group),
    Kind.SEND_RESET: _each(_send_reset),
    Kind.REQUEST_ANONYMIZATION: _each(_request_anonymization),
    Kind.SEND_INVITATION: _each(_send_invitation),
}
