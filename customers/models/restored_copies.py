from django.db import models
from django.utils import timezone

from customers.db.declarations import keep
from customers.db.fields import InstantField


class RestoredCopy(models.Model):
    """That the database is a restored copy, whose webhooks and mails wait; gone when released."""

    id = keep(models.PositiveSmallIntegerField(primary_key=True, default=1))
    held_at = keep(InstantField(default=timezone.now))

    class Meta:
        db_table = "restored_copies"
        verbose_name_plural = "restored copies"

    def __str__(self) -> str:
        return str(self.pk)
