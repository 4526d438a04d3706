from django.db import models

from customers.db.declarations import keep, redact
from customers.db.fields import IdField, JsonField
from customers.models.base import Resource


def _names_alone(entry):
    return {name: {"from": None, "to": None} for name in entry.payload}


class EventStore(Resource):
    """A line of the audit log: who changed what of which resource, from what to what.

    `payload` maps attributes to {"from": …, "to": …}; no secret is ever in it. `customer_id`
    is that of the customer whose the resource was, None of customers themselves.
    """

    exportable = importable = False

    resource_type = keep(
        models.CharField(max_length=32),
        says="The type of the resource that was changed.",
        example="customers",
    )
    resource_id = keep(IdField(), way=True, says="The id of the resource that was changed.")
    customer_id = keep(IdField(null=True), way=True)
    event = keep(
        models.CharField(max_length=16),
        says="What was done to it: create, update or destroy.",
        example="update",
    )
    payload = redact(
        JsonField(default=dict),
        to=_names_alone,
        says=(
            "Each attribute that was changed, with its value before (from) and after (to); no "
            "secret is among them."
        ),
        example={"reference": {"from": None, "to": "A-1"}},
    )
    who = keep(
        JsonField(null=True),
        because="it names who did it by id",
        says="The application, and the customer logged in there, that changed it.",
    )

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

    def __str__(self) -> str:
        return f"{self.resource_type} {self.event}"
