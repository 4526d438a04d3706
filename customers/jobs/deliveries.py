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
from customers.models import Customer, Delivery, Event, EventCallback, Webhook
from customers.services.transactions import skip_locked

logger = logging.getLogger(__name__)

MOST_EVENTS = 500  # fanned out at once
FIRST_RETRY = 5  # seconds, doubled at each further one
GRACE = 30  # seconds beyond the time limit, after which a call that was begun is due again
SKEW = timedelta(seconds=5)  # between the clocks of two workers, at most


class CallResult(NamedTuple):
    """A call that has ended: what was sent, the status of the answer, and its reason.

    The payload is None when the call was not made, the status when there was no answer.
    """

    delivery: Delivery
    payload: dict[str, Any] | None
    status: str | None
    reason: str

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
        callable_now = Webhook.objects.filter(
            Exists(due.filter(webhook=OuterRef("pk"))),
            disabled_at=None,
            circuit_state=Webhook.Circuit.CLOSED,
        )
        for webhook in callable_now:
            free = settings.WEBHOOK_CONCURRENCY - busy.get(webhook.pk, 0)
            mine = due.filter(webhook=webhook).select_related("event")
            for delivery in skip_locked(mine)[: max(free, 0)]:
                delivery.webhook, delivery.begun_at = webhook, now
                delivery.callback_id = new_id()
                delivery.attempts += 1
                delivery.next_attempt_at = now + timedelta(seconds=settings.WEBHOOK_TIMEOUT + GRACE)
                found.append(delivery)
        Delivery.objects.bulk_update(found, ["attempts", "next_attempt_at"])
    return found


def record_results(results: Sequence[CallResult], *, in_doubt: bool) -> None:
    """Write the callbacks of calls that have ended, and what follows for their webhooks.

    With `in_doubt` some may have been written, by a transaction whose end was not heard of:
    they have their callback.
    """
    with transaction.atomic():
        named = {result.delivery.webhook_id for result in results}
        locked = Webhook.objects.select_for_update().filter(pk__in=named).order_by("pk")
        webhooks = {webhook.pk: webhook for webhook in locked}
        results = [one for one in results if one.delivery.webhook_id in webhooks]
        if in_doubt:
            results = _unrecorded(results)
        EventCallback.objects.bulk_create(_callbacks_of(results))
        for result in results:
            _conclude(result, webhooks[result.delivery.webhook_id])
        columns = ["circuit_state", "circuit_failure_count"]
        Webhook.objects.bulk_update(webhooks.values(), columns)


def delete_expired(now: datetime) -> None:
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
            id=delivery.callback_id,
            mode=delivery.event.mode,
            webhook_id=delivery.webhook_id,
            event=delivery.event,
            callback_url=delivery.webhook.callback_url,
            payload=None if delivery.event.mode in forgetting else payload,
            response_code=status,
            response_message=reason[:255],
        )
        for delivery, payload, status, reason in results
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
        _delete(result.delivery)
        return
    _count_failure(webhook)
    if result.delivery.attempts > settings.WEBHOOK_RETRIES:
        event = result.delivery.event_id
        logger.error("Event %s is given up for webhook %s.", event, webhook.pk)
        _delete(result.delivery)
    else:
        _retry_later(result.delivery)


def _count_failure(webhook):
    """Count a failure of the locked `webhook`; tell the operator, and open the circuit, in time."""
    webhook.circuit_failure_count += 1  # under the lock
    if webhook.circuit_failure_count == settings.WEBHOOK_NOTIFY_FAILURES:
        mails.notify_operator(webhook)
    if webhook.circuit_failure_count >= settings.WEBHOOK_CIRCUIT_FAILURES:
        if webhook.circuit_state != Webhook.Circuit.OPEN:
            logger.error("The circuit of webhook %s is open.", webhook.pk)
        webhook.circuit_state = Webhook.Circuit.OPEN


def _retry_later(delivery):
    seconds = FIRST_RETRY * 2 ** (delivery.attempts - 1)
    jitter = random.uniform(0.5, 1.5)  # noqa: S311 so that retries do not come all at once
    Delivery.objects.filter(pk=delivery.pk).update(
        next_attempt_at=timezone.now() + timedelta(seconds=seconds * jitter)
    )


def _delete(delivery):
    """Delete the row; `delivery` itself keeps its id, in case the transaction is undone."""
    Delivery.objects.filter(pk=delivery.pk).delete()
