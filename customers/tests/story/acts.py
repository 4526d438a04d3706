"""What is done to rows: triggers, tags, passwords, keys that make a request safe to repeat."""

from customers.tests.story.teller import ABSENT, OTHER_PASSWORD, PASSWORD, document_of

ORDER_MOVES = (  # number of the order among those of the story, and a trigger
    "1 _approve, 1 _pending, 1 _place, 1 _place, 1 _approve, 1 _archive, 1 _unarchive, 2 _place,"
    " 2 _cancel, 3 _cancel, 3 _place, 1 _pending"
)
MOVES = [  # type, number of the row, and triggers
    ("returns", 0, "_approve _request _approve _ship _receive _restock _reject _cancel"),
    ("returns", 0, "_archive _unarchive"),
    ("returns", 1, "_request _reject _cancel"),
    ("order_subscriptions", 1, "_deactivate _activate _activate _deactivate _cancel _activate"),
    ("webhooks", 1, "_disable _disable _enable _reset_circuit _regenerate_shared_secret _disable"),
    ("imports", 0, "_interrupt _start"),
    ("exports", 0, "_interrupt _start"),
]


def moves(story):
    """Every trigger, in and out of its order, and what a customer becomes by them."""
    orders = story.rows["orders"]
    for move in ORDER_MOVES.split(", "):
        number, trigger = move.split()
        story.change("orders", orders[int(number)], {trigger: True})
        if trigger == "_place":
            story.get(f"/api/customers/{story.rows['customers'][0]}")
    placed_at = {"placed_at": "2021-03-04T05:06:07Z"}
    story.change("orders", orders[4], {"_place": True, **placed_at})
    for attributes in (
        placed_at,
        {"_place": False},
        {"_place": "yes", "_cancel": None},
        {"status": "placed"},
    ):
        story.change("orders", orders[0], attributes)
    story.get("/api/orders", {"filter[q][placed_at_lt]": "2022-01-01", "include": "customer"})
    for kind, number, triggers in MOVES:
        for trigger in triggers.split():
            story.change(kind, story.rows[kind][number], {trigger: True})
    source = {"customer_payment_source": story.link("customer_payment_sources")}
    story.change("order_subscriptions", story.rows["order_subscriptions"][0], {}, source)


def tags(story):
    for kind in ("customers", "orders", "addresses", "returns", "order_subscriptions"):
        pk = story.rows[kind][0]
        for attributes in (
            {"_add_tags": "vip,unknown"},
            {"_remove_tags": "vip"},
            {"_add_tags": "vip,early-bird", "_remove_tags": "imported"},
            {"_add_tags": ["vip"]},
            {"_add_tags": None},
        ):
            story.change(kind, pk, attributes)
            story.get(f"/api/{kind}/{pk}/relationships/tags")
    for number in range(11):
        story.create("tags", {"name": f"label{number}"})
    names = ",".join(f"label{number}" for number in range(11))
    story.change("customers", story.rows["customers"][1], {"_add_tags": names})
    for attributes in ({"name": "VIP"}, {"name": "a,b"}, {"name": "x" * 30}, {"name": " "}):
        story.create("tags", attributes)


def repeat_and_overwrite(story):
    """Idempotency-Key and If-Match."""
    key = {"idempotency-key": "5f0c"}
    once = story.create("tags", {"name": "once"}, headers=key)
    story.create("tags", {"name": "once"}, headers=key)
    story.create("tags", {"name": "twice"}, headers=key)
    story.create("tags", {"name": "once"}, headers={"idempotency-key": ""})
    story.create("tags", {"name": "once"}, headers={"idempotency-key": "é"})
    story.create("tags", {"name": "once"}, headers={"idempotency-key": "k" * 256})
    story.create("tags", {"name": "?"}, headers={"idempotency-key": "bad"})
    story.create("tags", {"name": "?"}, headers={"idempotency-key": "bad"})
    path = f"/api/tags/{once}"
    story.get(path)
    seen = story.recorder.response["ETag"]
    for match in ('"another"', "*", seen, seen, f'"x", {seen}', "unquoted"):
        story.change("tags", once, {"reference": f"for {match[:3]}"}, headers={"if-match": match})
        story.change("tags", ABSENT, {"reference": "r"}, headers={"if-match": match})
    story.ask("DELETE", path, headers={"if-match": seen})
    story.ask("GET", path, headers={"if-none-match": seen})
    story.ask("HEAD", path)
    story.ask("DELETE", path, headers={"idempotency-key": "gone"})
    story.ask("DELETE", path, headers={"idempotency-key": "gone"})


def passwords(story):
    """A reset from its token to the new password."""
    made = story.ask(
        "POST",
        "/api/customer_password_resets",
        document_of("customer_password_resets", {"customer_email": "ADA@example.com"}, {}),
    )["data"]
    pk, token = made["id"], made["attributes"]["reset_password_token"]
    for email in ("nobody@example.com", "no address", ""):
        story.create("customer_password_resets", {"customer_email": email})
    for by in ("guest", "program"):
        for attributes in (
            {"customer_password": OTHER_PASSWORD},
            {"_reset_password_token": token},
            {"_reset_password_token": "wrong", "customer_password": OTHER_PASSWORD},
            {"_reset_password_token": token, "customer_password": "short"},
            {"_reset_password_token": token, "customer_password": "password123"},
        ):
            story.change("customer_password_resets", pk, attributes, by=by)
    good = {"_reset_password_token": token, "customer_password": OTHER_PASSWORD}
    story.change("customer_password_resets", pk, good, by="guest")
    story.change("customer_password_resets", pk, good, by="guest")
    story.get(f"/api/customer_password_resets/{pk}", {"include": "customer"})
    for password in (PASSWORD, OTHER_PASSWORD):
        members = {"username": "ada@example.com", "password": password}
        story.token("ada", grant_type="password", **story.clients["guest"], **members)
    story.change("customers", story.rows["customers"][0], {"password": "yet another one"})
    for password in ("", "1234567", "password", "ada@example.com", None, 5, "x" * 513):
        story.create("customers", {"email": "dora@example.com", "password": password})


def forget(story):
    """Anonymization, and that the customer is closed from then on."""
    bob = story.rows["customers"][1]
    story.get(f"/api/customers/{bob}/personal_data")
    for trigger in ("_cancel_anonymization", "_request_anonymization", "_cancel_anonymization"):
        story.change("customers", bob, {trigger: True})
    story.change("customers", bob, {"_request_anonymization": True}, by="ada")
    story.change("customers", bob, {"_request_anonymization": True})
    story.work()
    story.get(f"/api/customers/{bob}", {"include": "orders,tags,attachments"})
    story.get(f"/api/customers/{bob}/event_stores")
    story.change("customers", bob, {"reference": "again"})
    story.create("sku_lists", {"name": "For nobody"}, {"customer": story.link("customers", 1)})
    story.create("customer_password_resets", {"customer_email": "bob@example.com"})
    story.create("customers", {"email": "bob@example.com"})
