from django.db import models

from customers.models.base import Resource
from customers.models.fields import IdField, JsonField


class EventStore(Resource):
    """A line of the audit log: who changed what of which resource, from what to what.

    `payload` maps attributes to {"from": …, "to": …}; no secret is ever in it.
    """

    resource_type = models.CharField(max_length=32)
    resource_id = IdField()
    event = models.CharField(max_length=16)
    payload = JsonField(default=dict)
    who = JsonField(null=True)

    class Meta(Resource.Meta):
        db_table = "event_stores"
        verbose_name = "event store"
        indexes = [models.Index(fields=["resource_id", "id"], name="event_stores_of_resource")]

    def __str__(self):
        return f"{self.resource_type} {self.event}"
