"""Filters and searches with the text that people and programs really have."""

import pytest

from customers.tests.conftest import error_of, ids
from customers.tests.factories import (
    make_address,
    make_customer,
    make_customer_address,
    make_tag,
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


def test_equality_with_a_comma_is_that_of_one_text(api):
    customer = make_customer(reference="Smith, John")
    assert found(api, reference_eq="Smith, John") == [customer.pk]


def test_the_filter_of_ids_stays_a_list(api):
    one, two, _ = (make_customer() for _ in range(3))
    response = api.get("/api/customers", **{"filter[ids]": f"{one.pk},{two.pk}"})
    assert ids(response) == [one.pk, two.pk]


@pytest.mark.parametrize(("kept", "sent"), [(DECOMPOSED, COMPOSED), (COMPOSED, DECOMPOSED)])
def test_what_is_kept_stays_as_it_was_given(api, kept, sent):
    made = api.create("customers", {"email": "ada@example.com", "reference": kept})
    assert made.json()["data"]["attributes"]["reference"] == kept
    pk = made.json()["data"]["id"]
    assert api.get(f"/api/customers/{pk}").json()["data"]["attributes"]["reference"] == kept


def test_a_first_name_in_the_other_mode_is_not_found_in_the_console(admin_client):
    customer = make_customer(email="ada@example.com", mode="live")
    address = make_address(first_name="Zenobia", mode="live")
    make_customer_address(mode="live", customer=customer, address=address)
    assert by_console(admin_client, "Zenobia") == []


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
