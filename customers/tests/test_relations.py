"""The eleven relationships of a customer, from all sides."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Order
from customers.tests.conftest import error_of, ids
from customers.tests.factories import (
    ADDRESS,
    ONE,
    link,
    make_address,
    make_customer,
    make_full_customer,
    make_group,
    make_order,
    make_orders,
    make_tag,
)


def to(name):
    """The link to the one row that this test has made of the type `name`."""
    return lambda made: {"type": name, "id": made[name]}


# relationship: attributes and relationships that make a row of it for the customer, a nested
# include path, and a filter across it with what it must find (None where it is not offered)
RELATIONSHIPS = {
    "customer_group": (
        {"name": "VIP"},
        {},
        "customer_group.attachments",
        ("customer_group_name_eq", "VIP"),
    ),
    "customer_addresses": (
        {},
        {"customer": to("customers"), "address": to("addresses")},
        "customer_addresses.address",
        ("customer_addresses_address_city_eq", "London"),
    ),
    "customer_payment_sources": (
        {"payment_source_token": "pm_1NgABCDEFGHwxyz"},
        {"customer": to("customers")},
        "customer_payment_sources.customer",
        ("customer_payment_sources_name_cont", "wxyz"),
    ),
    "customer_subscriptions": (
        {"customer_email": "ada@example.com", "reference": "news"},
        {},
        "customer_subscriptions.events",
        ("customer_subscriptions_reference_eq", "news"),
    ),
    "orders": (
        {"customer_email": "ada@example.com", "number": "A1"},
        {},
        "orders.returns",
        ("orders_number_eq", None),
    ),
    "order_subscriptions": (
        {"frequency": "weekly"},
        {"source_order": to("orders")},
        "order_subscriptions.source_order",
        ("order_subscriptions_frequency_eq", "weekly"),
    ),
    "returns": ({}, {"order": to("orders")}, "returns.order", ("returns_status_eq", "draft")),
    "sku_lists": (
        {"name": "Wishes"},
        {"customer": to("customers")},
        "sku_lists.sku_list_items",
        ("sku_lists_name_start", "wish"),
    ),
    "attachments": (
        {"name": "Note"},
        {"attachable": to("customers")},
        "attachments.attachable",
        ("attachments_name_eq", "Note"),
    ),
    "events": (None, None, None, ("events_name_eq", "customers.create")),
    "tags": ({"name": "vip"}, {}, None, ("tags_name_in", "vip")),
}


@pytest.fixture
def ada(api):
    """A customer made through the API with one row in each relationship: ids by type."""
    made = {}

    def create(name, attributes, relationships):
        response = api.create(
            name, attributes, {key: value(made) for key, value in relationships.items()}
        )
        assert response.status_code == 201, (name, response.content)
        made[name] = response.json()["data"]["id"]

    create("customers", {"email": "ada@example.com"}, {})
    create("addresses", ADDRESS, {})
    for relationship, (attributes, relationships, _, _) in RELATIONSHIPS.items():
        if attributes is not None:
            name = "customer_groups" if relationship == "customer_group" else relationship
            create(name, attributes, relationships)
    linkage = {
        "customer_group": to("customer_groups")(made),
        "tags": [to("tags")(made)],
    }
    assert api.update("customers", made["customers"], {}, linkage).status_code == 200
    make_full_customer()
    return made


@pytest.mark.parametrize("relationship", RELATIONSHIPS)
def test_a_relationship_is_created_included_nested_linked_and_filtered_by(api, ada, relationship):
    pk = ada["customers"]
    _, _, nested_path, (name, text) = RELATIONSHIPS[relationship]
    to_one = relationship == "customer_group"
    kind = "customer_groups" if to_one else relationship

    retrieved = api.get(f"/api/customers/{pk}", include=relationship).json()
    linkage = retrieved["data"]["relationships"][relationship]["data"]
    linked = [linkage] if to_one else linkage
    if kind in ada:
        assert linked == [{"type": kind, "id": ada[kind]}]
    assert [(o["type"], o["id"]) for o in retrieved["included"]] == [
        (one["type"], one["id"]) for one in linked
    ]

    query = {"include": relationship, "filter[q][id_eq]": pk}
    listed = api.query("/api/customers", query).json()
    assert listed["data"] == [retrieved["data"]]
    assert listed["included"] == retrieved["included"]

    if nested_path:
        deeper = api.get(f"/api/customers/{pk}", include=nested_path)
        assert deeper.status_code == 200
        last = nested_path.split(".")[1]
        (first,) = (o for o in deeper.json()["included"] if o["id"] == linked[0]["id"])
        assert "data" in first["relationships"][last]

    links = retrieved["data"]["relationships"][relationship]["links"]
    for url in links.values():
        assert api.client.get(url.removeprefix("http://127.0.0.1:8000")).status_code == 200
    if not to_one:
        path = f"/api/customers/{pk}/{relationship}"
        query = {"page[size]": "1", "sort": "-id", "filter[q][id_in]": linked[0]["id"]}
        page = api.query(path, query)
        assert ids(page) == [linked[0]["id"]]
        assert page.json()["meta"] == {"record_count": 1, "page_count": 1}
        assert ids(api.query(path, {"filter[q][id_eq]": "unknown"})) == []

    parameter = f"filter[q][{name}]"
    query = {parameter: text or "A1", "filter[q][email_eq]": "ada@example.com"}
    response = api.query("/api/customers", query)
    if text is None:
        error_of(response, 400, "FILTER_NOT_ALLOWED", {"parameter": parameter})
    else:
        assert ids(response) == [pk]
        nothing = {**query, parameter: "no such value"}
        assert ids(api.query("/api/customers", nothing)) == []


def test_every_include_of_a_customer_at_once(api, ada):
    paths = [path for _, _, path, _ in RELATIONSHIPS.values() if path]
    include = ",".join([*RELATIONSHIPS, *paths])
    document = api.get(f"/api/customers/{ada['customers']}", include=include).json()
    assert document["data"]["relationships"].keys() >= RELATIONSHIPS.keys()
    assert {o["type"] for o in document["included"]} == {
        "customer_groups",
        "customer_addresses",
        "addresses",
        "customer_payment_sources",
        "customer_subscriptions",
        "orders",
        "order_subscriptions",
        "returns",
        "sku_lists",
        "attachments",
        "events",
        "tags",
    }


def test_a_customer_with_20000_orders_costs_no_more_than_one_with_none(api):
    many, none = make_customer(), make_customer()
    make_orders(many, 20_000)
    sizes, counts = [], []
    api.get("/api/tags")
    for customer in (many, none):
        for path in (f"/api/customers/{customer.pk}", f"/api/customers?filter[id]={customer.pk}"):
            with CaptureQueriesContext(connection) as queries:
                response = api.client.get(path)
            sizes.append(len(response.content))
            counts.append((len(queries), any('"orders"' in q["sql"] for q in queries)))
    assert counts[:2] == counts[2:] == [(2, False), (3, False)]
    assert max(sizes) < 6000
    page = api.query(
        f"/api/customers/{many.pk}/orders", {"page[number]": "800", "page[size]": "25"}
    )
    assert len(ids(page)) == 25
    assert page.json()["meta"] == {"record_count": 20_000, "page_count": 800}
    linkage = api.get(f"/api/customers/{many.pk}/relationships/orders").json()
    assert (len(linkage["data"]), linkage["meta"]["record_count"]) == (10, 20_000)
    too_many = api.get(f"/api/customers/{many.pk}", include="orders")
    error_of(too_many, 400, "INVALID_INCLUDE", {"parameter": "include"})


@pytest.mark.parametrize("kind", ["customers", "customer_groups", "orders", "returns", "sku_lists"])
def test_an_attachment_is_reached_from_and_moved_between_what_takes_one(api, kind, ada):
    target = {"type": kind, "id": ada[kind]}
    created = api.create("attachments", {"name": "A"}, {"attachable": target})
    pk = created.json()["data"]["id"]
    assert pk in ids(api.get(f"/api/{kind}/{ada[kind]}/attachments"))
    path = f"/api/attachments/{pk}"
    assert api.get(f"{path}/attachable").json()["data"]["id"] == ada[kind]
    assert api.get(f"{path}/relationships/attachable").json()["data"] == target
    other = link(make_customer())
    assert api.update("attachments", pk, {}, {"attachable": other}).status_code == 200
    assert api.get(f"{path}/relationships/attachable").json()["data"] == other
    assert pk not in ids(api.get(f"/api/{kind}/{ada[kind]}/attachments"))
    third = link(make_order())
    assert api.send("PATCH", f"{path}/relationships/attachable", {"data": third}).status_code == 204
    assert api.get(f"{path}/relationships/attachable").json()["data"] == third


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("attachments", "attachable"),
        ("customer_addresses", "customer"),
        ("sku_list_items", "sku_list"),
    ],
)
def test_a_relationship_that_is_needed_cannot_be_emptied(api, name, needed):
    path = f"/api/{name}/{ONE[name]().pk}/relationships/{needed}"
    before = api.get(path).json()
    error_of(api.send("PATCH", path, {"data": None}), 422, "VALIDATION_ERROR", {"pointer": "/data"})
    assert api.get(path).json() == before


@pytest.mark.parametrize(
    ("attachable", "status", "code", "pointer"),
    [
        (None, 422, "VALIDATION_ERROR", "/data/relationships/attachable"),
        (
            {"type": "tags", "id": "x"},
            400,
            "TYPE_MISMATCH",
            "/data/relationships/attachable/data/type",
        ),
        (
            {"type": "customers", "id": "x"},
            404,
            "RECORD_NOT_FOUND",
            "/data/relationships/attachable/data",
        ),
    ],
)
def test_an_attachment_hangs_on_one_resource_that_takes_it(api, attachable, status, code, pointer):
    response = api.create("attachments", {"name": "A"}, {"attachable": attachable})
    error_of(response, status, code, {"pointer": pointer})


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://example.com", "example.com", "data:,x", "http://"]
)
def test_a_link_is_a_web_address(api, url):
    response = api.create(
        "attachments", {"name": "A", "url": url}, {"attachable": link(make_customer())}
    )
    error_of(response, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/url"})
    assert api.get("/api/attachments").json()["meta"]["record_count"] == 0


def test_what_hangs_on_a_customer_goes_with_it_and_addresses_stay(api):
    customer = make_customer(customer_group=make_group())
    address = make_address()
    for name, attributes, relationships in [
        ("customer_addresses", {}, {"customer": link(customer), "address": link(address)}),
        ("customer_payment_sources", {}, {"customer": link(customer)}),
        ("customer_subscriptions", {"customer_email": customer.email, "reference": "n"}, {}),
        ("sku_lists", {"name": "Wishes"}, {"customer": link(customer)}),
        ("attachments", {"name": "Note"}, {"attachable": link(customer)}),
    ]:
        assert api.create(name, attributes, relationships).status_code == 201
    customer.tags.add(make_tag())
    assert api.delete(f"/api/customers/{customer.pk}").status_code == 204
    for name, left in {
        "customer_addresses": 0,
        "customer_payment_sources": 0,
        "customer_subscriptions": 0,
        "sku_lists": 0,
        "attachments": 0,
        "addresses": 1,
        "customer_groups": 1,
        "tags": 1,
    }.items():
        assert api.get(f"/api/{name}").json()["meta"]["record_count"] == left, name


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        ("customers", "1 order"),
        ("orders", "1 return"),
        ("addresses", "1 order"),
        ("order_subscriptions", "1 order"),
    ],
)
def test_what_must_be_kept_is_locked_and_says_what_keeps_it(api, kept, says):
    customer, address = make_customer(), make_address()
    order = make_order(customer=customer, shipping_address=address)
    subscription = api.create(
        "order_subscriptions", {"frequency": "daily"}, {"source_order": link(make_order())}
    ).json()["data"]["id"]
    Order.objects.filter(pk=order.pk).update(order_subscription=subscription)
    if kept == "orders":
        api.create("returns", {}, {"order": link(order)})
    pk = {
        "customers": customer.pk,
        "orders": order.pk,
        "addresses": address.pk,
        "order_subscriptions": subscription,
    }[kept]
    response = api.delete(f"/api/{kept}/{pk}")
    assert says in error_of(response, 423, "LOCKED")["detail"]
    assert api.get(f"/api/{kept}/{pk}").status_code == 200


def test_what_keeps_a_row_in_several_ways_is_counted_once(api):
    address = make_address()
    make_order(shipping_address=address, billing_address=address)
    make_order(shipping_address=address)
    make_order(billing_address=address)
    found = error_of(api.delete(f"/api/addresses/{address.pk}"), 423, "LOCKED")
    assert found["detail"] == "It cannot be deleted: it still has 3 orders."


def test_a_row_points_at_no_row_of_the_other_mode():
    foreign = make_customer(mode="live")
    with pytest.raises(ValidationError) as refused:
        Order(customer=foreign).clean()
    assert refused.value.message_dict == {"customer": ["belongs to the other mode"]}
    Order(customer=foreign, mode="live").clean()


def test_a_program_has_no_customer_of_its_own(api):
    customer = make_customer()
    document = api.get(f"/api/customers/{customer.pk}", include="jwt_customer").json()
    assert document["data"]["relationships"]["jwt_customer"]["data"] is None
    assert api.get(f"/api/customers/{customer.pk}/jwt_customer").json() == {"data": None}


def test_the_organization_and_the_application_are_the_callers(api, settings):
    settings.SUPPORT_EMAIL = "help@example.com"
    organization = api.get("/api/organization").json()["data"]
    assert (organization["type"], organization["id"]) == ("organizations", "clientele")
    assert organization["links"]["self"] == "http://127.0.0.1:8000/api/organization"
    assert organization["attributes"] == {
        "name": "Clientele",
        "slug": "clientele",
        "domain": "clientele.localhost",
        "support_phone": None,
        "support_email": "help@example.com",
        "logo_url": None,
        "favicon_url": None,
        "primary_color": None,
        "config": {},
        "created_at": None,
        "updated_at": None,
        "reference": None,
        "reference_origin": None,
        "metadata": {},
    }
    application = api.get("/api/application").json()["data"]
    assert (application["type"], application["id"]) == ("applications", api.application.pk)
    assert application["attributes"]["kind"] == "integration"
    assert api.secret not in str(application)
    assert "secret" not in str(application)


def test_customers_of_the_other_mode_are_reached_through_nothing(api, live_api):
    foreign = make_full_customer(mode="live")
    tag = foreign.tags.first()
    mine = make_customer()
    Customer.objects.filter(pk=mine.pk).update(customer_group=foreign.customer_group_id)
    mine.tags.add(tag)
    document = api.get(f"/api/customers/{mine.pk}", include="customer_group,tags").json()
    assert document["data"]["relationships"]["customer_group"]["data"] is None
    assert document["data"]["relationships"]["tags"]["data"] == []
    assert document["included"] == []
    for name in ("customer_addresses", "customer_payment_sources", "sku_lists"):
        row = getattr(foreign, name).get()
        error_of(api.get(f"/api/{name}/{row.pk}/customer"), 404, "RECORD_NOT_FOUND")
