"""Deliveries: which webhooks are due a call for which event, and what came of each call.

An event waits in the table it was written to, in the transaction of the change. `fan_out` turns
it into a delivery for each webhook of its topic; the dispatcher claims those that are due, makes
the calls, and records each as an event callback. A delivery that is under way is put off while it
is; should the worker die, it is due again, with the same id, so that every event arrives at least
once.
"""

import logging
import random
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from customers.db.fields import new_id
from customers.jobs import mails
from customers.models import Customer, Delivery, Event, EventCallback, QueuedMail, Webhook
from customers.services import webhooks
from customers.services.transactions import skip_locked

logger = logging.getLogger(__name__)

MOST_EVENTS = 500  # fanned out at once
FIRST_RETRY = 5  # seconds, doubled at each further one
GRACE = 30  # seconds beyond the time limit, after which a call that was begun is due again
SKEW = timedelta(seconds=5)  # between the clocks of two workers, at most
GONE = "410"  # RFC 9110 section 15.5.11


class CallResult(NamedTuple):
    """A call that has ended: what was sent, the status of the answer, and its reason.

    The payload is None when the call was not made, the status when there was no answer. At
    `retry_at` the receiver wants to be called again, if it said so.
    """

    delivery: Delivery
    payload: dict[str, Any] | None
    status: str | None
    reason: str
    retry_at: datetime | None = None

    @property
    def is_success(self) -> bool:
        return (self.status or "").startswith("2")


def fan_out() -> int:
    """Turn waiting events into deliveries; return how many events that were."""
    with transaction.atomic():
        waiting = Event.objects.filter(undispatched=True).order_by("pk")
        found = list(skip_locked(waiting)[:MOST_EVENTS])
        if not found:
            return 0
        listening: dict[tuple[str, str], list[Webhook]] = {}
        for webhook in Webhook.objects.filter(
            disabled_at=None, topic__in={event.name for event in found}
        ):
            listening.setdefault((webhook.mode, webhook.topic), []).append(webhook)
        Delivery.objects.bulk_create(
            Delivery(webhook=webhook, event=event)
            for event in found
            for webhook in listening.get((event.mode, event.name), ())
        )
        Event.objects.filter(pk__in=[event.pk for event in found]).update(undispatched=False)
    return len(found)


def claim(busy: Mapping[str, int], under_way: Collection[str]) -> list[Delivery]:
    """The deliveries to call now, put off while their calls are under way.

    `busy` maps webhooks' ids to the number of their calls that are under way, of the deliveries
    with the ids `under_way`.
    """
    now, found = timezone.now(), []
    due = (
        Delivery.objects.filter(next_attempt_at__lte=now)
        .exclude(pk__in=under_way)
        .order_by("next_attempt_at")
    )
    with transaction.atomic():
        waited_for = Webhook.objects.filter(Exists(due.filter(webhook=OuterRef("pk"))))
        for webhook in waited_for.callable_at(now):
            free = settings.WEBHOOK_CONCURRENCY - busy.get(webhook.pk, 0)
            mine = due.filter(webhook=webhook).select_related("event")
            for delivery in skip_locked(mine)[: max(free, 0)]:
                _begin(delivery, webhook, now)
                delivery.attempts += 1
                found.append(delivery)
        if settings.WEBHOOK_PROBE_INTERVAL is not None:
            found += _claim_probes(waited_for, due, now)
        Delivery.objects.bulk_update(found, ["attempts", "next_attempt_at"])
    return found


def _begin(delivery, webhook, now):
    """Let a call of `webhook` for the locked `delivery` be under way; it is not saved."""
    delivery.webhook, delivery.begun_at = webhook, now
    delivery.callback_id = new_id()
    delivery.next_attempt_at = _overdue_after(now)


def _overdue_after(now):
    """When a call that is begun now and of which nothing was heard is due again."""
    return now + timedelta(seconds=settings.WEBHOOK_TIMEOUT + GRACE)


def _claim_probes(waited_for, due, now):
    """One of the deliveries that are `due` for each webhook whose open circuit is to be tried.

    It is no attempt: an event that waits for a circuit is not given up by trying it.
    """
    probes = []
    for webhook in skip_locked(waited_for.probed_at(now)):
        mine = due.filter(webhook=webhook).select_related("event")
        for delivery in skip_locked(mine)[:1]:
            _begin(delivery, webhook, now)
            delivery.is_probe = True
            Webhook.objects.filter(pk=webhook.pk).update(next_call_at=_overdue_after(now))
            probes.append(delivery)
    return probes


def record_results(results: Sequence[CallResult], *, in_doubt: bool) -> None:
    """Write the callbacks of calls that have ended, and what follows for their webhooks.

    With `in_doubt` some may have been written, by a transaction whose end was not heard of:
    they have their callback.
    """
    with transaction.atomic():
        named = {result.delivery.webhook_id for result in results}
        rows = Webhook.objects.select_for_update().filter(pk__in=named).order_by("pk")
        locked = {webhook.pk: webhook for webhook in rows}
        results = [one for one in results if one.delivery.webhook_id in locked]
        if in_doubt:
            results = _unrecorded(results)
        EventCallback.objects.bulk_create(_callbacks_of(results))
        for result in results:
            _conclude(result, locked[result.delivery.webhook_id])
        Webhook.objects.bulk_update(locked.values(), webhooks.CIRCUIT)


