"""JSON:API by the letter: members, ids and media types as its clients send them."""

import json

import pytest

from customers.models import Customer
from customers.tests.conftest import JSON_API, error_of
from customers.tests.factories import SMALLEST, link, make_customer, make_group, make_tag

pytestmark = pytest.mark.thorough

PROFILE = f'{JSON_API}; profile="https://example.com/cursor-pagination"'


def document(name="customers", **members):
    attributes, relationships = SMALLEST[name]()
    linkages = {key: {"data": value} for key, value in relationships.items()}
    return {"data": {"type": name, "attributes": attributes, "relationships": linkages, **members}}


def post(api, sent, path="/api/customers", **options):
    return api.send("POST", path, sent, **options)


@pytest.mark.parametrize("name", sorted(SMALLEST))
def test_an_id_of_the_clients_own_beside_the_resource_is_passed_over(api, name):
    made = post(api, document(name, lid="local-1"), f"/api/{name}")
    assert made.status_code == 201, made.content
    assert "lid" not in made.json()["data"]


@pytest.mark.parametrize("member", ["lid", "extra", "@context", "ext:atomic", "included"])
@pytest.mark.parametrize("value", [1, "x", {"a": [1]}, None])
def test_unknown_members_of_a_resource_are_passed_over(api, member, value):
    made = post(api, document(**{member: value}))
    assert made.status_code == 201, made.content
    assert member not in made.json()["data"]


def test_unknown_members_of_a_resource_that_is_changed_are_passed_over(api):
    customer = make_customer()
    sent = {"type": "customers", "id": customer.pk, "lid": "x", "attributes": {"reference": "R"}}
    done = api.send("PATCH", f"/api/customers/{customer.pk}", {"data": sent})
    assert done.status_code == 200, done.content
    customer.refresh_from_db()
    assert customer.reference == "R"


def test_unknown_members_of_the_document_are_passed_over(api):
    sent = {**document(), "jsonapi": {"version": "1.1"}, "meta": {"a": 1}, "extra": [1]}
    assert post(api, sent).status_code == 201


def test_unknown_members_of_an_identifier_are_passed_over(api):
    tag, customer = make_tag(), make_customer()
    sent = {"data": [{**link(tag), "lid": "x", "meta": {}, "extra": 1}]}
    done = api.send("POST", f"/api/customers/{customer.pk}/relationships/tags", sent)
    assert done.status_code == 204, done.content
    assert list(customer.tags.all()) == [tag]


def test_unknown_members_of_a_relationship_are_passed_over(api):
    group = make_group()
    given = {"customer_group": {"data": link(group), "lid": "x", "extra": 1}}
    made = post(api, document(relationships=given))
    assert made.status_code == 201, made.content
    assert Customer.objects.get().customer_group == group


@pytest.mark.parametrize("member", ["attributes", "relationships"])
def test_unknown_attributes_and_relationships_stay_refused(api, member):
    given = {"email": "ada@example.com"} if member == "attributes" else {}
    given["shoe_size"] = 7 if member == "attributes" else {"data": None}
    refused = post(api, document(**{member: given}))
    error_of(refused, 400, "PARAM_NOT_ALLOWED", {"pointer": f"/data/{member}/shoe_size"})
    assert not Customer.objects.exists()


@pytest.mark.parametrize("name", sorted(SMALLEST))
@pytest.mark.parametrize("pk", ["0f8fad5b-d9cb-469f-a165-70867728950e", "abc"])
def test_an_id_that_the_client_made_is_403(api, name, pk):
    refused = post(api, document(name, id=pk), f"/api/{name}")
    assert refused.status_code == 403, refused.content
    (error,) = refused.json()["errors"]
    assert (error["status"], error["source"]) == ("403", {"pointer": "/data/id"})


@pytest.mark.parametrize("pk", ["", None, 7, {"a": 1}])
def test_an_id_that_is_none_is_refused_too(api, pk):
    refused = post(api, document(id=pk))
    assert refused.status_code in (400, 403)
    assert not Customer.objects.exists()


def test_a_guest_may_not_make_an_id_either(guest_api):
    refused = post(guest_api, document(id="abc"))
    assert refused.status_code == 403
    assert not Customer.objects.exists()


@pytest.mark.parametrize("parameter", ["version=1", "q=1", "foo=bar", "boundary=x", 'a="b"'])
def test_a_parameter_of_the_content_type_that_is_not_known_is_415(api, parameter):
    refused = post(api, document(), content_type=f"{JSON_API}; {parameter}")
    error_of(refused, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    "kind",
    [
        JSON_API,
        f"{JSON_API}; charset=utf-8",
        f"{JSON_API};charset=UTF-8",
        f'{JSON_API}; charset="utf-8"',
        PROFILE,
        f"{PROFILE}; charset=utf-8",
        JSON_API.upper(),
    ],
)
def test_the_parameters_that_are_known_are_taken(api, kind):
    assert post(api, document(), content_type=kind).status_code == 201


@pytest.mark.parametrize("kind", [f'{JSON_API}; ext="https://example.com/x"', f"{JSON_API};ext=x"])
def test_an_extension_stays_415(api, kind):
    error_of(post(api, document(), content_type=kind), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("method", ["PATCH", "POST", "DELETE"])
def test_a_parameter_that_is_not_known_is_415_at_relationships_too(api, method):
    customer, tag = make_customer(), make_tag()
    path = f"/api/customers/{customer.pk}/relationships/tags"
    refused = api.send(method, path, {"data": [link(tag)]}, f"{JSON_API}; version=1")
    error_of(refused, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert not customer.tags.exists()


def accepted(api, accept, method="GET"):
    return api.client.generic(method, "/api/customers", headers={"Accept": accept})


@pytest.mark.parametrize(
    "accept", [f"{JSON_API}; version=1", f"{JSON_API};foo=bar", f"{JSON_API}; a=1, text/html"]
)
def test_a_parameter_of_every_accepted_type_that_is_not_known_is_406(api, accept):
    error_of(accepted(api, accept), 406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    "accept",
    [
        f"{JSON_API}; version=1, {JSON_API}",
        f"{JSON_API}; version=1, */*",
        f"{JSON_API};q=0.5",
        f"{JSON_API}; charset=utf-8",
        PROFILE,
        f"text/html, {JSON_API};q=0.9",
        "*/*",
        "application/*;q=0.1",
    ],
)
def test_one_accepted_type_that_is_known_is_enough(api, accept):
    assert accepted(api, accept).status_code == 200


def test_an_extension_that_is_asked_for_stays_406(api):
    error_of(accepted(api, f'{JSON_API}; ext="https://example.com/x"'), 406, "NOT_ACCEPTABLE")


def test_what_warpdrive_sends_to_make_a_customer_makes_one(api):
    sent = {
        "data": {
            "type": "customers",
            "lid": "@lid:customers-1",
            "attributes": {"email": "ada@example.com", "reference": None},
            "relationships": {"customer_group": {"data": None}},
        }
    }
    made = api.send("POST", "/api/customers", json.dumps(sent))
    assert made.status_code == 201, made.content
