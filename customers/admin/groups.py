"""The types of the console under their headings."""

from typing import Any

from django.urls import reverse
from django.utils.text import slugify

# heading: the tables of the types below it, in this order; what is not named follows
GROUPS = {
    "Customers": ["customers", "customer_groups", "tags", "customer_subscriptions"],
    "Address book and wallet": ["customer_addresses", "addresses", "customer_payment_sources"],
    "Orders": ["orders", "order_subscriptions", "returns"],
    "Lists and notes": ["sku_lists", "sku_list_items", "attachments"],
    "What happened": ["events", "event_stores", "customer_password_resets"],
    "Programs": ["applications", "webhooks", "event_callbacks", "imports", "exports"],
}


def grouped(apps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The types in `apps`, as Django's admin lists them by application, by heading."""
    found = {model["model"]._meta.db_table: model for app in apps for model in app["models"]}
    groups = {
        heading: [found.pop(table) for table in tables if table in found]
        for heading, tables in GROUPS.items()
    }
    for app in apps:
        heading = "More" if app["app_label"] == "customers" else app["name"]
        groups[heading] = [model for model in app["models"] if model in found.values()]
    return [_group(heading, models) for heading, models in groups.items() if models]


def _group(heading, models):
    return {
        "name": heading,
        "app_label": slugify(heading),
        "app_url": reverse("admin:index"),
        "has_module_perms": True,
        "models": models,
    }
