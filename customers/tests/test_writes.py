"""Changes that are sent twice, and changes to what has changed meanwhile."""

import time
from datetime import timedelta

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.jobs import worker
from customers.models import Customer, Event, EventStore, IdempotentAnswer, Import, Tag
from customers.resources.registry import registry
from customers.services import sessions
from customers.services.tokens import issue_token
from customers.tests.conftest import Api, error_of, in_threads, needs_postgresql
from customers.tests.factories import SMALLEST, make_customer, make_import, make_tag

DOCUMENT = {"data": {"type": "customers", "attributes": {"email": "ada@example.com"}}}
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


def send(api, document=DOCUMENT, method="POST", path="/api/customers", **headers):
    api.client.defaults.update({f"HTTP_{name.upper()}": value for name, value in headers.items()})
    try:
        return api.send(method, path, document)
    finally:
        for name in headers:
            del api.client.defaults[f"HTTP_{name.upper()}"]


def renamed(pk, reference):
    return {"data": {"type": "customers", "id": pk, "attributes": {"reference": reference}}}


# Idempotency-Key


def test_a_request_that_is_sent_again_is_answered_again_and_done_once(api):
    first = send(api, idempotency_key=KEY)
    again = send(api, idempotency_key=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    for name in ("Location", "ETag", "Content-Type"):
        assert again[name] == first[name]
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Customer.objects.count() == 1
    assert Event.objects.filter(name="customers.create").count() == 1
    assert send(api).status_code == 422  # without the key it is a new request


def test_a_key_is_for_an_import_larger_than_other_requests_too(api, settings):
    def document(**more):
        inputs = [{"email": f"{n}@example.com"} for n in range(200)]
        attributes = {"resource_type": "customers", "inputs": inputs, **more}
        return {"data": {"type": "imports", "attributes": attributes}}

    settings.MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    first = send(api, document(), path="/api/imports", idempotency_key=KEY)
    again = send(api, document(), path="/api/imports", idempotency_key=KEY)
    assert (first.status_code, again.content) == (201, first.content)
    assert again["Idempotent-Replayed"] == "true"
    other = send(api, document(skip_errors=True), path="/api/imports", idempotency_key=KEY)
    error_of(other, 422, "IDEMPOTENCY_KEY_REUSED")
    error_of(send(api, document(), idempotency_key="2"), 413, "CONTENT_TOO_LARGE")
    settings.MAX_IMPORT_BYTES = 2000
    more = send(api, document(), path="/api/imports", idempotency_key="3")
    error_of(more, 413, "CONTENT_TOO_LARGE")
    assert Import.objects.count() == 1


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_changes_and_deletions_are_done_once_too(api, method):
    customer = make_customer()
    path, document = f"/api/customers/{customer.pk}", renamed(customer.pk, "1")
    document = document if method == "PATCH" else b""
    first = send(api, document, method, path, idempotency_key=KEY)
    Customer.objects.filter(pk=customer.pk).update(reference="2")
    again = send(api, document, method, path, idempotency_key=KEY)
    assert first.status_code == again.status_code == (200 if method == "PATCH" else 204)
    assert again.content == first.content
    assert set(Customer.objects.values_list("reference", flat=True)) <= {"2"}


def test_a_key_is_for_one_request_and_one_caller_alone(api):
    assert send(api, idempotency_key=KEY).status_code == 201
    other = {"data": {"type": "customers", "attributes": {"email": "eve@example.com"}}}
    error_of(send(api, other, idempotency_key=KEY), 422, "IDEMPOTENCY_KEY_REUSED")
    path = "/api/customers?include=tags"
    error_of(send(api, path=path, idempotency_key=KEY), 422, "IDEMPOTENCY_KEY_REUSED")
    assert [customer.email for customer in Customer.objects.all()] == ["ada@example.com"]
    assert send(Api(), other, idempotency_key=KEY).status_code == 201


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_key_is_for_one_method_alone(api, method):
    customer, vip, new = make_customer(), make_tag(name="vip"), make_tag(name="new")
    customer.tags.add(vip)
    path = f"/api/customers/{customer.pk}/relationships/tags"
    document = {"data": [{"type": "tags", "id": new.pk}]}
    assert send(api, document, path=path, idempotency_key=KEY).status_code == 204
    other = send(api, document, method, path, idempotency_key=KEY)
    error_of(other, 422, "IDEMPOTENCY_KEY_REUSED")
    assert set(customer.tags.all()) == {vip, new}


def test_a_key_is_for_one_customer_of_a_channel_alone():
    ada, bob = make_customer(password="argon2$x"), make_customer(password="argon2$x")
    first, second = Api(customer=ada), Api(customer=bob)
    session, _ = sessions.start(first.application, bob, scope="market:all")
    token = issue_token(first.application, scope="", confidential=False, session=session)
    second.client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    document = {"data": {"type": "sku_lists", "attributes": {"name": "Wish list"}}}
    made = [
        send(caller, document, path="/api/sku_lists", idempotency_key=KEY)
        for caller in (first, second)
    ]
    assert [answer.status_code for answer in made] == [201, 201]
    assert "Idempotent-Replayed" not in made[1]
    assert [customer.sku_lists.count() for customer in (ada, bob)] == [1, 1]


def test_what_was_refused_may_be_sent_again_with_its_key(api):
    wrong = {"data": {"type": "customers", "attributes": {"email": "ada"}}}
    assert send(api, wrong, idempotency_key=KEY).status_code == 422
    assert not IdempotentAnswer.objects.exists()
    assert send(api, idempotency_key=KEY).status_code == 201


def test_what_the_database_refuses_is_told_in_its_constraints_words_and_not_kept(api):
    make_customer(email="ada@example.com")
    for _ in range(2):
        source = {"pointer": "/data/attributes/email"}
        error = error_of(send(api, idempotency_key=KEY), 422, "VALIDATION_ERROR", source)
        assert error["meta"]["error"] == "taken"
    assert not IdempotentAnswer.objects.exists()
    assert Customer.objects.count() == 1
    assert not EventStore.objects.exists()


def statements(queries):
    """The first words of `queries`, without those of the test's own transaction."""
    words = [one["sql"].split()[0] for one in queries]
    return [word for word in words if word not in ("SAVEPOINT", "RELEASE")]


@needs_postgresql
def test_a_customer_is_made_and_changed_in_few_statements(api):
    """Whether the token stands, the row, and what is recorded; a change locks its row first."""
    pk = send(api).json()["data"]["id"]
    with CaptureQueriesContext(connection) as made:
        assert api.create("customers", {"email": "eve@example.com"}).status_code == 201
    assert statements(made) == ["SELECT", "INSERT", "WITH"]
    with CaptureQueriesContext(connection) as changed:
        assert api.update("customers", pk, {"metadata": {"a": 1}}).status_code == 200
    assert statements(changed) == ["SELECT", "SELECT", "UPDATE", "WITH"]
    assert Event.objects.filter(resource_id=pk).count() == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "é"])
