"""Changes and linkages in which several things are wrong, triggers among them."""

import pytest

from customers.models import Customer, CustomerAddress, CustomerSubscription, Import, Order, Webhook
from customers.tests.conftest import error_of
from customers.tests.factories import (
    CALLBACK_URL,
    SMALLEST,
    link,
    make_address,
    make_customer,
    make_export,
    make_group,
    make_import,
    make_order,
    make_order_subscription,
    make_subscription,
    make_tag,
    make_webhook,
)
from customers.tests.field.documents import LONG, of_attributes, of_relationships, pointers
from customers.tests.field.doors import by_api

pytestmark = pytest.mark.thorough

MISSING = "nonexistent12345"
GONE = {"type": "customer_groups", "id": MISSING}
TRIGGERS = {
    "a taken number and a move": (
        make_order,
        {"number": "taken", "_approve": True},
    ),
    "a length and two moves": (
        make_order,
        {"reference": LONG, "_approve": True, "_unarchive": True},
    ),
    "a currency and a moment without its move": (
        make_order,
        {"currency_code": "EURO", "placed_at": "2026-01-01T00:00:00Z"},
    ),
    "a moment that is none and a move": (
        make_order,
        {"placed_at": "soon", "_approve": True},
    ),
    "a taken address and a cancellation": (
        make_customer,
        {"email": "TAKEN@example.com", "_cancel_anonymization": True},
    ),
    "a password that was chosen and a taken address": (
        lambda: make_customer(password="a hash"),
        {"password": "a right sentence", "email": "taken@example.com"},
    ),
    "a password that was chosen, a length and a cancellation": (
        lambda: make_customer(password="a hash"),
        {"password": "a right sentence", "reference": LONG, "_cancel_anonymization": True},
    ),
    "a length and a job that cannot be resumed": (
        make_import,
        {"reference": LONG, "_start": True},
    ),
    "metadata and an export that cannot be resumed": (
        make_export,
        {"metadata": [], "_start": True},
    ),
    "a frequency, an end and a move": (
        make_order_subscription,
        {"frequency": "often", "expires_at": "2001-01-01T00:00:00Z", "_deactivate": True},
    ),
    "a topic and a name that is taken": (
        make_webhook,
        {"topic": "x.y", "name": "taken"},
    ),
}


@pytest.mark.parametrize("case", TRIGGERS)
def test_what_a_trigger_may_not_do_is_told_with_the_rest(api, taken, case):
    make, attributes = TRIGGERS[case]
    row = make()
    make_webhook(name="taken")
    model = type(row)
    kept = model.objects.values().get(pk=row.pk)
    found = pointers(api.update(model._meta.db_table, row.pk, attributes))
    expected = of_attributes(*attributes)
    if "expires_at" in attributes:  # which is about two members, and so about the whole
        expected = {*expected, "/data"} - of_attributes("expires_at")
    assert found == expected
    assert model.objects.values().get(pk=row.pk) == kept


def test_too_many_tags_are_told_with_the_rest(api, taken):
    tags = [link(make_tag()) for _ in range(11)]
    given = {"email": "taken@example.com", "reference": LONG}
    wrong = of_attributes("email", "reference") | of_relationships("tags")
    assert pointers(api.create("customers", given, {"tags": tags})) == wrong
    customer = make_customer()
    assert pointers(api.update("customers", customer.pk, given, {"tags": tags})) == wrong
    assert customer.tags.count() == 0


def test_too_many_tags_by_name_are_told_with_the_rest(api, taken):
    names = ",".join(make_tag().name for _ in range(11))
    order = make_order()
    refused = api.update("orders", order.pk, {"number": "taken", "_add_tags": names})
    assert pointers(refused) == of_attributes("number", "_add_tags")
    assert order.tags.count() == 0


def test_a_token_that_is_wrong_is_told_with_the_password_and_the_rest(api):
    email = make_customer().email
    pk = api.create("customer_password_resets", {"customer_email": email}).json()["data"]["id"]
    given = {"_reset_password_token": "x", "customer_password": "short", "reference": LONG}
    assert pointers(api.update("customer_password_resets", pk, given)) == of_attributes(*given)


def test_what_is_not_there_is_told_with_what_is_wrong(api, taken):
    refused = api.create("customers", {"email": "ada"}, {"customer_group": GONE})
    assert pointers(refused) == {"attributes/email", "relationships/customer_group/data"}
    customer = make_customer()
    refused = api.update(
        "customers", customer.pk, {"email": "taken@example.com"}, {"customer_group": GONE}
    )
    assert pointers(refused) == {"attributes/email", "relationships/customer_group/data"}


def test_both_that_are_not_there_are_404_at_once(api):
    gone = {kind: {"type": f"{kind}s", "id": MISSING} for kind in ("customer",)}
    gone["address"] = {"type": "addresses", "id": MISSING}
    refused = api.create("customer_addresses", {}, gone)
    assert pointers(refused, 404) == {"relationships/customer/data", "relationships/address/data"}
    assert not CustomerAddress.objects.exists()


def test_all_tags_of_a_list_that_are_not_there_are_told_at_once(api):
    customer, tag = make_customer(), link(make_tag())
    gone = {"type": "tags", "id": MISSING}
    path = f"/api/customers/{customer.pk}/relationships/tags"
    refused = api.send("POST", path, {"data": [gone, tag, {**gone, "id": "nonexistent54321"}]})
    assert pointers(refused, 404) == {"0", "2"}
    malformed = api.send("POST", path, {"data": [tag, 7, {"type": "orders", "id": MISSING}, {}]})
    assert pointers(malformed, 400) == {"1", "2/type", "3"}
    assert customer.tags.count() == 0


