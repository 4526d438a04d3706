"""Telling webhooks what happened: from an event to the answers of all who are due a call.

An event waits in the table it was written to, in the transaction of the change. The worker
turns it into a delivery for each webhook of its topic, makes the calls, and writes down
each as an event callback. A delivery that is under way is put off while it is; should the
worker die, it is due again, with the same id, so that every event arrives at least once.
"""

import base64
import hashlib
import hmac
import logging
import random
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import timedelta

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from standardwebhooks import Webhook as StandardWebhook

from customers.db.fields import new_id
from customers.jobs import mails
from customers.models import Customer, Delivery, Event, EventCallback, Webhook
from customers.resources import operations, webhook_includes
from customers.services import outbound
from customers.services.transactions import skip_locked

logger = logging.getLogger(__name__)

MOST_EVENTS = 500  # spread at once
FIRST_RETRY = 5  # seconds, doubled at each further one
GRACE = 30  # seconds beyond the time limit, after which a call that was begun is due again
SKEW = timedelta(seconds=5)  # between the clocks of two workers, at most
MEDIA_TYPE = "application/vnd.api+json"


def spread():
    """Turn waiting events into deliveries; return how many events that were."""
    with transaction.atomic():
        waiting = Event.objects.filter(undispatched=True).order_by("pk")
        found = list(skip_locked(waiting)[:MOST_EVENTS])
        if not found:
            return 0
        listening = {}
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


class WebhookDispatcher:
    """Makes the calls that are due, as many at once as each webhook may have."""

    def __init__(self):
        self._caller = outbound.WebhookClient()
        self._claimed = deque()  # deliveries to begin
        self._under_way = {}  # Future: (Delivery, payload)
        self._busy = Counter()  # webhook id: calls under way
        self._in_doubt = False  # whether what has ended may have been written down

    def step(self, pause):
        """Begin what is due and write down what has ended, within `pause` seconds.

        Returns how many calls have ended. Raises DatabaseError; nothing is lost by it, and the
        next step goes on where this one was.
        """
        count = self.settle()
        spread()
        self.begin()
        if self._under_way:
            wait(self._under_way, timeout=pause, return_when=FIRST_COMPLETED)
        return count + self.settle()

    @property
    def is_idle(self):
        return not self._under_way and not self._claimed

    def begin(self):
        if not self._claimed:
            mine = [delivery.pk for delivery, _ in self._under_way.values()]
            self._claimed.extend(_claim(self._busy, mine))
        while self._claimed:
            delivery = self._claimed[0]
            if delivery.next_attempt_at > timezone.now():  # after which somebody else may claim it
                call, payload = self._call(delivery)
                self._under_way[call] = delivery, payload
                self._busy[delivery.webhook_id] += 1
            self._claimed.popleft()

    def _call(self, delivery):
        """The Future of a call's status and reason, and its payload. Raises DatabaseError."""
        try:
            payload = webhook_includes.payload_of(delivery.event, delivery.webhook)
        except operations.WriteRefusedError as error:
            call = Future()
            call.set_result((None, str(error)[:255]))
            return call, None
        body = orjson.dumps(payload)
        headers = headers_of(delivery.event, delivery.webhook, body)
        return self._caller.post(delivery.webhook.callback_url, body, headers), payload

    def settle(self):
        ended = [call for call in self._under_way if call.done()]
        if ended:
            in_doubt, self._in_doubt = self._in_doubt, True
            results = [(*self._under_way[call], *call.result()) for call in ended]
            _settle(results, in_doubt=in_doubt)
            self._in_doubt = False
        for call in ended:
            delivery, _ = self._under_way.pop(call)
            self._busy[delivery.webhook_id] -= 1
        return len(ended)

    def finish(self):
        """Wait for the calls that are under way, write them down, and end."""
        try:
            wait(self._under_way, timeout=settings.WEBHOOK_TIMEOUT + 1)
            self.settle()
        finally:
            self._caller.close()


def deliver_all():
    """Make every call that is due now; return how many that were."""
    while spread():
        pass
    if not Delivery.objects.filter(next_attempt_at__lte=timezone.now()).exists():
        return 0
    courier, count = WebhookDispatcher(), 0
    try:
        courier.begin()
        while not courier.is_idle:
            count += courier.step(settings.WEBHOOK_TIMEOUT)
    finally:
        courier.finish()
    return count


def headers_of(event, webhook, body):
    """What a call carries: Commerce Layer's two headers, and those of Standard Webhooks.

    `webhook-id` is the event's id: the same in every attempt and for every replay.
    """
    key, now = webhook.shared_secret.encode(), timezone.now()
    signature = base64.b64encode(hmac.digest(key, body, hashlib.sha256)).decode()
    return {
        "Content-Type": MEDIA_TYPE,
        "User-Agent": "Clientele",
        "X-CommerceLayer-Topic": event.name,
        "X-CommerceLayer-Signature": signature,
        "webhook-id": event.pk,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": StandardWebhook(key).sign(event.pk, now, body.decode()),
    }


