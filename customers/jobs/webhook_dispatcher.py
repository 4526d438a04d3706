"""The dispatcher: it makes the calls of the deliveries that are due."""

import base64
import hashlib
import hmac
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

import orjson
from django.conf import settings
from django.utils import timezone
from standardwebhooks import Webhook as StandardWebhook

from customers.jobs import deliveries
from customers.jobs.deliveries import CallResult
from customers.jobs.webhook_client import Answer, WebhookClient
from customers.models import Delivery, Event, Webhook
from customers.resources import operations, webhook_includes

MEDIA_TYPE = "application/vnd.api+json"


class WebhookDispatcher:
    """Makes the calls that are due, as many at once as each webhook may have."""

    def __init__(self) -> None:
        self._client = WebhookClient()
        self._claimed: deque[Delivery] = deque()  # deliveries to begin
        self._under_way: dict[Future, tuple[Delivery, dict[str, Any] | None]] = {}
        self._busy: Counter[str] = Counter()  # webhook id: calls under way
        self._in_doubt = False  # whether what has ended may have been recorded

    def step(self, pause: float) -> int:
        """Begin what is due and record what has ended, within `pause` seconds.

        Returns how many calls have ended. Raises DatabaseError; nothing is lost by it, and the
        next step continues where this one was.
        """
        count = self.record_ended()
        deliveries.fan_out()
        self.begin()
        if self._under_way:
            wait(self._under_way, timeout=pause, return_when=FIRST_COMPLETED)
        return count + self.record_ended()

    @property
    def is_idle(self) -> bool:
        """Whether no call is under way or about to begin."""
        return not self._under_way and not self._claimed

    def begin(self) -> None:
        """Claim what is due, and begin its calls. Raises DatabaseError."""
        if not self._claimed:
            mine = [delivery.pk for delivery, _ in self._under_way.values()]
            self._claimed.extend(deliveries.claim(self._busy, mine))
        while self._claimed:
            delivery = self._claimed[0]
            if delivery.next_attempt_at > timezone.now():  # after which somebody else may claim it
                call, payload = self._call(delivery)
                self._under_way[call] = delivery, payload
                self._busy[delivery.webhook_id] += 1
            self._claimed.popleft()

    def _call(self, delivery):
        """The Future of a call's answer, and its payload. Raises DatabaseError."""
        try:
            payload = webhook_includes.payload_of(delivery.event, delivery.webhook)
        except operations.WriteRefusedError as error:
            call: Future[Answer] = Future()
            call.set_result(Answer(None, str(error)[:255]))
            return call, None
        body = orjson.dumps(payload)
        headers = headers_of(delivery.event, delivery.webhook, body)
        return self._client.post(delivery.webhook.callback_url, body, headers), payload

    def record_ended(self) -> int:
        """Record the calls that have ended; return how many. Raises DatabaseError."""
        ended = [call for call in self._under_way if call.done()]
        if ended:
            in_doubt, self._in_doubt = self._in_doubt, True
            results = [CallResult(*self._under_way[call], *call.result()) for call in ended]
            deliveries.record_results(results, in_doubt=in_doubt)
            self._in_doubt = False
        for call in ended:
            delivery, _ = self._under_way.pop(call)
            self._busy[delivery.webhook_id] -= 1
        return len(ended)

    def finish(self) -> None:
        """Wait for the calls that are under way, record them, and end."""
        try:
            wait(self._under_way, timeout=settings.WEBHOOK_TIMEOUT + 1)
            self.record_ended()
        finally:
            self._client.close()


def deliver_all() -> int:
    """Make every call that is due now; return how many that were."""
    while deliveries.fan_out():
        pass
    if not Delivery.objects.filter(next_attempt_at__lte=timezone.now()).exists():
        return 0
    dispatcher, count = WebhookDispatcher(), 0
    try:
        dispatcher.begin()
        while not dispatcher.is_idle:
            count += dispatcher.step(settings.WEBHOOK_TIMEOUT)
    finally:
        dispatcher.finish()
    return count


def headers_of(event: Event, webhook: Webhook, body: bytes) -> dict[str, str]:
    """What a call carries: Commerce Layer's two headers, those of Standard Webhooks, and its own.

    `webhook-id` is the event's id: the same in every attempt and for every replay.
    """
    key, now = webhook.shared_secret.encode(), timezone.now()
    signature = base64.b64encode(hmac.digest(key, body, hashlib.sha256)).decode()
    return {
        **(webhook.callback_headers or {}),
        "Content-Type": MEDIA_TYPE,
        "User-Agent": "Clientele",
        "X-CommerceLayer-Topic": event.name,
        "X-CommerceLayer-Signature": signature,
        "webhook-id": event.pk,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": StandardWebhook(key).sign(event.pk, now, body.decode()),
    }
