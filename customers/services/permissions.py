"""Who may do what to which type; which rows of it, each model's `reach` says.

An integration does everything, a read-only one reads everything. A sales channel does
what is listed here: for nobody in particular, a guest, and for the customer who is
logged in, the owner.
"""

from customers.services.principals import InternalPrincipal
from customers.services.tokens import Principal

READ = {"list", "retrieve", "retrieve_singleton"}
BY_ID = {"create", "retrieve", "partial_update", "destroy"}

GUEST = {
    "customers": {"create"},
    "addresses": BY_ID,
    "customer_subscriptions": BY_ID,
    "customer_password_resets": {"partial_update"},
    "orders": BY_ID - {"destroy"},
    "returns": BY_ID - {"destroy"},
    "sku_lists": BY_ID,
    "sku_list_items": BY_ID,
    "tags": {"retrieve"},
    "organizations": {"retrieve_singleton"},
    "applications": {"retrieve_singleton"},
}
OWNER = {
    **GUEST,
    "customers": {"list", *BY_ID},
    "customer_addresses": {"list", *BY_ID},
    "customer_payment_sources": {"list", *BY_ID} - {"create"},
    "customer_subscriptions": {"list", *BY_ID},
    "orders": {"list", *BY_ID} - {"destroy"},
    "order_subscriptions": {"list", "retrieve"},
    "returns": {"list", *BY_ID} - {"destroy"},
    "sku_lists": {"list", *BY_ID},
    "sku_list_items": {"list", *BY_ID},
}


def allow(principal: Principal | InternalPrincipal, resource_name: str, act: str) -> bool:
    """Whether `principal` may do `act`, an action of a viewset, to rows of the type."""
    if principal.sees_all:
        return act in READ or not principal.read_only
    return act in (OWNER if principal.owner_id else GUEST).get(resource_name, ())
