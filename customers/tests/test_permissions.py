"""Who gets at what: guests, customers, read-only and other integrations."""

import json
import re
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from customers.models import (
    Address,
    Application,
    Customer,
    CustomerSubscription,
    Event,
    EventStore,
    Order,
    SkuList,
)
from customers.resources.registry import registry
from customers.services.passwords import hash_password
from customers.services.permissions import GUEST, OWNER, allow
from customers.services.tokens import read_token
from customers.tests.conftest import Api, error_of, ids, in_threads, needs_postgresql
from customers.tests.factories import (
    ADDRESS,
    FULL,
    ONE,
    SMALLEST,
    link,
    make_address,
    make_customer,
    make_customer_address,
    make_full_customer,
    make_group,
    make_order,
    make_payment_source,
    make_placed_order,
    make_return,
    make_sku_list,
    make_subscription,
    make_tag,
)

HASH, PASSWORD = "argon2$argon2id$x", "correct horse battery"
TYPES = [name for name, resource in registry.types.items() if "retrieve" in resource.actions]
every_type = pytest.mark.parametrize("name", TYPES)
MISSING = "0000000000000000"


def make_registered(**values):
    return make_customer(password=HASH, **values)


@pytest.fixture
def ada():
    return make_full_customer(password=HASH, email="ada@example.com")


@pytest.fixture
def bob():
    return make_full_customer(password=HASH, email="bob@example.com")


@pytest.fixture
def as_ada(ada):
    return Api(customer=ada)


def reachable(api, customer):
    """Every (type, id) that hangs on `customer`, as a program that sees all finds them."""
    wanted = [("customers", customer.pk)]
    wanted += [("customer_password_resets", r.pk) for r in customer.customer_password_resets.all()]
    found = set()
    while wanted:
        name, pk = wanted.pop()
        if (name, pk) in found:
            continue
        found.add((name, pk))
        names = registry.types[name].includable - {"tags", "customer_group"}
        answer = api.get(f"/api/{name}/{pk}", include=",".join(names)).json()
        wanted += [(other["type"], other["id"]) for other in answer.get("included", [])]
        if "event_stores" in registry.types[name].relations:
            lines = api.get(f"/api/{name}/{pk}/event_stores").json()["data"]
            wanted += [("event_stores", line["id"]) for line in lines]
    return found


def include_paths(resource, owner, depth=3):
    for name in sorted(resource.includable):
        target = resource.relations[name].target
        if target and "retrieve" in owner.get(target.name, ()):
            yield name
            if depth > 1:
                yield from (f"{name}.{p}" for p in include_paths(target, owner, depth - 1))


def without_paths(body):
    return re.sub(rb"http://[^\"]*", b"", body)


# Customers see what is theirs


def test_what_hangs_on_a_customer_is_found_for_these_tests(api, bob):
    types = {name for name, _ in reachable(api, bob)}
    assert types == set(TYPES) - {"tags", "customer_groups", "imports", "exports"} | {
        "sku_list_items"
    }


@pytest.mark.thorough
def test_a_customer_gets_nowhere_at_what_is_anothers(api, as_ada, bob, settings):
    """Every route of a row of each type of Bob's answers Ada as if the row did not exist."""
    settings.CHANNEL_REQUESTS_PER_MINUTE_TEST = settings.CHANNEL_BURST_TEST = 0
    rows = reachable(api, bob)
    before = Customer.objects.values().get(pk=bob.pk)
    for name, pk in dict(sorted(rows)).items():
        resource = registry.types[name]
        routes = [("GET", ""), ("PATCH", ""), ("DELETE", "")]
        for relationship in resource.relations:
            routes += [("GET", f"/{relationship}"), ("GET", f"/relationships/{relationship}")]
            routes += [(verb, f"/relationships/{relationship}") for verb in ("PATCH", "POST")]
        for verb, route in routes:
            answers = []
            for one in (pk, MISSING):
                document = {"data": {"type": name, "id": one, "attributes": {"reference": "x"}}}
                body = {"GET": None, "DELETE": None}.get(verb, document)
                path = f"/api/{name}/{one}{route}"
                found = as_ada.send(verb, path, body) if body else as_ada.client.generic(verb, path)
                answers.append((found.status_code, without_paths(found.content)))
            assert answers[0] == answers[1], (verb, name, route)
            assert answers[0][0] in (400, 401, 404, 405), (verb, name, route)
    assert reachable(api, bob) == rows
    assert Customer.objects.values().get(pk=bob.pk) == before


