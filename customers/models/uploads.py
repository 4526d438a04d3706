from django.db import models
from django.utils import timezone

from customers.db.declarations import keep, scrub
from customers.db.fields import IdField, InstantField, new_id
from customers.models.base import Mode


class Upload(models.Model):
    """A file that a member of staff looks through before it is imported; gone after that."""

    id = keep(IdField(primary_key=True, default=new_id, editable=False))
    mode = keep(models.CharField(max_length=4, choices=Mode))
    user = keep(models.ForeignKey("auth.User", models.CASCADE, related_name="+"))
    text = scrub(models.TextField())
    created_at = keep(InstantField(default=timezone.now, db_index=True))

    class Meta:
        db_table = "uploads"

    def __str__(self) -> str:
        return self.id
