"""Answers that were seen before, and changes to what has changed meanwhile or not at all."""

import json

import pytest

from customers.models import EventStore
from customers.tests.conftest import JSON_API, error_of
from customers.tests.factories import (
    ONE,
    make_customer,
)

READ = sorted({*ONE} - {"event_stores"})


def asked(api, method, path, document=None, **headers):
    """The answer to a request with `headers`, named by underscores."""
    body = b"" if document is None else json.dumps(document)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = {"content_type": JSON_API} if document is not None else {}
    return api.client.generic(method, path, body, headers=named, **kind)


def changed(customer, reference):
    attributes = {"reference": reference}
    return {"data": {"type": "customers", "id": customer.pk, "attributes": attributes}}


def path_of(row):
    return f"/api/{row._meta.db_table}/{row.pk}"


@pytest.mark.parametrize("name", READ)
def test_what_was_seen_before_is_not_sent_again(api, name):
    path = f"/api/{name}/{ONE[name]().pk}"
    tag = api.get(path)["ETag"]
    again = asked(api, "GET", path, If_None_Match=tag)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert "Content-Type" not in again


@pytest.mark.parametrize("form", ["W/{}", '"x", {}', '{} , W/"y"', "*"])
def test_a_tag_seen_before_is_compared_weakly(api, form):
    path = path_of(make_customer())
    tag = api.get(path)["ETag"]
    assert asked(api, "GET", path, If_None_Match=form.format(tag)).status_code == 304


def test_head_of_what_was_seen_before_is_304(api):
    path = path_of(make_customer())
    tag = api.get(path)["ETag"]
    assert asked(api, "HEAD", path, If_None_Match=tag).status_code == 304


@pytest.mark.parametrize("given", ["{}", "*", "W/{}"])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_of_what_was_not_to_be_there_is_412(api, given, method):
    customer = make_customer(reference="R-1")
    given = given.format(api.get(path_of(customer))["ETag"])
    document = changed(customer, "R-2") if method == "PATCH" else None
    refused = asked(api, method, path_of(customer), document, If_None_Match=given)
    error_of(refused, 412, "PRECONDITION_FAILED")
    customer.refresh_from_db()
    assert customer.reference == "R-1"
    assert not EventStore.objects.exists()
