"""Filters and searches with the text that people and programs really have."""

import pytest

from customers.models import Customer
from customers.tests.conftest import ids
from customers.tests.factories import (
    make_address,
    make_customer,
    make_customer_address,
    make_group,
)
from customers.tests.field.doors import CUSTOMERS

DECOMPOSED, COMPOSED = "Mu\u0308nchen", "M\u00fcnchen"


def found(api, name="customers", **filters):
    """The ids that plain filters, and those of `q` by their predicates, find."""
    query = {f"filter[q][{key}]": value for key, value in filters.items()}
    return ids(api.get(f"/api/{name}", **query))


def by_console(client, text, path=CUSTOMERS):
    """The rows that a search of the console finds."""
    return [*client.get(path, {"q": text}).context["cl"].result_list]


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


def test_a_filter_too_long_for_an_address_is_sent_by_post(api):
    customers = [make_customer() for _ in range(3)]
    listed = [one.pk for one in customers[:2]] + ["x" * 16] * 2000
    body = {"filter": {"q": {"id_in": ",".join(listed)}}, "page": {"size": 1}}
    response = api.send("POST", "/api/customers/search", body)
    assert ids(response) == [customers[0].pk]
    assert response.json()["meta"]["record_count"] == 2
    assert Customer.objects.count() == 3


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