def test_a_key_that_is_none_is_refused(api, key):
    error_of(send(api, idempotency_key=key), 400, "INVALID_IDEMPOTENCY_KEY")
    assert not Customer.objects.exists()


def test_what_is_kept_tells_nothing_and_is_kept_for_a_day(api):
    send(api, idempotency_key=KEY)
    kept = IdempotentAnswer.objects.get()
    assert timedelta(hours=23) < kept.expires_at - timezone.now() <= timedelta(hours=24)
    for word in ("ada@", KEY):
        assert word not in str(vars(kept))
    IdempotentAnswer.objects.update(expires_at=timezone.now())
    worker.delete_expired_rows()
    assert not IdempotentAnswer.objects.exists()
    assert send(api, idempotency_key=KEY).status_code == 422  # a new request, and a known address


def test_a_key_whose_day_is_over_is_new(api):
    send(api, idempotency_key=KEY)
    IdempotentAnswer.objects.update(expires_at=timezone.now())
    other = {"data": {"type": "customers", "attributes": {"email": "eve@example.com"}}}
    assert send(api, other, idempotency_key=KEY).status_code == 201


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_done_and_all_are_answered_alike():
    apis = [Api()]
    for _ in range(7):
        api = Api.__new__(Api)
        api.client = type(apis[0].client)(headers={"authorization": f"Bearer {apis[0].token}"})
        apis.append(api)
    answers = in_threads(8, lambda number: send(apis[number], idempotency_key=KEY))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer for answer in answers) == 7
    assert Customer.objects.count() == 1
    assert Event.objects.filter(name="customers.create").count() == 1


