from django.db import models

from customers.db.fields import IdField, JsonField
from customers.models.base import Resource


class EventStore(Resource):
    """A line of the audit log: who changed what of which resource, from what to what.

    `payload` maps attributes to {"from": …, "to": …}; no secret is ever in it. `customer_id`
    is that of the customer whose the resource was, None of customers themselves.
    """

    resource_type = models.CharField(max_length=32)
    resource_id = IdField()
    customer_id = IdField(null=True)
    event = models.CharField(max_length=16)
    payload = JsonField(default=dict)
    who = JsonField(null=True)

    class Meta(Resource.Meta):
        db_table = "event_stores"
        verbose_name = "event store"
        indexes = [
            models.Index(fields=["resource_id", "id"], name="event_stores_of_resource"),
            models.Index(
                fields=["customer_id"],
                condition=models.Q(customer_id__isnull=False),
                name="event_stores_of_customer",
            ),
        ]

    def __str__(self):
        return f"{self.resource_type} {self.event}"
