"""Filters and searches with the text that people and programs really have."""

from urllib.parse import quote

from customers.tests.conftest import error_of, ids
from customers.tests.factories import (
    make_export,
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
