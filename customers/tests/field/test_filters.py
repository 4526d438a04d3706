"""Filters and searches with the text that people and programs really have."""

import pytest

from customers.resources.filter_texts import join_list, split_list
from customers.tests.conftest import error_of, ids
from customers.tests.factories import (
    make_address,
    make_customer,
    make_customer_address,
    make_group,
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


@pytest.mark.parametrize("given", ['"Smith, John",R-2', 'R-2,"Smith, John"', '"Smith, John","R-2"'])
def test_quotes_hold_a_comma_in_one_of_the_values_of_a_list(api, given):
    one, two = make_customer(reference="Smith, John"), make_customer(reference="R-2")
    make_customer(reference="Smith"), make_customer(reference=" John")
    assert found(api, reference_in=given) == [one.pk, two.pk]


def test_quotes_within_a_value_of_a_list_are_doubled(api):
    one, two = make_customer(reference='the "one", then'), make_customer(reference='5"')
    assert found(api, reference_in='"the ""one"", then",5"') == [one.pk, two.pk]


def test_quotes_hold_a_comma_in_the_lists_of_other_predicates(api):
    one, two = make_customer(reference="Smith, John"), make_customer(reference="R-2")
    assert found(api, reference_not_in='"Smith, John"') == [two.pk]
    assert found(api, reference_cont_any='"h, J"') == [one.pk]
    assert found(api, reference_not_eq_all='"Smith, John",R-3') == [two.pk]


@pytest.mark.parametrize("predicate", ["in", "in_or_null", "matches_any", "start_any", "end_any"])
def test_quotes_hold_a_comma_in_the_lists_of_every_predicate(api, predicate):
    one, two = make_customer(reference="Smith, John"), make_customer(reference="R-2")
    make_customer(reference="Smith"), make_customer(reference="John")
    listed = found(api, **{f"reference_{predicate}": '"Smith, John",R-2'})
    assert listed == [one.pk, two.pk]


def test_quotes_hold_a_comma_in_lists_of_orders_and_across_relationships(api):
    order = make_order(number="A,1", customer=make_customer(reference="Smith, John"))
    make_order(number="A", customer=make_customer(reference="Smith"))
    assert found(api, "orders", number_in='"A,1",B') == [order.pk]
    assert found(api, "orders", number_not_in="A") == [order.pk]
    assert found(api, "orders", customer_reference_in='"Smith, John"') == [order.pk]


def test_a_comma_in_a_list_of_an_export_is_held_by_the_list_itself(api):
    make_customer(reference="Smith, John"), make_customer(reference="Smith")
    for filters in ({"reference_in": ["Smith, John"]}, {"reference_in": '"Smith, John"'}):
        attributes = {"resource_type": "customers", "filters": filters}
        made = api.create("exports", attributes).json()["data"]["attributes"]
        assert made["records_count"] == 1, filters


def test_a_list_where_an_export_asks_for_one_value_is_told(api):
    make_customer(reference="Smith, John")
    given = {"resource_type": "customers", "filters": {"reference_eq": ["Smith, John"]}}
    source = {"pointer": "/data/attributes/filters"}
    error = error_of(api.create("exports", given), 422, "VALIDATION_ERROR", source)
    assert "one value is asked for" in error["detail"]


@pytest.mark.parametrize("given", ["R-2,Smith", "R-2,,Smith", "Smith,R-2", ",R-2,Smith,"])
def test_plain_values_of_a_list_are_what_they_were(api, given):
    customers = [make_customer(reference=text) for text in ("Smith", "R-2", 'a"b')]
    assert found(api, reference_in=given) == [one.pk for one in customers[:2]]
    assert found(api, reference_in='a"b,x') == [customers[2].pk]
    assert found(api, reference_eq="Smith,R-2") == []


@pytest.mark.parametrize("given", ['"', 'a,"', '"a', '"a"b,c', '"a,b', '"a""', 'x,"a" ,b'])
@pytest.mark.parametrize("predicate", ["in", "not_in", "cont_any", "not_eq_all"])
def test_a_quote_that_is_not_closed_is_told(api, predicate, given):
    parameter = f"filter[q][reference_{predicate}]"
    response = api.get("/api/customers", **{parameter: given})
    error = error_of(response, 400, "INVALID_FILTER_VALUE", {"parameter": parameter})
    assert "begins with a quote ends with one" in error["detail"]


def test_values_that_are_listed_are_read_again():
    for values in (["a,b", "c"], ['"', "a"], ['say "hi", twice'], ["a"], ["", "b"]):
        assert split_list(join_list(values)) == values


@pytest.mark.parametrize(("kept", "sent"), [(DECOMPOSED, COMPOSED), (COMPOSED, DECOMPOSED)])
@pytest.mark.parametrize("predicate", ["cont", "eq", "in", "start", "end", "matches", "i_cont"])
def test_canonically_equivalent_text_is_equal(api, kept, sent, predicate):
    customer = make_customer(reference=kept)
    make_customer(reference="Munchen")
    sent = sent.lower() if predicate in ("cont", "i_cont") else sent
    assert found(api, **{f"reference_{predicate}": sent}) == [customer.pk]


@pytest.mark.parametrize(("kept", "sent"), [(DECOMPOSED, COMPOSED), (COMPOSED, DECOMPOSED)])
def test_a_name_in_another_composition_is_found_in_the_console(admin_client, kept, sent):
    customer = make_customer(email="ada@example.com")
    make_customer_address(customer=customer, address=make_address(last_name=kept))
    assert by_console(admin_client, sent) == [customer]


@pytest.mark.parametrize(("kept", "sent"), [(DECOMPOSED, COMPOSED), (COMPOSED, DECOMPOSED)])
def test_addresses_and_groups_are_found_in_another_composition(api, kept, sent):
    address, group = make_address(city=kept), make_group(name=kept)
    assert found(api, "addresses", city_eq=sent) == [address.pk]
    assert found(api, "customer_groups", name_cont=sent) == [group.pk]


def test_a_reference_in_another_composition_is_found_in_the_console(admin_client):
    customer = make_customer(reference=DECOMPOSED)
    assert by_console(admin_client, COMPOSED) == [customer]


def test_a_filter_without_a_predicate_takes_another_composition(api):
    customer = make_customer(reference=DECOMPOSED)
    assert ids(api.get("/api/customers", **{"filter[reference]": COMPOSED})) == [customer.pk]
