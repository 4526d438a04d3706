"""Documents and rows in which several things are wrong, relationships among them."""

import pytest

from customers.models import (
    Customer,
    CustomerAddress,
    CustomerPaymentSource,
    CustomerSubscription,
    Import,
    OrderSubscription,
    SkuListItem,
)
from customers.tests.factories import (
    link,
    make_address,
    make_customer,
    make_group,
    make_order,
    make_sku_list,
    make_subscription,
    make_tag,
)
from customers.tests.field.doors import by_api

LONG = "x" * 300


def pointers(response):
    """The pointers of a 422, without what stands before the member's kind."""
    assert response.status_code == 422, response.content
    found = [error["source"]["pointer"] for error in response.json()["errors"]]
    assert {error["status"] for error in response.json()["errors"]} == {"422"}
    return {one.removeprefix("/data/") for one in found}


def of_attributes(*names):
    return {f"attributes/{name}" for name in names}


def of_relationships(*names):
    return {f"relationships/{name}" for name in names}


@pytest.fixture
def taken():
    """What other rows have already."""
    make_customer(email="taken@example.com", shopper_reference="taken-reference")
    make_group(code="taken"), make_tag(name="taken"), make_order(number="taken")


RELATED = {
    "both ends of an entry": (
        "customer_addresses",
        {},
        {},
        of_relationships("customer", "address"),
    ),
    "an end and a length": (
        "customer_addresses",
        {"reference": LONG},
        {"customer": "customer"},
        {"relationships/address", "attributes/reference"},
    ),
    "a customer and a token": (
        "customer_payment_sources",
        {"payment_source_token": LONG * 2},
        {},
        {"relationships/customer", "attributes/payment_source_token"},
    ),
    "a customer and a reference": (
        "customer_payment_sources",
        {"reference": LONG},
        {},
        {"relationships/customer", "attributes/reference"},
    ),
    "an order and a frequency": (
        "order_subscriptions",
        {"frequency": "often"},
        {},
        {"relationships/source_order", "attributes/frequency"},
    ),
    "an order and no frequency": (
        "order_subscriptions",
        {},
        {},
        {"relationships/source_order", "attributes/frequency"},
    ),
    "an order, a frequency and an end": (
        "order_subscriptions",
        {"frequency": "often", "expires_at": "soon"},
        {},
        {"relationships/source_order", "attributes/frequency", "attributes/expires_at"},
    ),
    "an order and a reference": (
        "returns",
        {"reference": LONG},
        {},
        {"relationships/order", "attributes/reference"},
    ),
    "a list and a code": (
        "sku_list_items",
        {},
        {},
        {"relationships/sku_list", "attributes/sku_code"},
    ),
    "a list and a quantity": (
        "sku_list_items",
        {"sku_code": "A", "quantity": 0},
        {},
        {"relationships/sku_list", "attributes/quantity"},
    ),
    "a list, a code and a reference": (
        "sku_list_items",
        {"sku_code": LONG, "reference": LONG},
        {},
        {"relationships/sku_list", "attributes/sku_code", "attributes/reference"},
    ),
    "a thing and a name": ("attachments", {}, {}, {"relationships/attachable", "attributes/name"}),
    "a thing, a name and an address": (
        "attachments",
        {"url": "no address"},
        {},
        {"relationships/attachable", "attributes/name", "attributes/url"},
    ),
}


@pytest.mark.parametrize("case", RELATED)
def test_what_is_wrong_with_relationships_is_told_with_the_rest(api, taken, case):
    name, attributes, linkages, wrong = RELATED[case]
    there = {"customer": make_customer, "address": make_address}
    linkages = {
        key: link(there[value]()) if isinstance(value, str) else value
        for key, value in linkages.items()
    }
    assert pointers(api.create(name, attributes, linkages)) == wrong
    for model in (CustomerAddress, CustomerPaymentSource, OrderSubscription, SkuListItem):
        assert not model.objects.exists()


CHANGES = {
    "customers": (make_customer, {"email": "taken@example.com", "reference": LONG}),
    "customer_groups": (make_group, {"name": "", "code": "taken"}),
    "tags": (make_tag, {"name": "taken", "reference": LONG}),
    "addresses": (make_address, {"city": None, "phone": None, "lat": 100}),
    "orders": (make_order, {"number": "taken", "currency_code": "euro"}),
    "customer_subscriptions": (make_subscription, {"reference": LONG, "reference_origin": LONG}),
    "sku_lists": (make_sku_list, {"name": None, "reference": LONG}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_all_that_is_wrong_with_a_change_is_told_at_once(api, taken, name):
    make, attributes = CHANGES[name]
    row = make()
    kept = type(row).objects.values().get(pk=row.pk)
    if name == "customer_subscriptions":
        attributes = {**attributes, "metadata": []}
        del attributes["reference"]
    assert pointers(api.update(name, row.pk, attributes)) == of_attributes(*attributes)
    assert type(row).objects.values().get(pk=row.pk) == kept


def test_a_subscription_twice_with_a_length_is_told_both(api):
    kept = make_subscription(reference="news")
    given = {
        "customer_email": kept.customer.email,
        "reference": "news",
        "reference_origin": LONG,
    }
    refused = api.create("customer_subscriptions", given)
    assert pointers(refused) == of_attributes("reference", "reference_origin")
    assert CustomerSubscription.objects.count() == 1


def test_an_import_lists_a_taken_value_with_the_rest_of_a_row(taken):
    by_api(f"email,shopper_reference,reference\nnew@example.com,taken-reference,{LONG}\n")
    job = Import.objects.get()
    assert job.errors_log["new@example.com"].keys() == {"shopper_reference", "reference"}
    assert not Customer.objects.filter(email="new@example.com").exists()


def test_an_import_of_addresses_lists_all_that_is_missing():
    by_api("first_name,last_name,country_code\nAda,Lovelace,GB\n", "addresses")
    ((_, told),) = Import.objects.get().errors_log.items()
    assert told.keys() == {"line_1", "city", "zip_code", "phone"}
