"""What the modelled API has of jobs, subscriptions and the organization."""

from customers.tests.conftest import error_of, ids
from customers.tests.factories import (
    make_import,
    make_order_subscription,
)
from customers.tests.field.doors import LOCAL


def found(api, name="customers", **filters):
    """The ids that plain filters, and those of `q` by their predicates, find."""
    query = {f"filter[q][{key}]": value for key, value in filters.items()}
    return ids(api.get(f"/api/{name}", **query))


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
