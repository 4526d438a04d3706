"""What guests and customers may do through a sales channel, and how tokens are got."""

import json
from urllib.parse import urlencode

from customers.tests.story.teller import ABSENT, FORM, HOME, OTHER_PASSWORD, PASSWORD

ASKED = [  # OWN stands for the id of the customer
    "organization",
    "application",
    "customers/OWN/orders?include=customer",
    "customers/OWN?include=customer_addresses.address,jwt_customer",
    "orders?include=customer,shipping_address",
    "customers?filter[q][email_cont]=example",
    "customers/OWN/event_stores",
    "webhooks",
    "exports",
]
ENDED = ["sku_list_items", "sku_lists", "addresses", "orders", "customer_subscriptions"]


def shop(story):
    """What a guest and a customer who is logged in may do through a sales channel."""
    ada = story.rows["customers"][0]
    for more in (
        {"email": "eve@example.com", "password": PASSWORD},
        {"email": "ada@example.com", "password": PASSWORD},
        {"email": "fay@example.com", "profile_id": "x"},
    ):
        story.create("customers", more, by="guest")
    for by in ("guest", "ada"):
        made = own_rows(story, by)
        others = ["customers", "customer_payment_sources", "order_subscriptions", "tags"]
        others += ["attachments", "events", "imports"]
        for kind, pk in {**made, **{kind: story.rows[kind][0] for kind in others}}.items():
            story.get(f"/api/{kind}", {"page[size]": 2}, by=by)
            story.get(f"/api/{kind}/{pk}", by=by)
            story.change(kind, pk, {"metadata": {"by": by}}, by=by)
            story.change(kind, pk, {"reference": by}, by=by)
        story.change("orders", made["orders"], {"_place": True}, by=by)
        story.change("returns", made["returns"], {"_request": True}, by=by)
        for path in ASKED:
            story.get(f"/api/{path.replace('OWN', ada)}", by=by)
        for kind in ENDED:
            story.delete(kind, made[kind], by=by)
    story.change("customers", story.rows["customers"][1], {"metadata": {}}, by="ada")
    story.change("customers", ada, {"profile_id": "x"}, by="ada")


def own_rows(story, by):
    """The ids of the rows that `by` makes, by type; ABSENT where it may make none."""
    made = {}

    def make(kind, attributes=(), relationships=()):
        made[kind] = story.create(kind, attributes, relationships, by=by) or ABSENT
        return {"type": kind, "id": made[kind]}

    for _ in range(2):
        given = {"customer_email": "guest@example.com", "reference": "newsletter"}
        make("customer_subscriptions", given)
    wishes = make("sku_lists", {"name": "Mine"})
    make("sku_list_items", {"sku_code": "HAT"}, {"sku_list": wishes})
    make("addresses", HOME)
    order = make("orders", {"customer_email": "ada@example.com"})
    make("returns", {}, {"order": order})
    owner = {"customer": story.link("customers"), "address": story.link("addresses")}
    make("customer_addresses", {}, owner)
    return made


def tokens(story):
    """The token endpoint, in its own shapes."""
    program, guest = story.clients["program"], story.clients["guest"]
    ask = {"grant_type": "client_credentials"}
    for members in asked(program, guest):
        for kind in ("application/json", FORM):
            body = json.dumps(members) if kind != FORM else urlencode(members)
            story.ask("POST", "/oauth/token", body, by=None, type=kind)
    login = {"grant_type": "password", "username": "ada@example.com", "password": OTHER_PASSWORD}
    first = story.token("ada", **guest, **login)
    again = {"grant_type": "refresh_token", **guest, "refresh_token": first["refresh_token"]}
    story.token("refreshed", **again)
    story.get("/api/customers", {"fields[customers]": "email"}, by="refreshed")
    story.token("replayed", **again)
    story.get("/api/customers", {"fields[customers]": "email"}, by="refreshed")
    for method, path, body in (
        ("GET", "/oauth/token", None),
        ("PUT", "/oauth/revoke", "{}"),
        ("POST", "/oauth/token", "{"),
        ("POST", "/oauth/token", "[]"),
        ("POST", "/oauth/revoke", "{}"),
        ("POST", "/oauth/other", "{}"),
    ):
        story.ask(method, path, body, by=None, type="application/json")
    story.ask("POST", "/oauth/token", "grant_type=%00", by=None, type=FORM)
    story.ask("POST", "/oauth/token", "x", by=None, type="text/plain")
    story.token("ended", **ask, **program)
    story.get("/api/tags", {"page[size]": 1}, by="ended")
    for keys in (guest, {**program, "client_secret": "wrong"}, program, program):
        members = {**keys, "token": story.tokens["ended"]}
        story.ask("POST", "/oauth/revoke", members, by=None, type="application/json")
    story.get("/api/tags", {"page[size]": 1}, by="ended")
    story.token("ada", **guest, **login)


def asked(program, guest):
    """Requests for a token that are refused, all but one, by the keys of two applications."""
    ask = {"grant_type": "client_credentials"}
    login = {"grant_type": "password", "username": "ada@example.com"}
    return [
        {},
        ask,
        {**ask, "client_id": "unknown"},
        {**ask, **program, "client_secret": "wrong"},
        {**ask, **program, "scope": "market:all"},
        {**ask, **program, "scope": "market:1"},
        {**ask, **program, "grant_type": "authorization_code"},
        {**program, "grant_type": "x"},
        {**program, **login, "password": "x"},
        {**guest, **login, "password": "x"},
        {**guest, **login, "username": "bob@example.com", "password": "x"},
        {**guest, **login, "username": "nobody@example.com", "password": "x"},
        {**guest, **login},
        {**guest, "grant_type": "refresh_token", "refresh_token": "wrong"},
        {**guest, "grant_type": "refresh_token"},
        {**ask, "client_id": 5},
    ]
