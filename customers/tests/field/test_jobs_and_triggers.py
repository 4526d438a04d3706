"""What the modelled API has of jobs, subscriptions and the organization."""

from urllib.parse import quote

import pytest

from customers.models import Export, Import
from customers.tests.conftest import Api, error_of, ids
from customers.tests.factories import (
    link,
    make_customer,
    make_event_store,
    make_export,
    make_import,
    make_order_subscription,
)
from customers.tests.field.documents import LONG, of_attributes, pointers
from customers.tests.field.doors import LOCAL, by_api

pytestmark = pytest.mark.thorough

CONVERT = {"pointer": "/data/attributes/_convert"}


def found(api, name, **filters):
    """The ids that filters of `q` find by their predicates."""
    return ids(api.get(f"/api/{name}", **{f"filter[q][{key}]": v for key, v in filters.items()}))


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


@pytest.mark.parametrize("status", ["inactive", "active", "cancelled"])
def test_a_subscription_of_any_status_is_not_converted(api, status):
    subscription = make_order_subscription(status=status)
    refused = api.update("order_subscriptions", subscription.pk, {"_convert": True})
    assert error_of(refused, 422, "VALIDATION_ERROR", CONVERT)["meta"] == {"error": "forbidden"}
    subscription.refresh_from_db()
    assert subscription.status == status


def test_a_conversion_that_is_not_asked_for_changes_nothing_else(api):
    subscription = make_order_subscription()
    given = {"_convert": False, "frequency": "weekly"}
    changed = api.update("order_subscriptions", subscription.pk, given)
    assert changed.json()["data"]["attributes"]["frequency"] == "weekly"
    assert "_convert" not in changed.json()["data"]["attributes"]


def test_a_conversion_is_told_with_the_rest(api):
    subscription = make_order_subscription()
    given = {"_convert": True, "_deactivate": True, "frequency": "often", "reference": LONG}
    refused = api.update("order_subscriptions", subscription.pk, given)
    assert pointers(refused) == of_attributes(*given)


def test_a_new_subscription_is_not_converted_either(api):
    subscription = make_order_subscription()
    given = {"frequency": "weekly", "_convert": True}
    order = {"source_order": link(subscription.source_order)}
    error_of(api.create("order_subscriptions", given, order), 400, "PARAM_NOT_ALLOWED", CONVERT)


def test_a_customer_does_not_convert_a_subscription():
    subscription = make_order_subscription()
    refused = Api(customer=subscription.customer).update(
        "order_subscriptions", subscription.pk, {"_convert": True}
    )
    error_of(refused, 401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    "path", ["/event_stores", "/relationships/event_stores", "/clientele/event_stores"]
)
def test_the_organizations_audit_log_is_listed_by_page(api, path):
    make_event_store()
    listed = api.get(f"/api/organization{path}", **{"page[size]": 1})
    assert listed.status_code == 200
    assert (listed.json()["data"], "next" in listed.json()["links"]) == ([], False)


def test_the_organizations_audit_log_is_for_programs_that_see_all(guest_api):
    for caller in (guest_api, Api(customer=make_customer())):
        assert "event_stores" in caller.get("/api/organization").json()["data"]["relationships"]
        error_of(caller.get("/api/organization/event_stores"), 401, "UNAUTHORIZED")


def test_another_organization_is_not_there(api):
    error_of(api.get("/api/organization/other/event_stores"), 404, "RECORD_NOT_FOUND")
    error_of(api.get("/api/organizations/clientele/event_stores"), 404, "RECORD_NOT_FOUND")


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_nobody_writes_the_organizations_audit_log(api, method):
    path = "/api/organization/relationships/event_stores"
    error_of(api.send(method, path, {"data": []}), 405, "METHOD_NOT_ALLOWED")


def test_the_organizations_audit_log_is_included_as_little_as_any_other(api):
    for path in ("organization", f"customers/{make_customer().pk}"):
        refused = api.get(f"/api/{path}", include="event_stores")
        error_of(refused, 400, "INVALID_INCLUDE", {"parameter": "include"})


def test_a_log_of_errors_is_found_by_a_part_of_it_and_by_nothing_else(api):
    by_api("email,reference\nada,A\nmara@example.com,B\n")
    job = Import.objects.get()
    told = '{"ada":{"email":["is not an e-mail address"]}}'
    assert found(api, "imports", errors_log_jcont=told) == [job.pk]
    assert found(api, "imports", errors_log_jcont='{"mara@example.com":{}}') == []
    assert found(api, "imports", errors_log_null="true") == []
    refused = api.get("/api/imports", **{"filter[q][errors_log_jcont]": "ada"})
    error_of(refused, 400, "INVALID_FILTER_VALUE", {"parameter": "filter[q][errors_log_jcont]"})


def test_an_export_that_failed_is_found_by_what_it_says(api):
    failed, _ = make_export(), make_export()
    Export.objects.filter(pk=failed.pk).update(errors_log={"base": {"base": ["is too large"]}})
    assert found(api, "exports", errors_log_jcont='{"base":{}}') == [failed.pk]


def test_imports_are_in_the_order_of_their_warnings(api):
    few, many = make_import(), make_import()
    Import.objects.filter(pk=many.pk).update(warnings_count=3)
    assert ids(api.get("/api/imports", sort="-warnings_count")) == [many.pk, few.pk]
    assert found(api, "imports", warnings_count_gt="0") == [many.pk]
    refused = api.create("imports", {"warnings_count": 1})
    source = {"pointer": "/data/attributes/warnings_count"}
    error_of(refused, 400, "PARAM_NOT_ALLOWED", source)


@pytest.mark.parametrize(("given", "kept"), [(None, False), (False, False), (True, True)])
def test_a_choice_of_an_export_may_be_null(api, given, kept):
    make_customer()
    chosen = {"jwt_filters": given, "dry_data": given}
    made = api.create("exports", {"resource_type": "customers", **chosen}).json()["data"]
    assert made["attributes"].items() >= dict.fromkeys(chosen, kept).items()


def test_a_choice_of_an_import_may_be_null(api):
    given = {"resource_type": "customers", "inputs": [{"email": "ada@example.com"}]}
    made = api.create("imports", {**given, "skip_errors": None})
    assert made.json()["data"]["attributes"]["skip_errors"] is False


def test_an_export_by_the_tokens_scope_has_what_the_program_sees(api):
    make_customer(), make_customer(mode="live")
    made = api.create("exports", {"resource_type": "customers", "jwt_filters": True})
    assert made.json()["data"]["attributes"]["records_count"] == 1
