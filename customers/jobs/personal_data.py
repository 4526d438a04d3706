"""Everything that is held on one person, as one JSON document (GDPR articles 15 and 20)."""

from typing import Any

from customers.db.fields import instant
from customers.jobs.persons import rows_of_customer
from customers.models import Customer, Event, EventStore, Resource
from customers.resources import operations
from customers.services import principals


def of(customer: Customer) -> dict[str, Any]:
    """A dictionary: the customer, what hangs on it by type, its tags, and what was written down."""
    principal = principals.service(customer.mode)

    def resource(row: Resource) -> dict[str, Any]:
        document = operations.document(row, principal)["data"]
        return {"id": document["id"], **document["attributes"]}

    rows = rows_of_customer(customer)
    ids = {customer.pk} | {row.pk for found in rows.values() for row in found}
    return {
        "customer": resource(customer),
        "email_refusal": _email_refusal(customer),
        "customer_group": customer.customer_group and resource(customer.customer_group),
        "tags": sorted(map(str, customer.tags.all())),
        **{name: [resource(row) for row in found] for name, found in rows.items()},
        "sessions": [
            {"started_at": instant(one.created_at), "expires_at": instant(one.expires_at)}
            for one in customer.sessions.all()
        ],
        "events": [
            {"name": one.name, "resource_id": one.resource_id, "at": instant(one.created_at)}
            for one in Event.objects.filter(mode=customer.mode, resource_id__in=ids)
        ],
        "event_stores": [
            {
                "resource_type": one.resource_type,
                "resource_id": one.resource_id,
                "event": one.event,
                "payload": one.payload,
                "at": instant(one.created_at),
            }
            for one in EventStore.objects.filter(mode=customer.mode, resource_id__in=ids)
        ],
    }


def _email_refusal(customer):
    """When a mail server refused the address for good, and what it said; None if none did."""
    if customer.email_refused_at is None:
        return None
    return {"at": instant(customer.email_refused_at), "answer": customer.email_refusal}