def test_all_that_is_wrong_with_the_form_of_a_document_is_told_at_once(api):
    group = {"customer_group": {"type": "orders", "id": MISSING}}
    malformed = {**group, "tags": {"type": "tags"}, "shoes": [], "orders": []}
    refused = api.create("customers", {"email": "ada", "shoe_size": 7, "status": "x"}, malformed)
    assert pointers(refused, 400) == {
        "attributes/shoe_size",
        "attributes/status",
        "relationships/shoes",
        "relationships/orders",
        "relationships/customer_group/data/type",
        "relationships/tags/data",
    }


@pytest.mark.parametrize("pk", ["nonexistent12345", None])
def test_a_type_and_an_id_that_are_wrong_are_told_at_once(api, pk):
    group = make_group()
    data = {"type": "orders", "attributes": [], "relationships": 7, **({"id": pk} if pk else {})}
    refused = api.send("PATCH", f"/api/customer_groups/{group.pk}", {"data": data})
    assert pointers(refused, 400) == {"type", "id", "attributes", "relationships"}


def test_a_customer_that_an_address_names_wrongly_is_told_once(api):
    refused = api.create("customer_addresses", {"customer_email": "nobody@example.com"})
    assert pointers(refused) == {"attributes/customer_email", "relationships/address"}
    refused = api.create("customer_addresses", {"customer_email": 7})
    assert pointers(refused) == {"attributes/customer_email", "relationships/address"}


def test_a_guest_whose_document_is_wrong_is_not_told_who_is_there(guest_api):
    known = make_subscription(reference="news")
    told = [
        pointers(
            guest_api.create(
                "customer_subscriptions",
                {"customer_email": email, "reference": "news", "reference_origin": LONG},
            )
        )
        for email in (known.customer.email, "nobody@example.com")
    ]
    assert told == [of_attributes("reference_origin")] * 2
    assert (CustomerSubscription.objects.count(), Customer.objects.count()) == (1, 1)


def test_nothing_is_made_of_a_document_that_is_wrong(api):
    given = {"customer_email": "new@example.com", "currency_code": "EURO"}
    assert pointers(api.create("orders", given)) == of_attributes("currency_code")
    given = {"topic": "customers.create", "callback_url": CALLBACK_URL, "name": LONG}
    assert pointers(api.create("webhooks", {**given, "_disable": True})) == of_attributes("name")
    assert [one.objects.count() for one in (Customer, Order, Webhook)] == [0, 0, 0]


@pytest.mark.parametrize("name", sorted(SMALLEST))
def test_two_lengths_are_told_of_every_type(api, name):
    attributes, linkages = SMALLEST[name]()
    given = {**attributes, "reference": LONG, "reference_origin": LONG, "metadata": []}
    wrong = of_attributes("reference", "reference_origin", "metadata")
    assert pointers(api.create(name, given, linkages)) == wrong


def test_all_members_of_an_export_that_are_wrong_are_told_at_once(api):
    make_customer()
    given = {"fields": ["shoes"], "includes": ["shoes"], "filters": {"shoes_eq": 1}}
    refused = api.create("exports", {"resource_type": "customers", **given, "reference": LONG})
    assert pointers(refused) == of_attributes(*given, "reference")


def test_inputs_of_a_format_that_is_none_are_not_judged_by_another(api):
    given = {"resource_type": "customers", "format": "xml", "inputs": "email\nada@example.com\n"}
    assert pointers(api.create("imports", given)) == of_attributes("format")


def test_a_row_of_an_import_tells_what_is_unknown_beside_what_is_wrong(taken):
    by_api(f"email,shoe_size,reference,orders.id,shoes.id\nada,7,{LONG},x,y\n")
    told = Import.objects.get().errors_log["ada"]
    assert told.keys() == {"email", "shoe_size", "reference", "orders", "shoes"}
    assert not Customer.objects.filter(email="ada").exists()


def test_a_row_of_an_import_tells_what_is_wrong_with_what_it_makes_by_the_way():
    make_customer(email="ada@example.com")
    rows = [{"customer_email": "nobody", "reference": LONG, "address": {"first_name": "Ada"}}]
    by_api(rows, "customer_addresses", format="json")
    ((_, told),) = Import.objects.get().errors_log.items()
    missing = {"last_name", "line_1", "city", "zip_code", "country_code", "phone"}
    assert told.keys() == {"customer_email", "reference", *missing}
    assert not CustomerAddress.objects.exists()


def test_a_row_of_an_import_that_is_right_is_written_beside_those_that_are_not():
    by_api(f"email,reference\nada,{LONG}\nmara@example.com,R-1\n")
    job = Import.objects.get()
    assert (job.processed_count, job.errors_count) == (1, 1)
    assert Customer.objects.get().reference == "R-1"


def test_a_change_that_is_right_is_made_with_its_trigger(api):
    order = make_order(customer=make_customer())
    changed = api.update("orders", order.pk, {"number": "A-2", "_place": True})
    assert changed.status_code == 200
    order.refresh_from_db()
    assert (order.number, order.status) == ("A-2", "placed")


def test_one_that_is_wrong_alone_is_told_as_ever(api, taken):
    order = make_order()
    source = {"pointer": "/data/attributes/number"}
    refused = error_of(
        api.update("orders", order.pk, {"number": "taken"}), 422, "VALIDATION_ERROR", source
    )
    assert refused["meta"] == {"error": "taken"}
    address = make_address()
    refused = api.update("addresses", address.pk, {"phone": None})
    error_of(refused, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/phone"})
