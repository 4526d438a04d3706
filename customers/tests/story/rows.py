"""A few rows of each type, related to each other."""

from customers.tests.story.teller import HOME, PASSWORD


def people(story):
    """Customers with their groups, tags, address book, wallet and subscriptions."""
    make, link = story.make, story.link
    make("customer_groups", {"name": "Wholesale", "code": "WHOLE"})
    make("customer_groups", {"name": "Retail", "reference": "r-1", "metadata": {"size": "S"}})
    make("tags", {"name": "vip"})
    make("tags", {"name": "early-bird", "reference": "tag-2"})
    make(
        "customers",
        {
            "email": "Ada@Example.com",
            "password": PASSWORD,
            "reference": "crm-1",
            "metadata": {"shoe": {"eu": 39}, "size": "M"},  # in the order that both databases keep
            "shopper_reference": "shopper-1",
        },
        {"customer_group": link("customer_groups"), "tags": [link("tags"), link("tags", 1)]},
        query="?include=customer_group,tags",
    )
    make("customers", {"email": "bob@example.com", "profile_id": "p-2"})
    make("customers", {"email": "cid@bücher.example", "metadata": {"size": "L"}})
    make("addresses", HOME, {"tags": [link("tags")]})
    company = {**HOME, "business": True, "company": "Engines Ltd", "lat": 51.5, "lng": -0.125}
    make("addresses", {**company, "email": "office@example.com", "billing_info": "VAT 1"})
    for number in (0, 1):
        owner = {"customer": link("customers"), "address": link("addresses", number)}
        make("customer_addresses", {"reference": f"book-{number}"}, owner)
    for token in ("pm_1NgABCDE", "pm_2OhBCDEF"):
        attributes = {"payment_source_token": token, "customer_token": "cus_1"}
        make("customer_payment_sources", attributes, {"customer": link("customers")})
    for reference in ("newsletter", "offers"):
        attributes = {"customer_email": "ada@example.com", "reference": reference}
        make("customer_subscriptions", attributes)


def orders(story):
    """Orders, what is made of them, and wish lists."""
    make, link = story.make, story.link
    places = {"shipping_address": link("addresses"), "billing_address": link("addresses", 1)}
    for number in range(4):
        attributes = {
            "number": f"100{number}",
            "currency_code": "EUR",
            "total_amount_cents": 4200 * number,
            "total_amount_with_taxes_cents": 5000 * number,
            "language_code": "de" if number else "en",
            "coupon_code": None if number else "SPRING",
            "skus_count": number,
        }
        make("orders", attributes, {"customer": link("customers"), **(places if number else {})})
    make("orders", {"customer_email": "new@example.com", "number": "1004", "guest": True})
    for number in (0, 1):
        attributes = {"frequency": "monthly", "options": {"a": number}}
        make(
            "order_subscriptions",
            {**attributes, "starts_at": "2031-01-01T00:00:00Z"},
            {"source_order": link("orders", number), "tags": [link("tags")]},
        )
    make("returns", {"reference": "back-1"}, {"order": link("orders", 1)})
    make("returns", {}, {"order": link("orders", 1), "tags": [link("tags", 1)]})


def others(story):
    """What is kept beside them, and what came of all that."""
    make, link = story.make, story.link
    make("sku_lists", {"name": "Wish list", "manual": True}, {"customer": link("customers")})
    make("sku_lists", {"name": "Shoes", "description": "All", "sku_code_regex": "^SHOE"})
    for number in (1, 2):
        attributes = {"sku_code": f"SHOE{number}", "quantity": number, "position": number}
        make("sku_list_items", attributes, {"sku_list": link("sku_lists")})
    for kind in ("customers", "customer_groups", "orders", "returns", "sku_lists"):
        attributes = {"name": f"Note on {kind}", "url": "https://example.com/note"}
        make("attachments", attributes, {"attachable": link(kind, 1)})
    make("customer_password_resets", {"customer_email": "ada@example.com"})
    make("customer_password_resets", {"customer_email": "bob@example.com"})
    address = "https://192.0.32.10/callbacks"
    make("webhooks", {"topic": "orders.place", "callback_url": address, "name": "Elsewhere"})
    make("webhooks", {"topic": "returns.request", "callback_url": address, "_disable": True})
    make("imports", {"resource_type": "tags", "inputs": [{"name": "imported"}]})
    make("exports", {"resource_type": "tags", "format": "csv"})
    story.work()
    found = story.get("/api/events", {"sort": "id", "page[size]": 25})
    story.rows["events"] = [row["id"] for row in found["data"][:2]]
    found = story.get("/api/customers/" + story.rows["customers"][0] + "/event_stores")
    story.rows["event_stores"] = [row["id"] for row in found["data"][:2]]


def fill(story):
    people(story)
    orders(story)
    others(story)
