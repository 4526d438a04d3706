"""Answers that were seen before, and changes to what has changed meanwhile or not at all."""

import json

import pytest

from customers.models import Customer, EventStore
from customers.tests.conftest import JSON_API, error_of
from customers.tests.factories import (
    ONE,
    SMALLEST,
    make_customer,
)

WRITTEN = sorted(SMALLEST)


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


def test_the_name_order_of_metadata_is_no_change(api):
    metadata = {"name": "Ada", "a": 1}
    made = api.create("customers", {"email": "ada@example.com", "metadata": metadata})
    customer = Customer.objects.get()
    tag = made["ETag"]
    assert api.get(path_of(customer))["ETag"] == tag
    done = asked(api, "PATCH", path_of(customer), changed(customer, "R-1"), If_Match=tag)
    assert done.status_code == 200
    assert api.get(path_of(customer))["ETag"] == done["ETag"]


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize(
    "metadata", [{"name": "Ada", "a": 1}, {"b": [{"zz": 1, "y": 2}]}, {"n": -0.0}, {"n": 1.0}]
)
def test_the_tag_of_an_answer_is_that_of_the_resource(api, name, metadata):
    attributes, relationships = SMALLEST[name]()
    made = api.create(name, {**attributes, "metadata": metadata}, relationships)
    assert made.status_code == 201, made.content
    path = f"/api/{name}/{made.json()['data']['id']}"
    read = api.get(path)["ETag"]
    if name != "customer_password_resets":
        assert made["ETag"] == read
    document = {"data": {"type": name, "id": path.rpartition("/")[2]}}
    document["data"]["attributes"] = {"reference": "R-1"}
    done = asked(api, "PATCH", path, document, If_Match=read)
    assert done.status_code == 200, done.content
    assert api.get(path)["ETag"] == done["ETag"]


def test_numbers_of_one_value_have_one_tag(api):
    made = api.create("addresses", {**SMALLEST["addresses"]()[0], "lat": -0.0, "lng": 10})
    assert made.status_code == 201, made.content
    path = f"/api/addresses/{made.json()['data']['id']}"
    assert api.get(path)["ETag"] == made["ETag"]
    document = {"data": {"type": "addresses", "id": path.rpartition("/")[2], "attributes": {}}}
    assert asked(api, "PATCH", path, document, If_Match=made["ETag"]).status_code == 200
