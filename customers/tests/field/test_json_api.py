"""JSON:API by the letter: members, ids and media types as its clients send them."""

import pytest

from customers.models import Customer
from customers.tests.conftest import JSON_API, error_of
from customers.tests.factories import SMALLEST, link, make_customer, make_group, make_tag

PROFILE = f'{JSON_API}; profile="https://example.com/cursor-pagination"'


def document(name="customers", **members):
    attributes, relationships = SMALLEST[name]()
    linkages = {key: {"data": value} for key, value in relationships.items()}
    return {"data": {"type": name, "attributes": attributes, "relationships": linkages, **members}}


def post(api, sent, path="/api/customers", **options):
    return api.send("POST", path, sent, **options)


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


@pytest.mark.parametrize("pk", ["", None, 7, {"a": 1}])
def test_an_id_that_is_none_is_refused_too(api, pk):
    refused = post(api, document(id=pk))
    assert refused.status_code in (400, 403)
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


def accepted(api, accept, method="GET"):
    return api.client.generic(method, "/api/customers", headers={"Accept": accept})


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
