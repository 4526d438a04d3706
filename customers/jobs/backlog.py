"""How much work waits for the worker, and how much of it is overdue."""

from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from customers.models import (
    BulkChunk,
    Customer,
    Delivery,
    Event,
    Export,
    Import,
    QueuedMail,
    Webhook,
)

OVERDUE_AFTER = timedelta(minutes=5)
MOST_COUNTED = 10_000  # of one kind: it is counted every few seconds, however long the queue is
EVER = datetime(2000, 1, 1, tzinfo=UTC)  # before any of ours: an index finds those that have one


def waiting() -> dict[str, int]:
    """The number of jobs of each kind that wait or are under way, MOST_COUNTED at most.

    What is not due yet waits, too: a mail that is tried again later, a person who may
    still cancel the anonymization.
    """
    return {kind: _count(rows) for kind, (rows, _) in _queues(timezone.now()).items()}


def overdue() -> dict[str, int]:
    """Of `waiting`, the number that were due OVERDUE_AFTER ago, or failed on our side.

    What waits for a receiver whose webhook is disabled, whose circuit is open, or who asked
    for time, is not the worker's to do.
    """
    cutoff = timezone.now() - OVERDUE_AFTER
    return {kind: _count(rows.filter(due)) for kind, (rows, due) in _queues(cutoff).items()}


def _queues(moment: datetime) -> dict[str, tuple[QuerySet, Q]]:
    """The rows that wait, by kind, and the condition on those that were due by `moment`."""
    came, due = Q(created_at__lte=moment), Q(next_attempt_at__lte=moment)
    callable_now = Webhook.objects.callable_at(moment)
    idle = Q(updated_at__lte=moment) & (Q(next_attempt_at=None) | due)
    forgotten = Q(anonymize_at__lte=moment) | Q(anonymization_attempts__gt=1)
    return {
        "mails": (QueuedMail.objects.all(), due),
        "events": (Event.objects.filter(undispatched=True), came),
        "webhooks": (Delivery.objects.all(), due & Q(webhook__in=callable_now)),
        "bulk_chunks": (BulkChunk.objects.all(), Q(bulk_act__created_at__lte=moment)),
        "imports": (Import.objects.filter(status__in=Import.OPEN), idle),
        "exports": (Export.objects.filter(status__in=Export.OPEN), idle),
        "anonymizations": (Customer.objects.filter(anonymize_at__gte=EVER), forgotten),
    }


def _count(rows):
    return rows.order_by()[:MOST_COUNTED].count()
