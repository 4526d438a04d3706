"""Filters and searches with the text that people and programs really have."""

from urllib.parse import quote

import pytest

from customers.models import Customer
from customers.tests.conftest import error_of, ids
from customers.tests.factories import (
    make_address,
    make_customer,
    make_customer_address,
    make_export,
    make_group,
    make_import,
    make_order_subscription,
)
from customers.tests.field.doors import CUSTOMERS, LOCAL

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


def test_jobs_are_found_by_what_is_in_their_log_of_errors(api):
    job, other = make_import(given=[{"email": "nobody"}], skip_errors=True), make_import()
    api.client.get("/api/imports")
    type(job).objects.filter(pk=job.pk).update(
        errors_log={"nobody": {"email": ["is not an e-mail address"]}}
    )
    text = quote('{"nobody":{"email":["is not an e-mail address"]}}')
    response = api.client.get(f"/api/imports?filter[q][errors_log_jcont]={text}")
    assert ids(response) == [job.pk]
    assert found(api, "imports", errors_log_not_null="true") == [job.pk, other.pk]


def test_exports_are_found_by_what_is_in_their_log_of_errors(api):
    job = make_export()
    response = api.get("/api/exports", **{"filter[q][errors_log_jcont]": '{"a":1}'})
    assert ids(response) == []
    assert found(api, "exports", errors_log_not_null="true") in ([], [job.pk])


def test_imports_tell_how_many_warnings_there_were_and_are_found_by_it(api):
    job = make_import()
    shown = api.get(f"/api/imports/{job.pk}").json()["data"]["attributes"]
    assert shown["warnings_count"] == 0
    assert found(api, "imports", warnings_count_eq="0") == [job.pk]
    assert found(api, "imports", warnings_count_gt="0") == []


def test_a_subscription_without_a_model_is_not_converted_and_says_so(api):
    subscription = make_order_subscription()
    refused = api.update("order_subscriptions", subscription.pk, {"_convert": True})
    source = {"pointer": "/data/attributes/_convert"}
    assert "subscription model" in error_of(refused, 422, "VALIDATION_ERROR", source)["detail"]


def test_the_organization_has_the_audit_log_of_its_own(api):
    organization = api.get("/api/organization").json()["data"]
    assert "event_stores" in organization["relationships"]
    link = organization["relationships"]["event_stores"]["links"]["related"]
    found = api.client.get(link.removeprefix(LOCAL))
    assert found.status_code == 200
    assert found.json()["data"] == []
