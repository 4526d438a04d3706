from django.db import models
from django.utils import timezone

from customers.db.declarations import keep
from customers.db.fields import IdField, InstantField, JsonField, new_id
from customers.models.base import Mode


class BulkAct(models.Model):
    """A bulk action under way: what is done to many customers, and how far it has come.

    Whom it is done to is fixed when it is begun. `refusals` maps the reasons for which customers
    were skipped to their numbers.
    """

    id = keep(IdField(primary_key=True, default=new_id, editable=False))
    mode = keep(models.CharField(max_length=4, choices=Mode))
    kind = keep(models.CharField(max_length=32))
    options = keep(JsonField(default=dict), because="it holds names of tags and ids")
    actor = keep(JsonField(null=True), because="it names who did it by id")
    total = keep(models.PositiveIntegerField(default=0))
    done = keep(models.PositiveIntegerField(default=0))
    refusals = keep(JsonField(default=dict), because="its sentences are ours")
    created_at = keep(InstantField(default=timezone.now))
    finished_at = keep(InstantField(null=True))

    class Meta:
        db_table = "bulk_acts"

    def __str__(self) -> str:
        return self.id

    @property
    def refused(self) -> int:
        """How many customers were skipped."""
        return sum(self.refusals.values())


class BulkChunk(models.Model):
    """Some of the customers of a bulk act, until it has been done to them."""

    id = keep(IdField(primary_key=True, default=new_id, editable=False))
    bulk_act = keep(models.ForeignKey(BulkAct, models.CASCADE, related_name="chunks"))
    customer_ids = keep(JsonField(), because="an id alone tells of nobody")

    class Meta:
        db_table = "bulk_chunks"

    def __str__(self) -> str:
        return self.id
