"""Filters and searches with the text that people and programs really have."""

import pytest

from customers.tests.conftest import error_of, ids
from customers.tests.factories import (
    make_address,
    make_customer,
    make_customer_address,
    make_order,
    make_tag,
)
from customers.tests.field.doors import CUSTOMERS, LOCAL

pytestmark = pytest.mark.thorough

DECOMPOSED, COMPOSED = "Mu\u0308nchen", "M\u00fcnchen"


def found(api, name="customers", **filters):
    """The ids that plain filters, and those of `q` by their predicates, find."""
    query = {f"filter[q][{key}]": value for key, value in filters.items()}
    return ids(api.get(f"/api/{name}", **query))


def by_console(client, text, path=CUSTOMERS):
    """The rows that a search of the console finds."""
    return [*client.get(path, {"q": text}).context["cl"].result_list]


@pytest.mark.parametrize("text", ["Smith, John", ",", "a,b,c", ",a", "a,"])
def test_a_filter_without_a_predicate_is_equality_with_a_comma_too(api, text):
    customer = make_customer(reference=text)
    make_customer(reference="Smith"), make_customer(reference="John")
    response = api.get("/api/customers", **{"filter[reference]": text})
    assert ids(response) == [customer.pk]


def test_equality_with_a_comma_is_that_of_one_text(api):
    customer = make_customer(reference="Smith, John")
    assert found(api, reference_eq="Smith, John") == [customer.pk]


def test_a_filter_of_orders_without_a_predicate_takes_a_comma(api):
    order = make_order(number="A,1")
    assert ids(api.get("/api/orders", **{"filter[number]": "A,1"})) == [order.pk]


def test_the_filter_of_ids_stays_a_list(api):
    one, two, _ = (make_customer() for _ in range(3))
    response = api.get("/api/customers", **{"filter[ids]": f"{one.pk},{two.pk}"})
    assert ids(response) == [one.pk, two.pk]


def test_a_link_that_is_given_can_be_followed_however_long_the_list_is(api):
    customers = [make_customer() for _ in range(3)]
    listed = ",".join([one.pk for one in customers] + ["x" * 16] * 467)
    path = f"/api/customers?page[size]=1&filter[q][id_in]={listed}"
    assert len(path) < 8190
    response = api.client.get(path)
    assert ids(response) == [customers[0].pk]
    link = response.json()["links"]["next"].removeprefix(LOCAL)
    assert len(f"GET {link} HTTP/1.1") < 8190
    assert ids(api.client.get(link)) == [customers[1].pk]


@pytest.mark.parametrize("query", ["page[after]=&", ""])
def test_links_write_what_needs_no_encoding_as_it_is(api, query):
    customers = [make_customer() for _ in range(2)]
    listed = ",".join(one.pk for one in customers)
    path = f"/api/customers?{query}page[size]=1&filter[q][id_in]={listed}&sort=id,-email"
    link = api.client.get(path).json()["links"]["next"]
    assert listed in link
    assert "sort=id,-email" in link


def test_the_links_of_a_related_list_write_commas_as_they_are(api):
    customer = make_customer()
    orders = [make_order(customer=customer) for _ in range(2)]
    listed = ",".join(one.pk for one in orders)
    path = f"/api/customers/{customer.pk}/orders?page[size]=1&filter[q][id_in]={listed}"
    assert listed in api.client.get(path).json()["links"]["next"]


@pytest.mark.parametrize(("kept", "sent"), [(DECOMPOSED, COMPOSED), (COMPOSED, DECOMPOSED)])
def test_what_is_kept_stays_as_it_was_given(api, kept, sent):
    made = api.create("customers", {"email": "ada@example.com", "reference": kept})
    assert made.json()["data"]["attributes"]["reference"] == kept
    pk = made.json()["data"]["id"]
    assert api.get(f"/api/customers/{pk}").json()["data"]["attributes"]["reference"] == kept


@pytest.mark.parametrize(
    "text", ["Zenobia", "zenobia", "Zeno", "Lovelace", "Zenobia Lovelace", "zenobia love"]
)
def test_a_customer_is_found_in_the_console_by_the_first_name(admin_client, text):
    customer = make_customer(email="ada@example.com")
    address = make_address(first_name="Zenobia", last_name="Lovelace")
    make_customer_address(customer=customer, address=address)
    make_customer(email="bob@example.com")
    assert by_console(admin_client, text) == [customer]


def test_a_first_name_of_two_words_is_found_in_the_console(admin_client):
    customer = make_customer(email="ada@example.com")
    address = make_address(first_name="Anna Maria", last_name="King")
    make_customer_address(customer=customer, address=address)
    for text in ("Anna Maria", "Anna Maria King", "anna"):
        assert by_console(admin_client, text) == [customer]


def test_a_first_name_in_the_other_mode_is_not_found_in_the_console(admin_client):
    customer = make_customer(email="ada@example.com", mode="live")
    address = make_address(first_name="Zenobia", mode="live")
    make_customer_address(mode="live", customer=customer, address=address)
    assert by_console(admin_client, "Zenobia") == []


def test_the_palette_finds_a_customer_by_the_first_name(admin_client):
    customer = make_customer(email="ada@example.com")
    make_customer_address(customer=customer, address=make_address(first_name="Zenobia"))
    entries = admin_client.get("/admin/command-palette/", {"q": "Zenobia"}).json()["entries"]
    assert [one["label"] for one in entries] == ["ada@example.com"]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-01-01t00:00:00z",
        "2026-01-01T00:00:00z",
        "2026-01-01t00:00:00Z",
        "2026-01-01t00:00:00.123z",
        "2026-01-01t00:00:00+00:00",
        "2026-01-01",
    ],
)
def test_a_moment_is_taken_in_any_case_of_its_letters(api, moment):
    customer = make_customer()
    assert found(api, created_at_gteq=moment) == [customer.pk]
    assert found(api, created_at_lt=moment) == []
    plain = api.get("/api/customers", **{"filter[created_at_from]": moment})
    assert ids(plain) == [customer.pk]


def test_a_moment_in_a_document_is_taken_in_any_case_of_its_letters(api):
    order = make_order(customer=make_customer())
    linkage = {"source_order": {"type": "orders", "id": order.pk}}
    given = {"frequency": "weekly", "starts_at": "2026-01-01t00:00:00z"}
    made = api.create("order_subscriptions", given, linkage)
    assert made.status_code == 201, made.content
    assert made.json()["data"]["attributes"]["starts_at"] == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize("moment", ["2026-01-01z", "z", "2026-01-01t", "2026-13-01t00:00:00z"])
def test_what_is_no_moment_stays_refused(api, moment):
    response = api.get("/api/customers", **{"filter[q][created_at_gteq]": moment})
    source = {"parameter": "filter[q][created_at_gteq]"}
    error_of(response, 400, "INVALID_FILTER_VALUE", source)


def test_an_export_takes_what_the_callers_token_sees(api):
    make_customer()
    made = api.create("exports", {"resource_type": "customers", "jwt_filters": True})
    assert made.status_code == 201
    assert made.json()["data"]["attributes"]["jwt_filters"] is True


def test_a_tag_is_found_in_the_case_in_which_it_is_typed(api):
    tag = make_tag(name="vip")
    customer = make_customer()
    customer.tags.add(tag)
    assert found(api, tags_name_cont="VIP") == [customer.pk]
