"""Subscriptions of a customer to a topic, each once."""

from typing import Any

from customers.models import CustomerSubscription
from customers.services.orders import lock_customers


def repeated(values: dict[str, Any]) -> CustomerSubscription | None:
    """A subscription that looks new and is not saved, when the one that `values` make is there.

    None when it is not. The customer is locked: of two that come at once, one is the second.
    """
    customer, reference = values["customer"], values["reference"]
    lock_customers(customer.pk)
    if not customer.customer_subscriptions.filter(reference=reference).exists():
        return None
    row = CustomerSubscription(mode=customer.mode, **values)
    row.updated_at = row.created_at
    return row
