from datetime import datetime

from django.db import models
from django.utils import timezone

from customers.db.declarations import keep
from customers.db.fields import IdField, InstantField, new_id


class Delivery(models.Model):
    """A call that a webhook is due for an event; the worker makes it and deletes the row.

    A call that is under way has begun at `begun_at` and will have the callback `callback_id`; a
    probe tells whether the webhook's open circuit can be closed.
    """

    begun_at: datetime  # these three are no columns
    callback_id: str
    is_probe = False

    id = keep(IdField(primary_key=True, default=new_id, editable=False))
    webhook = keep(models.ForeignKey("Webhook", models.CASCADE, related_name="deliveries"))
    event = keep(models.ForeignKey("Event", models.CASCADE, related_name="deliveries"))
    attempts = keep(models.PositiveIntegerField(default=0))
    next_attempt_at = keep(InstantField(default=timezone.now))

    class Meta:
        db_table = "deliveries"
        verbose_name_plural = "deliveries"
        indexes = [models.Index(fields=["webhook", "next_attempt_at"], name="deliveries_due")]

    def __str__(self) -> str:
        return self.id
