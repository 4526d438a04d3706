"""Answers that were seen before, and changes to what has changed meanwhile or not at all."""

import gzip
import json

import pytest

from customers.models import Customer, EventStore
from customers.tests.conftest import JSON_API, error_of
from customers.tests.factories import (
    FULL,
    ONE,
    SMALLEST,
    make_customer,
)

pytestmark = pytest.mark.thorough

WRITTEN = sorted(SMALLEST)


READ = sorted({*ONE} - {"event_stores"})


OLD = '"an-older-one"'


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


def test_what_was_changed_since_is_sent(api):
    customer = make_customer()
    tag = api.get(path_of(customer))["ETag"]
    Customer.objects.update(reference="R-1")
    found = asked(api, "GET", path_of(customer), If_None_Match=tag)
    assert found.status_code == 200
    assert found.json()["data"]["attributes"]["reference"] == "R-1"
    assert asked(api, "GET", path_of(customer), If_None_Match=OLD).status_code == 200


def test_head_of_what_was_seen_before_is_304(api):
    path = path_of(make_customer())
    tag = api.get(path)["ETag"]
    assert asked(api, "HEAD", path, If_None_Match=tag).status_code == 304


def test_what_is_included_is_sent_again_as_no_tag_tells_of_it(api):
    customer = FULL["customers"]()
    tag = api.get(path_of(customer))["ETag"]
    found = asked(api, "GET", f"{path_of(customer)}?include=tags", If_None_Match=tag)
    assert found.status_code == 200
    assert found.json()["included"]


def test_what_is_not_there_stays_404_however_it_is_asked_for(api):
    for tag in ("*", OLD):
        assert asked(api, "GET", "/api/customers/none", If_None_Match=tag).status_code == 404


def test_what_was_seen_in_the_other_mode_is_not_told(api, live_api):
    path = path_of(make_customer())
    tag = api.get(path)["ETag"]
    assert asked(live_api, "GET", path, If_None_Match=tag).status_code == 404


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


def test_a_change_of_another_state_than_the_one_named_is_made(api):
    customer = make_customer()
    done = asked(api, "PATCH", path_of(customer), changed(customer, "R-2"), If_None_Match=OLD)
    assert done.status_code == 200


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


def test_a_tag_is_the_same_whatever_is_included_or_left_out(api):
    customer = FULL["customers"]()
    tags = {
        api.get(path_of(customer), **query)["ETag"]
        for query in ({}, {"include": "tags,orders"}, {"fields[customers]": "email"})
    }
    assert len(tags) == 1


def test_a_weak_tag_is_refused_and_named(api):
    customer = make_customer()
    weak = f"W/{api.get(path_of(customer))['ETag']}"
    refused = asked(api, "PATCH", path_of(customer), changed(customer, "R"), If_Match=weak)
    error = error_of(refused, 412, "PRECONDITION_FAILED")
    assert "weak" in error["detail"]
    assert "proxy" in error["detail"]
    assert not Customer.objects.filter(reference="R").exists()


def test_a_weak_tag_among_others_is_refused_and_named(api):
    customer = make_customer()
    given = f"{OLD}, W/{api.get(path_of(customer))['ETag']}"
    refused = asked(api, "DELETE", path_of(customer), If_Match=given)
    assert "weak" in error_of(refused, 412, "PRECONDITION_FAILED")["detail"]
    assert Customer.objects.count() == 1


def test_a_weak_tag_of_an_older_state_is_not_called_weak(api):
    customer = make_customer()
    refused = asked(api, "PATCH", path_of(customer), changed(customer, "R"), If_Match=f"W/{OLD}")
    assert "changed since" in error_of(refused, 412, "PRECONDITION_FAILED")["detail"]


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip", "GZIP"])
def test_a_compressed_body_is_refused_with_what_is_taken(api, coding):
    customer = make_customer()
    body = gzip.compress(json.dumps(changed(customer, "R")).encode())
    refused = api.client.generic(
        "PATCH",
        path_of(customer),
        body,
        content_type=JSON_API,
        headers={"Content-Encoding": coding},
    )
    error_of(refused, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert refused["Accept-Encoding"] == "identity"
    assert not Customer.objects.filter(reference="R").exists()


@pytest.mark.parametrize("path", ["/api/customers", "/api/imports", "/oauth/token"])
def test_a_compressed_body_is_refused_wherever_it_is_sent(api, path):
    kind = "application/json" if path.startswith("/oauth") else JSON_API
    body = gzip.compress(b'{"data": {"type": "customers"}}')
    headers = {"Content-Encoding": "gzip"}
    refused = api.client.generic("POST", path, body, content_type=kind, headers=headers)
    assert refused.status_code == 415, refused.content
    assert refused["Accept-Encoding"] == "identity"


def test_a_body_that_says_that_it_is_not_compressed_is_taken(api):
    customer = make_customer()
    document, headers = json.dumps(changed(customer, "R")), {"Content-Encoding": "identity"}
    done = api.client.generic(
        "PATCH", path_of(customer), document, content_type=JSON_API, headers=headers
    )
    assert done.status_code == 200
