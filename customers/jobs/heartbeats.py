"""Heartbeats of the worker, for those who watch it from elsewhere."""

import time
from datetime import datetime

from django.utils import timezone

from customers.models import WorkerHeartbeat

WORKS = ("mails", "webhooks", "bulk_chunks", "imports", "exports", "anonymizations")
EVERY = 15  # seconds, less often than which no process writes
_written: dict[str, float] = {}  # work: when this process last did, in its own time


def beat(*works: str) -> None:
    """Record that the worker looks for `works`, of WORKS, now.

    Raises DatabaseError when the database does not answer.
    """
    moment = time.monotonic()
    due = [one for one in works if moment - _written.get(one, -EVERY) >= EVERY]
    if not due:
        return
    now = timezone.now()
    WorkerHeartbeat.objects.bulk_create(
        [WorkerHeartbeat(work=work, seen_at=now) for work in due],
        update_conflicts=True,
        unique_fields=["work"],
        update_fields=["seen_at"],
    )
    _written.update(dict.fromkeys(due, moment))


def last_seen() -> dict[str, datetime]:
    """When each kind of work was last looked for, by its name; what never was is missing."""
    return dict(WorkerHeartbeat.objects.values_list("work", "seen_at"))
