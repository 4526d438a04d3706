from datetime import datetime

from django.conf import settings
from django.core import signing
from django.db import models

from customers.db.declarations import keep, scrub
from customers.db.fields import InstantField, JsonField
from customers.db.indexes import by_each
from customers.models.base import Resource
from customers.models.transitions import TransitionError


class Job(Resource):
    """Work on many rows that the worker does part by part; each part is done whole or not at all.

    `who` had it done. `errors_log` maps what is wrong to where, as the client named it. A part
    that cannot be done has `failures`; it is tried again from `next_attempt_at` on.
    """

    exportable = importable = False

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        IN_PROGRESS = "in_progress", "In progress"
        INTERRUPTED = "interrupted", "Interrupted"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"

    class Format(models.TextChoices):
        JSON = "json", "JSON"
        CSV = "csv", "CSV"

    OPEN = (Status.PENDING, Status.IN_PROGRESS)
    STATE: tuple[str, ...] = (  # the columns that the worker writes
        "status",
        "started_at",
        "completed_at",
        "interrupted_at",
        "processed_count",
        "errors_count",
        "errors_log",
        "failures",
        "next_attempt_at",
    )
    resource_type = keep(
        models.CharField(max_length=32), says="The type of the resources.", example="customers"
    )
    format = keep(
        models.CharField(max_length=4, choices=Format, default=Format.JSON),
        says="How the file is written.",
    )
    status = keep(
        models.CharField(max_length=11, choices=Status, default=Status.PENDING, editable=False),
        says="Where the job stands; it is moved by triggers and by the worker.",
    )
    started_at = keep(InstantField(null=True, editable=False), says="When the worker began.")
    completed_at = keep(InstantField(null=True, editable=False), says="When all was done.")
    interrupted_at = keep(
        InstantField(null=True, editable=False), says="When it was stopped, null while it was not."
    )
    processed_count = keep(
        models.PositiveIntegerField(default=0, editable=False), says="How many resources are done."
    )
    errors_count = keep(
        models.PositiveIntegerField(default=0, editable=False), says="How many could not be done."
    )
    errors_log = scrub(
        JsonField(default=dict, editable=False),
        audited=False,
        says="What is wrong, by where it is in the inputs.",
    )
    actor = keep(
        JsonField(null=True, editable=False), because="it names who asked by id", audited=False
    )
    failures = keep(models.PositiveSmallIntegerField(default=0, editable=False), audited=False)
    next_attempt_at = keep(InstantField(null=True, editable=False), audited=False)

    class Meta(Resource.Meta):
        abstract = True
        indexes = [
            *Resource.Meta.indexes,
            models.Index(
                fields=["id"],
                condition=models.Q(status__in=["pending", "in_progress"]),
                name="%(class)s_open",
            ),
            *by_each("resource_type", "format", "status", "processed_count", "errors_count"),
            *by_each("started_at", "completed_at", "interrupted_at"),
        ]

    @property
    def offers_file(self) -> bool:
        """Whether there is a file to be had."""
        raise NotImplementedError

    @property
    def attachment_url(self) -> str | None:
        """A link to the file that works for five minutes, None while there is none."""
        if not self.offers_file:
            return None
        table = self._meta.db_table
        return f"{settings.PUBLIC_URL}/api/{table}/files/{signing.dumps(self.pk, salt=table)}"

    def interrupt(self, at: datetime) -> None:
        """Stop, without saving. Raises TransitionError for what has ended."""
        if self.status not in self.OPEN:
            raise TransitionError(f"cannot follow the status {self.status}")
        self.status, self.interrupted_at = self.Status.INTERRUPTED, at

    def give_up(self, at: datetime) -> None:
        """As `interrupt`, because parts of it failed on our side; `errors_log` says so."""
        self.interrupt(at)
        told = "failed on our side several times; whoever runs the service finds more in its log"
        self.errors_log = {**self.errors_log, "base": {"base": [told]}}

    def resume(self) -> None:
        """Go on where it was interrupted, without saving. Raises TransitionError."""
        if self.status != self.Status.INTERRUPTED:
            raise TransitionError(f"cannot follow the status {self.status}")
        self.status, self.interrupted_at = self.Status.PENDING, None
        self.failures, self.next_attempt_at = 0, None


class Import(Job):
    """Rows to be made or changed by a list of inputs; the next is at processed + errors.

    `parent_resource_id` is the id of what all the rows belong to. `refusals` are the errors in
    their order: lists of the row's number, its key or None, a name and what is wrong with it.
    `warnings_count` is how many inputs were written but for something in them.
    """

    STATE = (*Job.STATE, "refusals", "warnings_count")

    parent_resource_id = keep(
        models.CharField(max_length=255, null=True, blank=True),
        says="The id of the resource that all of them belong to, such as a customer's.",
    )
    inputs_size = keep(
        models.PositiveIntegerField(editable=False), says="How many resources were sent."
    )
    warnings_count = keep(
        models.PositiveIntegerField(default=0, db_default=0, editable=False),
        says="How many were written but for something in them, such as an unknown tag.",
    )
    skip_errors = keep(
        models.BooleanField(default=False),
        says="Whether to go on when more than a tenth of them cannot be done.",
    )
    refusals = scrub(JsonField(default=list, editable=False), audited=False)

    class Meta(Job.Meta):
        db_table = "imports"
        indexes = [
            *Job.Meta.indexes,
            *by_each("parent_resource_id", "inputs_size", "warnings_count"),
        ]

    def __str__(self) -> str:
        return f"{self.resource_type} {self.id}"

    @property
    def offers_file(self) -> bool:
        return self.status != self.Status.COMPLETED

    @property
    def position(self) -> int:
        return self.processed_count + self.errors_count

    @property
    def too_many_errors(self) -> bool:
        """Whether more than a tenth of the inputs has failed, and that matters."""
        return not self.skip_errors and self.errors_count * 10 > self.inputs_size
