from datetime import datetime

from django.db import models
from django.utils import timezone

from customers.db.declarations import keep, scrub
from customers.db.fields import IdField, JsonField
from customers.db.indexes import by_each
from customers.models.imports import Job


class Export(Job):
    """Rows of one type to be written to a file, in order of their ids; `last_id` is the last.

    `filters` are those of filter[q]; `includes` are relationship paths; `fields`, where there are
    any, are what is written: a path and an attribute's name each. `jwt_filters` changes nothing:
    whoever may export sees all rows of its mode.
    """

    STATE = (*Job.STATE, "last_id", "has_file")

    filters = scrub(
        JsonField(default=dict, null=True, blank=True),
        audited=False,
        says="The filters of filter[q], by name: only what fits them is written.",
        example={"email_end": "@example.com"},
    )
    includes = keep(
        JsonField(default=list, null=True, blank=True),
        because="only paths are taken",
        says="The paths of relationships that are written, too.",
        example=["customer_group"],
    )
    fields = keep(
        JsonField(default=list, null=True, blank=True),
        because="only names are taken",
        says="What alone is written, each a path and an attribute, such as customers.email.",
        example=["customers.email"],
    )
    jwt_filters = keep(
        models.BooleanField(default=False),
        says="Taken, and without effect: an export has all rows of its mode.",
    )
    dry_data = keep(
        models.BooleanField(default=False),
        says="Whether to leave out ids, moments and what else an import would refuse.",
    )
    records_count = keep(
        models.PositiveIntegerField(editable=False), says="How many resources the file will have."
    )
    last_id = keep(IdField(default="", editable=False), way=False)
    has_file = keep(models.BooleanField(default=False, editable=False))

    class Meta(Job.Meta):
        db_table = "exports"
        indexes = [*Job.Meta.indexes, *by_each("records_count")]

    def __str__(self) -> str:
        return f"{self.resource_type} {self.id}"

    def give_up(self, at: datetime) -> None:
        super().give_up(at)
        self.status = self.Status.FAILED

    @property
    def offers_file(self) -> bool:
        return self.has_file

    @property
    def progress(self) -> float:
        """How much is done, in percent."""
        return round(100 * self.processed_count / self.records_count, 2)

    @property
    def estimated_completion_at(self) -> datetime | None:
        """When it will be done at the pace so far, None where there is none yet."""
        if self.completed_at or not (self.started_at and self.processed_count):
            return self.completed_at
        spent = timezone.now() - self.started_at
        return self.started_at + spent * (self.records_count / self.processed_count)
