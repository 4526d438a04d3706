"""Imports, exports and webhooks: what is asked for, and what the worker makes of it."""

import re

from customers.tests.story.teller import HOME

ROWS = [
    {"email": "gus@example.com", "reference": "i-1", "tags.name": "vip"},
    {"email": "bob@example.com", "metadata": {"a": 1}},
    {"email": "no address"},
    {"reference": "nothing"},
]
TABLE = "email,_add_tags,reference\nhal@example.com,vip,i-2\nida@example.com,,i-3\n"
ENTRY = {"customer.email": "bob@example.com", **{f"address.{k}": v for k, v in HOME.items()}}
IMPORTS = [
    {"resource_type": "customers", "inputs": ROWS, "skip_errors": True},
    {"resource_type": "customers", "inputs": ROWS},
    {"resource_type": "customers", "format": "csv", "inputs": TABLE},
    {
        "resource_type": "orders",
        "inputs": [{"number": "2001", "customer.email": "gus@example.com"}],
    },
    {"resource_type": "addresses", "inputs": [HOME]},
    {
        "resource_type": "customer_addresses",
        "inputs": [ENTRY],
    },
    {
        "resource_type": "sku_list_items",
        "parent_resource_id": "LIST",
        "inputs": [{"sku_code": "SHOE9", "quantity": 2}],
    },
    {"resource_type": "cats", "inputs": []},
    {"resource_type": "tags", "inputs": []},
    {"resource_type": "tags", "inputs": "x", "format": "csv"},
    {"resource_type": "tags", "inputs": [5]},
]
EXPORTS = [
    {
        "resource_type": "customers",
        "includes": ["customer_group", "tags"],
        "dry_data": True,
        "filters": {"email_end": "example.com"},
    },
    {
        "resource_type": "customers",
        "format": "csv",
        "dry_data": True,
        "fields": ["customers.email", "customer_group.name", "tags.*"],
    },
    {
        "resource_type": "orders",
        "format": "csv",
        "filters": {"number_in": "1000,1001"},
        "fields": ["orders.number", "customer.email"],
    },
    {"resource_type": "orders", "filters": {"number_in": "1001,1002"}},
    {"resource_type": "addresses", "dry_data": True},
    {"resource_type": "sku_list_items"},
    {"resource_type": "cats"},
    {"resource_type": "tags", "filters": {"x_eq": 1}},
    {"resource_type": "tags", "includes": ["x"]},
    {"resource_type": "tags", "fields": ["x"]},
    {"resource_type": "tags", "format": "pdf"},
]
HOOKS = [
    ("customers.create", {"include_resources": ["customer_group", "tags"]}),
    ("customers.metadata_update", {}),
    ("orders.place", {"include_resources": ["customer"]}),
    ("customers.destroy", {}),
    ("customer_subscriptions.create", {"name": "Subscribed"}),
]


def download(story, kind, pk):
    found = story.get(f"/api/{kind}/{pk}")["data"]["attributes"]["attachment_url"]
    if found:
        story.get(re.sub("^https?://[^/]+", "", found), by=None)


def jobs(story):
    """Imports and exports, before and after the worker."""
    for attributes in IMPORTS:
        if "parent_resource_id" in attributes:
            attributes = {**attributes, "parent_resource_id": story.rows["sku_lists"][1]}
        if pk := story.create("imports", attributes):
            download(story, "imports", pk)
            story.work()
            download(story, "imports", pk)
            story.get(f"/api/imports/{pk}/events")
    for attributes in EXPORTS:
        if pk := story.create("exports", attributes):
            story.work()
            download(story, "exports", pk)
            story.get(f"/api/exports/{pk}/events")
            story.change("exports", pk, {"_interrupt": True})


def calls(story):
    """Webhooks, and what their receiver is sent."""
    place = story.recorder.receiver.url
    hooks = [
        story.create("webhooks", {"topic": topic, "callback_url": place, **more})
        for topic, more in HOOKS
    ]
    for attributes in (
        {"topic": "cats.create", "callback_url": place},
        {"topic": "orders.create"},
        {"topic": "orders.create", "callback_url": "ftp://example.com"},
        {"topic": "orders.create", "callback_url": "http://10.0.0.1/x"},
        {"topic": "orders.create", "callback_url": "https://127.1/x"},
        {"topic": "orders.create", "callback_url": place, "include_resources": ["x"]},
    ):
        story.create("webhooks", attributes)
    story.get(f"/api/webhooks/{hooks[0]}", by="reader")
    group, tag = story.link("customer_groups"), story.link("tags")
    attributes = {"email": "jo@example.com", "reference": "called"}
    jo = story.create("customers", attributes, {"customer_group": group, "tags": [tag]})
    story.work()
    story.change("customers", jo, {"metadata": {"size": "XL"}})
    story.work()
    order = story.create("orders", {"customer_email": "jo@example.com", "number": "3001"})
    story.change("orders", order, {"_place": True})
    story.change("webhooks", story.rows["webhooks"][0], {"_disable": True})
    story.work()
    story.create(
        "customer_subscriptions", {"customer_email": "jo@example.com", "reference": "called"}
    )
    story.work()
    kim = story.create("customers", {"email": "kim@example.com"})
    story.work()
    story.delete("customers", kim)
    story.work()
    look_at_calls(story, hooks, jo)
    story.recorder.keep(receiver=500)
    story.create("customers", {"email": "lee@example.com"})
    story.work()
    story.recorder.keep(receiver=200)
    story.get(f"/api/webhooks/{hooks[0]}", {"include": "last_event_callbacks"})
    for hook in hooks:
        story.delete("webhooks", hook)


def look_at_calls(story, hooks, customer):
    """What is told of the calls of `hooks`, and of one that is made again for `customer`."""
    for hook in hooks:
        story.get(f"/api/webhooks/{hook}/last_event_callbacks")
        story.get(f"/api/webhooks/{hook}", {"include": "last_event_callbacks"})
    found = story.get(f"/api/customers/{customer}/events")["data"]
    for event in found:
        story.get(f"/api/events/{event['id']}/webhooks")
        story.get(f"/api/events/{event['id']}", {"include": "last_event_callbacks,webhooks"})
    story.change("events", found[0]["id"], {"_trigger": True})
    story.work()
    callbacks = story.get("/api/event_callbacks", {"sort": "id"})["data"]
    story.get(f"/api/event_callbacks/{callbacks[0]['id']}", {"include": "webhook"})
    story.delete("event_callbacks", callbacks[0]["id"])
