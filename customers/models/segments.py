from typing import Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

from customers.db.declarations import keep, scrub
from customers.db.fields import IdField, InstantField, JsonField, new_id
from customers.models.base import Mode, ResourceQuerySet


class SegmentQuerySet(ResourceQuerySet):
    def is_editable_by(self, user: AbstractBaseUser) -> Self:
        """The user's own segments, and those that are shared."""
        return self.filter(Q(owner=user) | Q(shared=True))


class Segment(models.Model):
    """A named set of filters on customers, of one member of staff or shared by all.

    `filters` is a list of pairs, a name of filter[q] and its value.
    """

    id = keep(IdField(primary_key=True, default=new_id, editable=False))
    mode = keep(models.CharField(max_length=4, choices=Mode))
    name = scrub(models.CharField(max_length=40))
    owner = keep(
        models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="segments")
    )
    shared = keep(models.BooleanField(default=False))
    filters = scrub(JsonField(default=list))
    created_at = keep(InstantField(default=timezone.now, editable=False))

    objects = SegmentQuerySet.as_manager()

    class Meta:
        db_table = "segments"
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["mode", "owner", "name"],
                name="segments_name_unique",
                violation_error_message="You have a segment of this name already.",
            )
        ]

    def __str__(self) -> str:
        return self.name