# If-Match


def test_a_link_that_is_made_anew_changes_no_tag(api, monkeypatch):
    path = f"/api/imports/{make_import().pk}"
    seen = api.get(path)
    later = signing.b62_encode(int(time.time()) + 1)
    monkeypatch.setattr(signing.TimestampSigner, "timestamp", lambda self: later)
    again = api.get(path)
    assert again.json() != seen.json()
    assert again["ETag"] == seen["ETag"]
    assert send(api, b"", "DELETE", path, if_match=seen["ETag"]).status_code == 204


@pytest.mark.parametrize("name", sorted(SMALLEST))
def test_what_is_made_has_the_tag_that_is_shown_later(api, name):
    attributes, relationships = SMALLEST[name]()
    made = api.create(name, attributes, relationships)
    assert made.status_code == 201, made.content
    path = made["Location"].removeprefix("http://127.0.0.1:8000")
    shown = api.get(path)
    assert shown["ETag"].startswith('"')
    if name != "customer_password_resets":  # whose token is shown once
        assert made["ETag"] == shown["ETag"]
    relation = next(iter(registry.types[name].includable), None)
    if relation:
        assert api.get(path, include=relation)["ETag"] == shown["ETag"]


def test_a_change_is_made_to_what_was_seen(api):
    customer = make_customer()
    path = f"/api/customers/{customer.pk}"
    seen = api.get(path)["ETag"]
    changed = send(api, renamed(customer.pk, "1"), "PATCH", path, if_match=f'"x", {seen}')
    assert changed.status_code == 200
    assert changed["ETag"] == api.get(path)["ETag"] != seen
    response = send(api, renamed(customer.pk, "2"), "PATCH", path, if_match=seen)
    error_of(response, 412, "PRECONDITION_FAILED")
    error_of(send(api, b"", "DELETE", path, if_match=seen), 412, "PRECONDITION_FAILED")
    customer.refresh_from_db()
    assert customer.reference == "1"
    for wanted in ("*", seen):  # there is nothing yet that could match
        error_of(send(api, if_match=wanted), 412, "PRECONDITION_FAILED")
    assert Customer.objects.get() == customer
    assert send(api, b"", "DELETE", path, if_match=changed["ETag"]).status_code == 204


def test_a_tag_of_a_record_changes_with_the_tags_it_carries(api):
    customer, tag = make_customer(), Tag.objects.create(name="vip")
    path = f"/api/customers/{customer.pk}"
    seen = api.get(path)["ETag"]
    linkage = {"data": [{"type": "tags", "id": tag.pk}]}
    related = f"{path}/relationships/tags"
    assert send(api, linkage, "POST", related, if_match=seen).status_code == 204
    assert api.get(path)["ETag"] != seen
    error_of(send(api, linkage, "DELETE", related, if_match=seen), 412, "PRECONDITION_FAILED")
    assert customer.tags.count() == 1


@pytest.mark.parametrize("wanted", ["*", ' "a" ,*', "abc", '"', 'W/"abc"', ""])
def test_a_header_that_names_no_tag(api, wanted):
    customer = make_customer()
    path = f"/api/customers/{customer.pk}"
    response = send(api, renamed(customer.pk, "1"), "PATCH", path, if_match=wanted)
    assert response.status_code == {"*": 200, 'W/"abc"': 412}.get(wanted, 400)
    error = 412, "PRECONDITION_FAILED"
    error_of(send(api, if_match="*"), *error)  # nothing is there before it is made
    gone = "/api/customers/0000000000000000"
    document = renamed("0000000000000000", "1")
    response = send(api, document, "PATCH", gone, if_match="*")
    error_of(response, 404, "RECORD_NOT_FOUND")


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_that_saw_the_same_one_changes_it():
    api = Api()
    customer = make_customer()
    path = f"/api/customers/{customer.pk}"
    seen = api.get(path)["ETag"]
    client = type(api.client)

    def change(number):
        mine = Api.__new__(Api)
        mine.client = client(headers={"authorization": f"Bearer {api.token}"})
        document = renamed(customer.pk, str(number))
        return send(mine, document, "PATCH", path, if_match=seen).status_code

    assert sorted(in_threads(4, change)) == [200, 412, 412, 412]
