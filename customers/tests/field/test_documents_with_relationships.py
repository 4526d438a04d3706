"""Documents and rows in which several things are wrong, relationships among them."""

import pytest

from customers.models import (
    Address,
    Customer,
    CustomerAddress,
    CustomerPaymentSource,
    CustomerSubscription,
    Import,
    Order,
    OrderSubscription,
    SkuListItem,
    Tag,
    Webhook,
)
from customers.tests.conftest import error_of
from customers.tests.factories import (
    ADDRESS,
    link,
    make_address,
    make_customer,
    make_group,
    make_order,
    make_sku_list,
    make_subscription,
    make_tag,
)
from customers.tests.field.documents import LONG, of_attributes, of_relationships, pointers
from customers.tests.field.doors import CUSTOMERS, by_api

pytestmark = pytest.mark.thorough


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
    customer = make_customer(email="new@example.com")
    by_api(f"id,email,reference\n{customer.pk},taken@example.com,{LONG}\n")
    ((_, told),) = Import.objects.get().errors_log.items()
    assert told == {
        "email": ["has already been taken"],
        "reference": ["is too long (maximum is 255 characters)"],
    }
    customer.refresh_from_db()
    assert customer.email == "new@example.com"


def test_an_import_of_addresses_lists_all_that_is_missing():
    by_api("first_name,last_name,country_code\nAda,Lovelace,GB\n", "addresses")
    ((_, told),) = Import.objects.get().errors_log.items()
    assert told.keys() == {"line_1", "city", "zip_code", "phone"}


def test_a_relationship_to_what_is_not_there_stays_404(api):
    gone = {"type": "customer_groups", "id": "nonexistent12345"}
    refused = api.create("customers", {"email": "ada@example.com"}, {"customer_group": gone})
    source = {"pointer": "/data/relationships/customer_group/data"}
    error_of(refused, 404, "RECORD_NOT_FOUND", source)
    assert not Customer.objects.exists()


def test_an_import_lists_all_that_is_wrong_with_a_row(taken):
    by_api(f"email,reference,profile_id\nada,{LONG},{LONG}\n")
    job = Import.objects.get()
    assert job.errors_log["ada"].keys() == {"email", "reference", "profile_id"}
    assert job.errors_count == 1


def test_an_import_of_orders_lists_all_that_is_wrong_with_a_row(taken):
    by_api(f"number,currency_code,reference\nA-1,EURO,{LONG}\n", "orders")
    assert Import.objects.get().errors_log["A-1"].keys() == {"currency_code", "reference"}
    assert not Order.objects.filter(number="A-1").exists()


def test_the_console_tells_all_that_is_wrong_with_a_customer(admin_client, taken):
    sent = {"email": "taken@example.com", "reference": LONG, "metadata": "["}
    page = admin_client.post(f"{CUSTOMERS}add/", sent)
    assert page.context["adminform"].form.errors.keys() == {"email", "reference", "metadata"}


def test_a_value_that_is_wrong_hides_none_that_is_missing_in_the_console(admin_client):
    sent = {"country_code": "XX", "metadata": "{}"}
    page = admin_client.post("/admin/customers/address/add/", sent)
    wanted = {"first_name", "last_name", "line_1", "city", "country_code", "phone"}
    assert page.context["adminform"].form.errors.keys() == wanted


def test_a_document_that_is_right_stays_taken(api):
    assert api.create("addresses", ADDRESS).status_code == 201
    assert api.create("tags", {"name": "vip"}).status_code == 201
    assert (Address.objects.count(), Tag.objects.count()) == (1, 1)
    assert not Webhook.objects.exists()


def test_what_is_unknown_stays_told_before_what_is_wrong(api):
    refused = api.create("customers", {"email": "ada", "shoe_size": 7})
    assert refused.status_code == 400
    (error,) = refused.json()["errors"]
    assert error["source"]["pointer"] == "/data/attributes/shoe_size"
