"""Acts on jobs of the worker's, imports and exports alike: stopped, resumed, their file found."""

from datetime import timedelta
from typing import TypeVar

from django.core import signing
from django.db.models import QuerySet
from django.utils import timezone

from customers.models import Export, Import
from customers.services import audit
from customers.services.actors import Actor

LINK_LIVES = timedelta(minutes=5)

Job = Import | Export
J = TypeVar("J", Import, Export)


def interrupt(job: Job, *, actor: Actor | None = None) -> None:
    """Stop the locked `job` where it is. Raises TransitionError."""
    job.interrupt(timezone.now())
    job.save(update_fields=["status", "interrupted_at"])
    audit.publish(job, "interrupt")


def resume(job: Job, *, actor: Actor | None = None) -> None:
    """Let the locked `job`, which was interrupted, go on. Raises TransitionError."""
    job.resume()
    job.save(update_fields=["status", "interrupted_at", "failures", "next_attempt_at"])


def linked(jobs: QuerySet[J], signed: str) -> J:
    """The one of the queryset `jobs` that an attachment_url ending in `signed` leads to.

    Raises the model's DoesNotExist, also when the link is too old.
    """
    model = jobs.model
    try:
        pk = signing.loads(signed, salt=model._meta.db_table, max_age=LINK_LIVES)
    except signing.BadSignature as error:
        raise model.DoesNotExist from error
    return jobs.get(pk=pk)