def delete_expired_callbacks(now: datetime) -> None:
    """Delete the callbacks, and what waits behind an open circuit, whose time is over."""
    oldest = now - timedelta(days=settings.CALLBACK_RETENTION_DAYS)
    EventCallback.objects.filter(created_at__lt=oldest).delete()
    Delivery.objects.filter(next_attempt_at__lt=oldest).delete()


def _unrecorded(results):
    """Those of `results` that have no callback yet."""
    ids = [one.delivery.callback_id for one in results]
    recorded = set(EventCallback.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return [one for one in results if one.delivery.callback_id not in recorded]


def _callbacks_of(results):
    """The new callbacks of `results`, without payloads where somebody is forgotten.

    A payload was made before the call; whoever has been anonymized since may be quoted in it.
    """
    since = {one.delivery.event.mode: one.delivery.begun_at for one in reversed(results)}
    forgetting = {mode for mode, begun_at in since.items() if _has_forgotten(mode, begun_at)}
    return [
        EventCallback(
            id=one.delivery.callback_id,
            mode=one.delivery.event.mode,
            webhook_id=one.delivery.webhook_id,
            event=one.delivery.event,
            callback_url=one.delivery.webhook.callback_url,
            payload=None if one.delivery.event.mode in forgetting else one.payload,
            response_code=one.status,
            response_message=one.reason[:255],
        )
        for one in results
    ]


def _has_forgotten(mode, since):
    """Whether somebody in `mode` is being anonymized, or has been `since`."""
    customers, status = Customer.objects.in_mode(mode), Customer.AnonymizationStatus
    now = Q(anonymization_status=status.REQUESTED, anonymization_attempts__gt=0)
    lately = Q(anonymization_status=status.COMPLETED, updated_at__gte=since - SKEW)
    return customers.filter(now).exists() or customers.filter(lately).exists()


def _conclude(result, webhook):
    """Delete the delivery or put it off, and count the result for the locked `webhook`."""
    if result.is_success:
        webhook.circuit_failure_count = 0
        if result.delivery.is_probe:
            webhook.close_circuit()
        _delete(result.delivery)
    elif result.status == GONE and result.delivery.webhook.callback_url == webhook.callback_url:
        _switch_off(webhook)
        _delete(result.delivery)
    else:
        _spare(result, webhook)
        _count_failure(webhook)
        _retry_later(result)


def _switch_off(webhook):
    """Make no calls of the locked `webhook` any more, and tell the operator, once."""
    if webhook.disabled_at is None:
        logger.error("Webhook %s is disabled: its receiver answered 410.", webhook.pk)
        webhooks.disable_gone(webhook)
        mails.notify_operator(webhook, QueuedMail.Kind.WEBHOOK_GONE)


def _spare(result, webhook):
    """Call the receiver of the locked `webhook` no sooner than its failure asks for."""
    moments = [webhook.next_call_at, result.retry_at]
    if result.delivery.is_probe and webhook.circuit_state == Webhook.Circuit.OPEN:
        webhook.failed_probes += 1
        moments = [_next_probe_at(webhook), result.retry_at]
    webhook.next_call_at = max(filter(None, moments), default=None)


def _next_probe_at(webhook):
    """When the open circuit is tried again: twice as late each time, up to a bound."""
    first = max(settings.WEBHOOK_PROBE_INTERVAL or 0, 1)
    most = settings.WEBHOOK_MAX_PROBE_INTERVAL
    doublings = min(webhook.failed_probes, 30)  # more than any bound
    return timezone.now() + timedelta(seconds=min(first * 2**doublings, most))


def _count_failure(webhook):
    """Count a failure of the locked `webhook`; tell the operator, and open the circuit, in time."""
    webhook.circuit_failure_count += 1  # under the lock
    if webhook.circuit_failure_count == settings.WEBHOOK_NOTIFY_FAILURES:
        mails.notify_operator(webhook)
    is_open = webhook.circuit_state == Webhook.Circuit.OPEN
    if webhook.circuit_failure_count >= settings.WEBHOOK_CIRCUIT_FAILURES and not is_open:
        logger.error("The circuit of webhook %s is open.", webhook.pk)
        _open_circuit(webhook)


def _open_circuit(webhook):
    webhook.circuit_state, webhook.failed_probes = Webhook.Circuit.OPEN, 0
    if settings.WEBHOOK_PROBE_INTERVAL is not None:
        probe_at = timezone.now() + timedelta(seconds=settings.WEBHOOK_PROBE_INTERVAL)
        webhook.next_call_at = max(webhook.next_call_at or probe_at, probe_at)


def _retry_later(result):
    """Put the delivery off by twice as long each time, or give the event up after the last."""
    delivery = result.delivery
    if delivery.attempts > settings.WEBHOOK_RETRIES:
        event = delivery.event_id
        logger.error("Event %s is given up for webhook %s.", event, delivery.webhook_id)
        _delete(delivery)
        return
    seconds = FIRST_RETRY * 2 ** max(delivery.attempts - 1, 0)
    jitter = random.uniform(0.5, 1.5)  # noqa: S311 so that retries do not come all at once
    moment = timezone.now() + timedelta(seconds=seconds * jitter)
    moment = max(moment, result.retry_at or moment)
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=moment)


def _delete(delivery):
    """Delete the row; `delivery` itself keeps its id, in case the transaction is undone."""
    Delivery.objects.filter(pk=delivery.pk).delete()