def sweep(now):
    """Delete the callbacks, and what waits behind an open circuit, whose time is over."""
    oldest = now - timedelta(days=settings.CALLBACK_RETENTION_DAYS)
    EventCallback.objects.filter(created_at__lt=oldest).delete()
    Delivery.objects.filter(next_attempt_at__lt=oldest).delete()


def _claim(busy, under_way):
    """The deliveries to begin now, put off while they are under way, as those with the ids are."""
    now, found = timezone.now(), []
    due = (
        Delivery.objects.filter(next_attempt_at__lte=now)
        .exclude(pk__in=under_way)
        .order_by("next_attempt_at")
    )
    with transaction.atomic():
        open_for_calls = Webhook.objects.filter(
            Exists(due.filter(webhook=OuterRef("pk"))),
            disabled_at=None,
            circuit_state=Webhook.Circuit.CLOSED,
        )
        for webhook in open_for_calls:
            places = settings.WEBHOOK_CONCURRENCY - busy[webhook.pk]
            mine = due.filter(webhook=webhook).select_related("event")
            claimed = skip_locked(mine)[: max(places, 0)]
            for delivery in claimed:
                delivery.webhook, delivery.begun_at = webhook, now
                delivery.callback_id = new_id()
                delivery.attempts += 1
                delivery.next_attempt_at = now + timedelta(seconds=settings.WEBHOOK_TIMEOUT + GRACE)
                found.append(delivery)
        Delivery.objects.bulk_update(found, ["attempts", "next_attempt_at"])
    return found


def _settle(ended, *, in_doubt):
    """Write down calls that have ended: tuples of delivery, payload, status and reason.

    With `in_doubt` some may have been, by a transaction whose end was not heard of: they have
    their callback. Payloads are not kept where somebody has been anonymized since they were
    made, or is.
    """
    with transaction.atomic():
        named = {delivery.webhook_id for delivery, *_ in ended}
        locked = Webhook.objects.select_for_update().filter(pk__in=named).order_by("pk")
        there = {webhook.pk: webhook for webhook in locked}
        ended = [one for one in ended if one[0].webhook_id in there]
        if in_doubt:
            ids = [one[0].callback_id for one in ended]
            written = set(EventCallback.objects.filter(pk__in=ids).values_list("pk", flat=True))
            ended = [one for one in ended if one[0].callback_id not in written]
        since = {one[0].event.mode: one[0].begun_at for one in reversed(ended)}
        forgetting = {mode for mode, begun_at in since.items() if _forgotten(mode, begun_at)}
        EventCallback.objects.bulk_create(
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
            for delivery, payload, status, reason in ended
        )
        for delivery, _, status, _ in ended:
            _conclude(delivery, there[delivery.webhook_id], (status or "").startswith("2"))
        Webhook.objects.bulk_update(there.values(), ["circuit_state", "circuit_failure_count"])


def _forgotten(mode, since):
    """Whether somebody in `mode` is being anonymized, or has been `since`."""
    customers, status = Customer.objects.in_mode(mode), Customer.AnonymizationStatus
    now = Q(anonymization_status=status.REQUESTED, anonymization_attempts__gt=0)
    lately = Q(anonymization_status=status.COMPLETED, updated_at__gte=since - SKEW)
    return customers.filter(now).exists() or customers.filter(lately).exists()


def _conclude(delivery, webhook, received):
    """Let go of `delivery`, or put it off, and count what that says of the locked `webhook`."""
    if received:
        webhook.circuit_failure_count = 0
        _let_go(delivery)
        return
    webhook.circuit_failure_count += 1  # under the lock
    if webhook.circuit_failure_count == settings.WEBHOOK_NOTIFY_FAILURES:
        mails.tell_operator(webhook)
    if webhook.circuit_failure_count >= settings.WEBHOOK_CIRCUIT_FAILURES:
        if webhook.circuit_state != Webhook.Circuit.OPEN:
            logger.error("The circuit of webhook %s is open.", webhook.pk)
        webhook.circuit_state = Webhook.Circuit.OPEN
    if delivery.attempts > settings.WEBHOOK_RETRIES:
        logger.error("Event %s is given up for webhook %s.", delivery.event_id, webhook.pk)
        _let_go(delivery)
        return
    seconds = FIRST_RETRY * 2 ** (delivery.attempts - 1)
    spread_out = random.uniform(0.5, 1.5)
    Delivery.objects.filter(pk=delivery.pk).update(
        next_attempt_at=timezone.now() + timedelta(seconds=seconds * spread_out)
    )


def _let_go(delivery):
    """Delete the row; `delivery` itself keeps its id, in case the transaction is undone."""
    Delivery.objects.filter(pk=delivery.pk).delete()