@pytest.mark.thorough
def test_a_customers_lists_and_inclusions_hold_nothing_of_anothers(api, as_ada, ada, bob):
    others = {pk for _, pk in reachable(api, bob)} | {bob.email, bob.shopper_reference}
    own = {pk for _, pk in reachable(api, ada)}
    shown = ""
    for name, acts in OWNER.items():
        if "list" in acts:
            include = ",".join(include_paths(registry.types[name], OWNER))
            response = as_ada.query(f"/api/{name}", {"include": include, "page[size]": "25"})
            assert response.status_code == 200, response.content
            shown += response.content.decode()
    assert not [pk for pk in others if pk in shown]
    assert len([pk for pk in own if pk in shown]) > 10


@pytest.mark.thorough
def test_a_customers_lists_are_its_own_rows_and_no_filter_widens_them(api, as_ada, ada, bob):
    own, foreign = reachable(api, ada), reachable(api, bob)
    listed = [name for name, acts in OWNER.items() if "list" in acts and name != "customers"]
    for name in listed:

        def found(name=name, **filters):
            query = {f"filter[q][{key}]": value for key, value in filters.items()}
            rows = ids(as_ada.query(f"/api/{name}", {**query, "page[size]": "25"}))
            return {(name, pk) for pk in rows}

        assert found() == {key for key in own if key[0] == name} != set()
        others = ",".join(pk for kind, pk in foreign if kind == name)
        assert found(id_in=others) == set(), name
        assert found(id_not_eq_or_null=MISSING) <= own, name
        if "customer" in registry.types[name].filterset_class.relationships:
            assert found(customer_id_eq=bob.pk) == set(), name
            assert found(customer_email_eq=bob.email) == set(), name
            assert found(customer_email_not_eq_or_null="x") <= own, name


@pytest.mark.parametrize(
    ("name", "relationship", "make"),
    [
        ("customer_addresses", "address", lambda bob: bob.customer_addresses.first().address),
        ("customer_addresses", "customer", lambda bob: bob),
        ("orders", "shipping_address", lambda bob: bob.orders.first().shipping_address),
        ("orders", "customer", lambda bob: bob),
        ("returns", "order", lambda bob: bob.orders.first()),
        ("sku_lists", "customer", lambda bob: bob),
        ("sku_list_items", "sku_list", lambda bob: bob.sku_lists.first()),
    ],
)
def test_a_customer_cannot_point_at_what_is_anothers(as_ada, bob, name, relationship, make):
    attributes, linkages = SMALLEST[name]()
    linkages = {"address": linkages["address"]} if "address" in linkages else {}
    target = make(bob)
    model = registry.types[name].serializer_class.Meta.model
    count = model.objects.count()
    response = as_ada.create(name, attributes, {**linkages, relationship: link(target)})
    pointer = {"pointer": f"/data/relationships/{relationship}/data"}
    refusal = error_of(response, 404, "RECORD_NOT_FOUND", pointer)
    missing = {**linkages, relationship: {"type": link(target)["type"], "id": MISSING}}
    assert as_ada.create(name, attributes, missing).json()["errors"] == [refusal]
    assert model.objects.count() == count


@pytest.mark.parametrize("name", ["customer_addresses", "customer_subscriptions", "orders"])
def test_an_address_that_is_not_the_customers_is_refused_whoever_has_it(as_ada, bob, name):
    for email in (bob.email, "nobody@example.com"):
        attributes = {"customer_email": email, "reference": "x"}
        relationships = {"address": link(make_address())} if name == "customer_addresses" else {}
        refused = error_of(
            as_ada.create(name, attributes, relationships),
            422,
            "VALIDATION_ERROR",
            {"pointer": "/data/attributes/customer_email"},
        )
        assert refused["title"] == "must be the customer's"
    assert not Customer.objects.filter(email="nobody@example.com").exists()


