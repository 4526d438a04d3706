from django.db import models
from django.db.models import Q

from customers.db.declarations import keep
from customers.db.fields import IdField
from customers.models.base import Resource

TOPICS = {
    f"{resource_name}.{act}"
    for resource_name, acts in {
        "addresses": "tagged",
        "customer_addresses": "create destroy",
        "customer_password_resets": "create destroy reset_password",
        "customer_subscriptions": "create destroy",
        "customers": "acquired anonymization_cancelled anonymization_completed "
        "anonymization_failed anonymization_started create create_password destroy "
        "metadata_update repeat tagged",
        "exports": "complete create destroy interrupt start",
        "imports": "complete create destroy interrupt start",
        "order_subscriptions": "activate cancel create deactivate destroy",
        "orders": "approve cancel create destroy pending place tagged",
        "returns": "approve create destroy receive reject request restock ship tagged",
    }.items()
    for act in acts.split()
}


class Event(Resource):
    """Something that happened to a resource, kept when the resource is gone.

    It is `undispatched` until the worker has looked which webhooks are due a call for it.
    """

    importable = False

    name = keep(
        models.CharField(max_length=64),
        says="The topic: a type, and what happened to a resource of it.",
        example="customers.create",
    )
    resource_type = keep(models.CharField(max_length=32))
    resource_id = keep(IdField(), way=True)
    undispatched = keep(models.BooleanField(default=True, editable=False))

    class Meta(Resource.Meta):
        db_table = "events"
        indexes = [
            *Resource.Meta.indexes,
            models.Index(fields=["resource_id", "id"], name="events_of_resource"),
            models.Index(fields=["mode", "name", "id"], name="events_by_name"),
            models.Index(fields=["id"], condition=Q(undispatched=True), name="events_undispatched"),
        ]

    def __str__(self) -> str:
        return self.name
