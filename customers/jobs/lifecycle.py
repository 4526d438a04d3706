"""What imports and exports have in common: jobs that the worker does part by part."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from customers.models import Job
from customers.services import audit, database_errors
from customers.services.transactions import skip_locked

J = TypeVar("J", bound=Job)
logger = logging.getLogger(__name__)

MOST_FAILURES = 5  # of one job
FIRST_RETRY = timedelta(seconds=30)  # doubled at each further one


def do_job_part(jobs: QuerySet[J], write: Callable[[J], None]) -> J | None:
    """Let `write` do the next part of the oldest open one of the queryset `jobs`, locked.

    Returns the job, None when none is due. One that somebody else is at work on is passed
    over. The part and the job's new state are written in one transaction. What fails is
    undone and put off, so that it holds up no other, and given up after MOST_FAILURES.
    """
    job = None
    try:
        with transaction.atomic():
            job = _claimed(jobs)
            if job:
                write(job)
                job.save(update_fields=job.STATE)
    except Exception as error:
        passes = database_errors.is_collision(error) or database_errors.is_away(error)
        if job is None or passes or not connection.is_usable():
            raise
        logger.warning("A part of job %s failed (%s).", job.pk, type(error).__name__)
        _put_off(job)
    return job


def _put_off(job):
    with transaction.atomic():
        job = skip_locked(type(job).objects.filter(pk=job.pk, status__in=job.OPEN)).first()
        if job is None:
            return
        job.failures += 1
        job.next_attempt_at = timezone.now() + FIRST_RETRY * 2 ** (job.failures - 1)
        if job.failures >= MOST_FAILURES:
            logger.error("Job %s is given up after %d failures.", job.pk, job.failures)
            job.give_up(timezone.now())
            audit.publish(job, "interrupt")
        job.save(update_fields=job.STATE)


def _claimed(jobs):
    """The oldest open one of `jobs` that is due, locked and, not yet saved, under way; or None."""
    due = jobs.filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now()), status__in=jobs.model.OPEN
    )
    job = skip_locked(due.order_by("pk")).first()
    if job is None:
        return None
    if job.started_at is None:
        job.started_at = timezone.now()
        audit.publish(job, "start")
    job.status = jobs.model.Status.IN_PROGRESS
    return job