def test_what_a_customer_makes_is_its_own(as_ada, ada):
    address = as_ada.create("addresses", ADDRESS).json()["data"]
    place = {"address": {"type": "addresses", "id": address["id"]}}
    made = {
        "customer_addresses": ({}, place),
        "customer_subscriptions": ({"customer_email": "ADA@example.com", "reference": "x"}, {}),
        "orders": ({}, {"shipping_address": place["address"], "customer": None}),
        "sku_lists": ({"name": "Mine", "customer": None}, {}),
    }
    for name, members in made.items():
        response = as_ada.create(name, *members)
        assert response.status_code == 201, response.content
        pk = response.json()["data"]["id"]
        model = registry.types[name].serializer_class.Meta.model
        assert model.objects.get(pk=pk).customer == ada
        assert as_ada.get(f"/api/{name}/{pk}/customer").json()["data"]["id"] == ada.pk
        assert as_ada.update(name, pk, {"metadata": {"a": 1}}).status_code == 200


def test_a_customer_changes_and_deletes_itself_but_not_its_standing(ada, api):
    grace = make_customer(email="grace@example.com", password=hash_password(PASSWORD))
    as_grace = Api(customer=grace)
    assert as_grace.update("customers", grace.pk, {"metadata": {"a": 1}}).status_code == 200
    moved = {"email": "g@example.com", "_current_password": PASSWORD}
    assert as_grace.update("customers", grace.pk, moved).status_code == 200
    as_grace = Api(customer=Customer.objects.get(pk=grace.pk))  # another address ends sessions
    closed = {
        "attributes": ["shopper_reference", "profile_id", "tax_exemption_code", "_add_tags"],
        "relationships": ["customer_group", "tags"],
    }
    for kind, names in closed.items():
        for name in names:
            data = {"type": "customers", "id": grace.pk, kind: {name: "x"}}
            if kind == "relationships":
                data[kind] = {name: {"data": None if name == "customer_group" else []}}
            response = as_grace.send("PATCH", f"/api/customers/{grace.pk}", {"data": data})
            error_of(response, 400, "PARAM_NOT_ALLOWED", {"pointer": f"/data/{kind}/{name}"})
    linkage = f"/api/customers/{grace.pk}/relationships/tags"
    tag = {"data": [link(make_tag())]}
    assert as_grace.send("POST", linkage, tag).status_code in (400, 401)
    assert as_grace.client.delete(f"/api/customers/{grace.pk}").status_code == 204
    error_of(as_grace.get("/api/organization"), 401, "INVALID_TOKEN")


def test_a_customer_cannot_reach_its_group_its_audit_log_nor_notes_on_it(as_ada, ada):
    for relationship in ("customer_group", "events", "event_stores", "attachments"):
        path = f"/api/customers/{ada.pk}/{relationship}"
        error_of(as_ada.get(path), 401, "UNAUTHORIZED")
        path = f"/api/customers/{ada.pk}/relationships/{relationship}"
        error_of(as_ada.get(path), 401, "UNAUTHORIZED")
    for include in ("customer_group", "events", "attachments", "orders.customer.customer_group"):
        response = as_ada.get(f"/api/customers/{ada.pk}", include=include)
        error_of(response, 401, "UNAUTHORIZED", {"parameter": "include"})


def test_no_filter_of_a_customers_tells_of_rows_that_it_may_not_see(as_ada, ada):
    group, tag = ada.customer_group, make_tag(name="fraud-check")
    for name, value in {
        "customer_group_name_eq": group.name,
        "events_name_start": "customers",
        "attachments_name_eq": "Note",
        "tags_name_eq": tag.name,
    }.items():
        assert ids(as_ada.query("/api/customers", {f"filter[q][{name}]": value})) == []


def test_a_customer_reads_the_tags_of_its_own_rows_alone(as_ada, ada, bob):
    own, other = ada.orders.first().tags.first(), bob.orders.first().tags.first()
    assert as_ada.get(f"/api/tags/{own.pk}").status_code == 200
    error_of(as_ada.get(f"/api/tags/{other.pk}"), 404, "RECORD_NOT_FOUND")
    error_of(as_ada.get("/api/tags"), 401, "UNAUTHORIZED")


