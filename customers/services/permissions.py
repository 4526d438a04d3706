"""Who may do what to which type; which rows of it, each model's `reach` says.

An integration does what its role may. A full one does everything, a read-only one reads
everything; the others do what is listed here, so that a type that is not listed is closed to them.
A sales channel does what is listed for nobody in particular, a guest, and for the customer who is
logged in, the owner.
"""

from customers.models import Application
from customers.services.principals import InternalPrincipal
from customers.services.tokens import Principal

Acts = dict[str, set[str]]  # by type

READ = {"list", "retrieve", "retrieve_singleton"}
CREATE = READ | {"create"}
UPDATE = READ | {"partial_update"}
WRITE = READ | {"create", "partial_update", "destroy"}
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

OF_ALL: Acts = {"organizations": READ, "applications": READ, "imports": WRITE, "exports": WRITE}
ROLES: dict[str, Acts] = {
    Application.Role.ORDERS: {  # a system that mirrors orders and who has placed them
        **OF_ALL,
        "customers": CREATE | UPDATE,
        "addresses": WRITE,
        "customer_addresses": WRITE,
        "customer_payment_sources": WRITE,
        "orders": WRITE,
        "order_subscriptions": WRITE,
        "returns": WRITE,
        "attachments": WRITE,
        "customer_groups": READ,
        "tags": READ,
    },
    Application.Role.MARKETING: {  # a newsletter tool
        **OF_ALL,
        "customers": CREATE | UPDATE,
        "customer_groups": WRITE,
        "customer_subscriptions": WRITE,
        "tags": WRITE,
        "orders": READ,
        "sku_lists": READ,
        "sku_list_items": READ,
    },
    Application.Role.SUPPORT: {  # a help desk
        **OF_ALL,
        "customers": CREATE | UPDATE,
        "addresses": WRITE,
        "customer_addresses": WRITE,
        "customer_payment_sources": READ,
        "customer_subscriptions": WRITE,
        "attachments": WRITE,
        "orders": UPDATE,
        "order_subscriptions": UPDATE,
        "returns": CREATE | UPDATE,
        "sku_lists": WRITE,
        "sku_list_items": WRITE,
        "customer_groups": READ,
        "tags": READ,
        "events": READ,
    },
}


def allow(principal: Principal | InternalPrincipal, resource_name: str, act: str) -> bool:
    """Whether `principal` may do `act`, an action of a viewset, to rows of the type."""
    if principal.sees_all:
        role = principal.role
        if role == Application.Role.FULL:
            return True
        if role == Application.Role.READ_ONLY:
            return act in READ
        return act in ROLES[role].get(resource_name, ())
    return act in (OWNER if principal.owner_id else GUEST).get(resource_name, ())


def may_see_everything(principal: Principal | InternalPrincipal) -> bool:
    """Whether no type is closed to `principal`."""
    whole = (Application.Role.FULL, Application.Role.READ_ONLY)
    return principal.sees_all and principal.role in whole


def may_import(principal: Principal | InternalPrincipal, resource_name: str) -> bool:
    """Whether `principal` may make rows of the type and change those that are there."""
    return all(allow(principal, resource_name, act) for act in ("create", "partial_update"))
