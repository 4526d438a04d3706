"""What imports and exports have in common: jobs that the worker does part by part."""

from datetime import timedelta

from django.core import signing
from django.utils import timezone

from customers.services import events
from customers.services.transactions import unclaimed

LINK_LIVES = timedelta(minutes=5)


def claim(jobs):
    """The oldest open one of the queryset `jobs`, locked and, not yet saved, under way; or None.

    One that somebody else is at work on is passed over.
    """
    job = unclaimed(jobs.filter(status__in=jobs.model.OPEN).order_by("pk")).first()
    if job is None:
        return None
    if job.started_at is None:
        job.started_at = timezone.now()
        events.announce(job, "start")
    job.status = jobs.model.Status.IN_PROGRESS
    return job


def interrupt(job, *, who=None):
    """Stop the locked `job` where it is. Raises ForbiddenMove."""
    job.interrupt(timezone.now())
    job.save(update_fields=["status", "interrupted_at"])
    events.announce(job, "interrupt")


def linked(jobs, signed):
    """The one of the queryset `jobs` that an attachment_url ending in `signed` leads to.

    Raises the model's DoesNotExist, also when the link is too old.
    """
    model = jobs.model
    try:
        pk = signing.loads(signed, salt=model._meta.db_table, max_age=LINK_LIVES)
    except signing.BadSignature as error:
        raise model.DoesNotExist from error
    return jobs.get(pk=pk)


def resume(job, *, who=None):
    """Let the locked `job`, which was interrupted, go on. Raises ForbiddenMove."""
    job.resume()
    job.save(update_fields=["status", "interrupted_at"])