def test_a_customer_reads_its_wallet_and_puts_nothing_in(as_ada, ada):
    source = ada.customer_payment_sources.get()
    assert ids(as_ada.get("/api/customer_payment_sources")) == [source.pk]
    made = as_ada.create("customer_payment_sources", {}, {"customer": link(ada)})
    error_of(made, 401, "UNAUTHORIZED")
    for name in ("customer_token", "payment_source_token"):
        changed = as_ada.update("customer_payment_sources", source.pk, {name: "cus_1"})
        error_of(changed, 400, "PARAM_NOT_ALLOWED", {"pointer": f"/data/attributes/{name}"})


def test_a_customer_changes_an_order_until_it_is_placed_and_moves_none(as_ada, ada):
    draft, placed = make_order(customer=ada), make_placed_order(ada)
    assert as_ada.update("orders", draft.pk, {"coupon_code": "X"}).status_code == 200
    error_of(as_ada.update("orders", placed.pk, {"coupon_code": "X"}), 401, "UNAUTHORIZED")
    for name in ("_place", "_approve", "_cancel", "total_amount_cents", "number", "_add_tags"):
        response = as_ada.update("orders", draft.pk, {name: "1"})
        error_of(response, 400, "PARAM_NOT_ALLOWED", {"pointer": f"/data/attributes/{name}"})
    response = as_ada.update("orders", draft.pk, {"customer_email": None})
    error_of(response, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/customer_email"})
    response = as_ada.update("orders", draft.pk, {}, {"customer": None})
    error_of(response, 400, "PARAM_NOT_ALLOWED", {"pointer": "/data/relationships/customer"})
    assert Order.objects.get(pk=placed.pk).coupon_code is None


def test_a_customer_asks_for_a_return_and_does_not_approve_it(as_ada, ada):
    order = make_placed_order(ada)
    made = as_ada.create("returns", {}, {"order": link(order)}).json()["data"]
    assert as_ada.update("returns", made["id"], {"_request": True}).status_code == 200
    response = as_ada.update("returns", made["id"], {"_approve": True})
    error_of(response, 400, "PARAM_NOT_ALLOWED", {"pointer": "/data/attributes/_approve"})


def test_jwt_customer_is_the_one_who_is_logged_in(as_ada, ada):
    found = as_ada.get(f"/api/customers/{ada.pk}", include="jwt_customer").json()
    assert found["data"]["relationships"]["jwt_customer"]["data"] == link(ada)


def test_who_did_it_is_written_down(api, as_ada, ada):
    as_ada.update("customers", ada.pk, {"reference": "mine"})
    lines = api.get(f"/api/customers/{ada.pk}/event_stores").json()["data"]
    actor = lines[-1]["attributes"]["who"]
    assert actor["owner"] == {"id": ada.pk, "type": "Customer"}
    assert actor["application"]["kind"] == "sales_channel"


# Guests reach what is no registered customer's, by id


ACTS = {"L": "list", "C": "create", "R": "retrieve", "U": "partial_update", "D": "destroy"}
ACTS["O"] = "retrieve_singleton"
CHANNELS = {  # what a sales channel may do for a guest, and for the customer who is logged in
    "addresses": ("CRUD", "CRUD"),
    "applications": ("O", "O"),
    "customer_addresses": ("", "LCRUD"),
    "customer_password_resets": ("U", "U"),
    "customer_payment_sources": ("", "LRUD"),
    "customer_subscriptions": ("CRUD", "LCRUD"),
    "customers": ("C", "LCRUD"),
    "order_subscriptions": ("", "LR"),
    "orders": ("CRU", "LCRU"),
    "organizations": ("O", "O"),
    "returns": ("CRU", "LCRU"),
    "sku_list_items": ("CRUD", "LCRUD"),
    "sku_lists": ("CRUD", "LCRUD"),
    "tags": ("R", "R"),
}


@pytest.mark.parametrize("name", registry.types)
def test_a_sales_channel_may_do_what_the_table_says_and_no_more(guest_api, as_ada, name):
    for caller, wanted in zip((guest_api, as_ada), CHANNELS.get(name, ("", "")), strict=True):
        principal = read_token(caller.token)
        allowed = {letter for letter, act in ACTS.items() if allow(principal, name, act)}
        assert allowed == set(wanted)


@every_type
def test_a_guest_does_what_is_listed_and_nothing_else(guest_api, name):
    row, may = ONE[name](), GUEST.get(name, set())
    assert "list" not in may
    if "list" in registry.types[name].actions:
        error_of(guest_api.get(f"/api/{name}"), 401, "UNAUTHORIZED")
    response = guest_api.get(f"/api/{name}/{row.pk}")
    if "retrieve" not in may:
        error_of(response, 401, "UNAUTHORIZED")
    for act, send in {
        "create": lambda: guest_api.create(name),
        "partial_update": lambda: guest_api.update(name, row.pk, {"nonsense": 1}),
        "destroy": lambda: guest_api.client.delete(f"/api/{name}/{MISSING}"),
    }.items():
        if act in registry.types[name].actions and act not in may:
            error_of(send(), 401, "UNAUTHORIZED")


def test_a_guest_signs_up_and_cannot_read_what_it_made(guest_api):
    response = guest_api.create(
        "customers", {"email": "new@example.com", "password": "s3cret-words"}
    )
    assert response.status_code == 201
    resource = response.json()["data"]
    assert resource["attributes"]["has_password"] is True
    error_of(guest_api.get(f"/api/customers/{resource['id']}"), 401, "UNAUTHORIZED")
    closed = {"tax_exemption_code": "X"}
    response = guest_api.create("customers", {"email": "other@example.com", **closed})
    error_of(response, 400, "PARAM_NOT_ALLOWED", {"pointer": "/data/attributes/tax_exemption_code"})


def test_a_guest_keeps_addresses_by_id(guest_api):
    pk = guest_api.create("addresses", ADDRESS).json()["data"]["id"]
    assert guest_api.get(f"/api/addresses/{pk}").status_code == 200
    assert guest_api.update("addresses", pk, {"city": "Leeds"}).status_code == 200
    assert guest_api.client.delete(f"/api/addresses/{pk}").status_code == 204
    assert not Address.objects.exists()


@pytest.mark.parametrize(
    "hold",
    [
        lambda customer, address: make_customer_address(customer=customer, address=address),
        lambda customer, address: make_order(customer=customer, shipping_address=address),
        lambda customer, address: make_order(customer=customer, billing_address=address),
        lambda customer, address: make_return(
            order=make_order(customer=customer), origin_address=address
        ),
    ],
)
def test_an_address_that_a_registered_customer_holds_is_out_of_reach(guest_api, as_ada, hold):
    kept, free = make_address(), make_address()
    hold(make_registered(), kept)
    make_customer_address(address=free)  # of somebody without a password
    for api in (guest_api, as_ada):
        error_of(api.get(f"/api/addresses/{kept.pk}"), 404, "RECORD_NOT_FOUND")
        error_of(api.client.delete(f"/api/addresses/{kept.pk}"), 404, "RECORD_NOT_FOUND")
    assert guest_api.get(f"/api/addresses/{free.pk}").status_code == 200
    error_of(as_ada.get(f"/api/addresses/{free.pk}"), 404, "RECORD_NOT_FOUND")


@pytest.mark.parametrize(
    "make", [make_order, make_subscription, make_sku_list], ids=lambda make: make.__name__
)
def test_a_guest_reaches_no_row_of_a_registered_customer(guest_api, make):
    row = make(customer=make_customer())
    name = row._meta.db_table
    assert guest_api.get(f"/api/{name}/{row.pk}").status_code == 200
    Customer.objects.update(password=HASH)
    for response in (
        guest_api.get(f"/api/{name}/{row.pk}"),
        guest_api.update(name, row.pk, {"metadata": {}}),
    ):
        error_of(response, 404, "RECORD_NOT_FOUND")


def test_a_guest_subscribes_an_address(guest_api):
    response = guest_api.create(
        "customer_subscriptions", {"customer_email": "new@example.com", "reference": "news"}
    )
    assert response.status_code == 201
    pk = response.json()["data"]["id"]
    assert CustomerSubscription.objects.get(pk=pk).customer.email == "new@example.com"
    response = guest_api.get(f"/api/customer_subscriptions/{pk}", include="customer")
    error_of(response, 401, "UNAUTHORIZED", {"parameter": "include"})
    assert guest_api.client.delete(f"/api/customer_subscriptions/{pk}").status_code == 204


def test_a_guest_sees_the_items_of_lists_of_nobody(guest_api):
    mine = guest_api.create("sku_lists", {"name": "Gifts"}).json()["data"]
    item = guest_api.create("sku_list_items", {"sku_code": "A"}, {"sku_list": key(mine)})
    assert item.status_code == 201
    assert ids(guest_api.get(f"/api/sku_lists/{mine['id']}/sku_list_items")) == [
        item.json()["data"]["id"]
    ]
    SkuList.objects.update(customer=make_registered())
    error_of(
        guest_api.get(f"/api/sku_list_items/{item.json()['data']['id']}"), 404, "RECORD_NOT_FOUND"
    )


def key(resource):
    return {"type": resource["type"], "id": resource["id"]}


# Integrations


@every_type
def test_a_read_only_integration_reads_and_writes_nothing(name):
    api, row, resource = Api(role="read_only"), FULL[name](), registry.types[name]
    assert api.get(f"/api/{name}/{row.pk}").status_code == 200
    attempts = {
        "create": lambda: api.create(name, *SMALLEST[name]()),
        "partial_update": lambda: api.update(name, row.pk, {"metadata": {"a": 1}}),
        "destroy": lambda: api.client.delete(f"/api/{name}/{row.pk}"),
    }
    for act in resource.actions & attempts.keys():
        error_of(attempts[act](), 401, "UNAUTHORIZED")
    for relationship in resource.relations:
        path = f"/api/{name}/{row.pk}/relationships/{relationship}"
        error_of(api.send("PATCH", path, {"data": []}), 401, "UNAUTHORIZED")
    assert api.get(f"/api/{name}/{row.pk}").status_code == 200


def test_an_integration_made_read_only_while_its_token_is_warm_writes_nothing_from_then_on(api):
    customer = make_customer(reference="before")
    path, group = f"/api/customers/{customer.pk}", make_group()

    def writes():
        yield api.create("customers", {"email": "new@example.com"})
        yield api.update("customers", customer.pk, {"reference": "after"})
        yield api.send("PATCH", f"{path}/relationships/customer_group", {"data": link(group)})
        yield api.delete(path)

    def switch(read_only):
        role = "read_only" if read_only else "full"
        Application.objects.filter(pk=api.application.pk).update(role=role)

    for _ in range(2):  # the first reads the token, the second knows it
        assert api.get(path).status_code == 200
    before = api.get(path).content
    switch(True)
    for answer in writes():
        error_of(answer, 401, "UNAUTHORIZED")
        switch(False)  # each of them comes with the token warm
        assert api.get(path).content == before
        switch(True)
    assert Customer.objects.count() == 1
    switch(False)
    assert [answer.status_code for answer in writes()] == [201, 200, 204, 204]


def test_everybody_reads_who_is_called_and_who_calls(api, guest_api, as_ada):
    for one in (api, guest_api, as_ada, Api(role="read_only")):
        assert one.get("/api/organization").status_code == 200
        found = one.get("/api/application").json()["data"]
        assert found["id"] == one.application.pk


def test_the_same_customer_in_the_other_mode_is_somebody_else(ada):
    twin = make_full_customer(password=HASH, email=ada.email, mode="live")
    as_twin = Api("live", customer=twin)
    assert ids(as_twin.get("/api/customers")) == [twin.pk]
    error_of(as_twin.get(f"/api/customers/{ada.pk}"), 404, "RECORD_NOT_FOUND")
    make_group(mode="live"), make_payment_source(mode="live")
    assert len(ids(as_twin.get("/api/customer_payment_sources"))) == 1


# What a guest is answered does not tell who is a customer

WHO = {
    "registered": lambda email: make_customer(email=email, password=HASH),
    "guest": lambda email: make_customer(email=email),
    "nobody": lambda email: None,
}


def shape_of(response):
    """The status of a response and its document, without what differs between any two."""
    data = response.json()["data"]
    members = data.pop("attributes")
    assert members["created_at"] == members.pop("updated_at")
    assert re.fullmatch(r"[0-9A-Za-z]{16}", data["id"])
    assert response["Location"].endswith(data["id"])
    members.pop("number", None)  # of an order, by chance
    moment = datetime.fromisoformat(members.pop("created_at"))
    assert abs(moment - timezone.now()) < timedelta(minutes=1)
    text = json.dumps([data, members]).replace(data["id"], "ID")
    return response.status_code, sorted(response.headers), text


@pytest.mark.parametrize("name", ["orders", "customer_subscriptions"])
def test_a_guest_that_names_an_address_gets_it_back_as_it_was_sent_whoever_has_it(guest_api, name):
    answers = set()
    for actor, make in WHO.items():
        make(f"{actor.title()}@Example.com")
        sent = f"{actor}@eXample.com"
        members = {"customer_email": sent, "reference": "news", "metadata": {"a": 1}}
        response = guest_api.create(name, members)
        assert response.json()["data"]["attributes"]["customer_email"] == sent
        status, headers, text = shape_of(response)
        answers.add((status, *headers, text.replace(sent, "ADDRESS")))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 201


def test_a_guest_that_changes_the_address_of_an_order_gets_it_back_as_it_was_sent(guest_api):
    for actor, make in WHO.items():
        make(f"{actor}@example.com")
        pk = guest_api.create("orders").json()["data"]["id"]
        response = guest_api.update(
            "orders", pk, {"customer_email": f"{actor.upper()}@example.com"}
        )
        shown = response.json()["data"]["attributes"]["customer_email"]
        assert shown == f"{actor.upper()}@example.com"
        assert Order.objects.get(pk=pk).customer.email.lower() == f"{actor}@example.com"


@pytest.mark.parametrize("actor", WHO)
def test_a_subscription_that_a_guest_repeats_is_answered_as_the_first_and_changes_nothing(
    guest_api, actor
):
    WHO[actor]("ada@example.com")
    members = {"customer_email": "Ada@Example.com", "reference": "news", "metadata": {"a": 1}}
    first = guest_api.create("customer_subscriptions", members)
    before = [*EventStore.objects.values(), *Event.objects.values(), *Customer.objects.values()]
    again = guest_api.create("customer_subscriptions", {**members, "metadata": {"a": 1}})
    assert shape_of(again) == shape_of(first)
    assert again.json()["data"]["id"] != first.json()["data"]["id"]
    assert CustomerSubscription.objects.get().pk == first.json()["data"]["id"]
    after = [*EventStore.objects.values(), *Event.objects.values(), *Customer.objects.values()]
    assert after == before


def test_the_id_that_a_repeated_subscription_answers_opens_nothing(guest_api):
    kept = make_subscription(customer=make_customer(email="ada@example.com"), reference="news")
    members = {"customer_email": "ada@example.com", "reference": "news"}
    pk = guest_api.create("customer_subscriptions", members).json()["data"]["id"]
    path = f"/api/customer_subscriptions/{pk}"
    for response in (guest_api.get(path), guest_api.delete(path)):
        error_of(response, 404, "RECORD_NOT_FOUND")
    kept.refresh_from_db()


def test_who_may_know_is_told_that_a_subscription_is_taken(api, as_ada):
    ada = Customer.objects.get(email="ada@example.com")
    make_subscription(customer=ada, reference="offers")
    for caller in (api, as_ada):
        response = caller.create(
            "customer_subscriptions", {"customer_email": ada.email, "reference": "offers"}
        )
        found = error_of(
            response, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/reference"}
        )
        assert found["meta"] == {"error": "taken"}


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_guests_that_subscribe_one_address_at_once_are_answered_alike():
    guest = Api(kind="sales_channel")
    members = {"customer_email": "ada@example.com", "reference": "news"}
    responses = in_threads(4, lambda _: guest.create("customer_subscriptions", members))
    assert [response.status_code for response in responses] == [201] * 4
    assert CustomerSubscription.objects.count() == 1
    assert Event.objects.filter(name="customer_subscriptions.create").count() == 1
