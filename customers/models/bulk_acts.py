from django.db import models
from django.utils import timezone

from customers.db.fields import IdField, InstantField, JsonField, new_id
from customers.models.base import Mode


class BulkAct(models.Model):
    """A bulk action under way: what is done to many customers, and how far it has come.

    Whom it is done to is fixed when it is begun. `refusals` maps the reasons for which customers
    were skipped to their numbers.
    """

    id = IdField(primary_key=True, default=new_id, editable=False)
    mode = models.CharField(max_length=4, choices=Mode)
    kind = models.CharField(max_length=32)
    options = JsonField(default=dict)
    actor = JsonField(null=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    refusals = JsonField(default=dict)
    created_at = InstantField(default=timezone.now)
    finished_at = InstantField(null=True)

    class Meta:
        db_table = "bulk_acts"

    def __str__(self):
        return self.id

    @property
    def refused(self):
        """How many customers were skipped."""
        return sum(self.refusals.values())


class BulkChunk(models.Model):
    """Some of the customers of a bulk act, until it has been done to them."""

    id = IdField(primary_key=True, default=new_id, editable=False)
    bulk_act = models.ForeignKey(BulkAct, models.CASCADE, related_name="chunks")
    customer_ids = JsonField()

    class Meta:
        db_table = "bulk_chunks"

    def __str__(self):
        return self.id
