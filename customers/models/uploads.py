from django.db import models
from django.utils import timezone

from customers.db.fields import IdField, InstantField, new_id
from customers.models.base import Mode


class Upload(models.Model):
    """A file that a member of staff looks through before it is imported; gone after that."""

    id = IdField(primary_key=True, default=new_id, editable=False)
    mode = models.CharField(max_length=4, choices=Mode)
    user = models.ForeignKey("auth.User", models.CASCADE, related_name="+")
    text = models.TextField()
    created_at = InstantField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "uploads"

    def __str__(self):
        return self.id
