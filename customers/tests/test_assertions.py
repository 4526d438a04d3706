"""Customers whom a shop's own identity provider has authenticated (RFC 7523)."""

import time
import warnings

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from customers.models import Session
from customers.services import applications
from customers.services.tokens import read_token
from customers.tests.conftest import Api
from customers.tests.factories import make_customer

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLAIMS = "https://commercelayer.io/claims"


def asserted(said, *, key="cl", algorithm="HS512", **claims):
    """An assertion as the official client makes it."""
    payload = {CLAIMS: said, "iat": int(time.time()), **claims}
    with warnings.catch_warnings(action="ignore"):  # of a short key
        signing = OctKey.import_key(key)
    return jwt.encode({"alg": algorithm}, payload, signing, algorithms=[algorithm])


class Shop:
    """A sales channel with a secret, and the server of its shop."""

    def __init__(self, client):
        self.client, self.channel = client, Api(kind="sales_channel").application
        self.secret = applications.rotate_secret(self.channel, actor=None)

    def ask(self, **members):
        body = {"client_id": self.channel.client_id, "client_secret": self.secret, **members}
        given = {name: value for name, value in body.items() if value is not None}
        return self.client.post("/oauth/token", given, content_type="application/json")

    def log_in(self, said, **members):
        return self.ask(grant_type=GRANT, assertion=asserted(said), **members)


@pytest.fixture
def shop(client):
    return Shop(client)


def of(customer):
    return {"owner": {"type": "Customer", "id": customer.pk}}


def test_a_shops_identity_provider_logs_a_customer_in(shop):
    ada, claim = make_customer(email="ada@example.com"), {"loyalty": {"tier": "gold"}}
    answer = shop.log_in({**of(ada), "custom_claim": claim}, scope="market:all")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["owner_id"], body["owner_type"]) == (ada.pk, "customer")
    found = read_token(body["access_token"])
    assert (found.owner_id, found.claims["custom_claim"]) == (ada.pk, claim)
    bearer = {"authorization": f"Bearer {body['access_token']}"}
    listed = shop.client.get("/api/customers", headers=bearer).json()["data"]
    assert [one["id"] for one in listed] == [ada.pk]
    assert listed[0]["attributes"]["jwt_custom_claim"] == claim


def test_a_customer_who_was_asserted_stays_logged_in_with_the_claim(shop):
    ada = make_customer()
    body = shop.log_in({**of(ada), "custom_claim": {"a": 1}}).json()
    renewed = shop.ask(
        grant_type="refresh_token", refresh_token=body["refresh_token"], client_secret=None
    ).json()
    found = read_token(renewed["access_token"])
    assert (found.owner_id, found.claims["custom_claim"]) == (ada.pk, {"a": 1})


def test_an_assertion_may_add_a_claim_to_a_guests_token(shop):
    body = shop.log_in({"custom_claim": {"visitor": "1"}}).json()
    found = read_token(body["access_token"])
    assert (found.owner_id, found.claims["custom_claim"]) == (None, {"visitor": "1"})
    assert "refresh_token" not in body
    assert not Session.objects.exists()


def test_an_assertion_proves_nothing_without_the_secret(shop):
    ada = make_customer()
    for secret in (None, "wrong", ""):
        answer = shop.log_in(of(ada), client_secret=secret)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    without = Api(kind="sales_channel").application
    assert shop.log_in(of(ada), client_id=without.client_id).status_code == 401
    assert not Session.objects.exists()


def test_an_integration_asserts_nobody(shop, api):
    credential = {"client_id": api.application.client_id, "client_secret": api.secret}
    answer = shop.log_in(of(make_customer()), **credential)
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_the_other_grants_of_a_channel_with_a_secret_need_none(shop):
    for secret in (None, shop.secret):
        answer = shop.ask(grant_type="client_credentials", client_secret=secret)
        assert answer.status_code == 200
        assert read_token(answer.json()["access_token"]).owner_id is None
    assert shop.ask(grant_type="client_credentials", client_secret="wrong").status_code == 401


@pytest.mark.parametrize(
    "assertion",
    [
        "",
        "a.b.c",
        asserted({"custom_claim": {}}, key="another"),
        asserted({"custom_claim": {}}, algorithm="HS256"),
        asserted({}),
        asserted(None),
        asserted([]),
        asserted({"owner": {"type": "User", "id": "0000000000000000"}}),
        asserted({"owner": {"type": "Customer", "id": "0000000000000000"}}),
        asserted({"owner": {"type": "Customer", "id": 1}}),
        asserted({"owner": {"type": "Customer", "id": "a\0"}}),
        asserted({"owner": "Customer"}),
        asserted({"owner": []}),
        asserted({"custom_claim": {}}, exp=int(time.time()) - 600),
        asserted({"custom_claim": {}}, exp="soon"),
        asserted({"custom_claim": "x" * 4096}),
    ],
)
def test_what_is_no_assertion_is_refused(shop, assertion):
    answer = shop.ask(grant_type=GRANT, assertion=assertion)
    body = answer.json()
    assert (answer.status_code, body["error"]) == (400, "invalid_assertion")
    assert body["errors"][0]["status"] == 400


def test_a_customer_of_the_other_mode_or_a_forgotten_one_is_not_asserted(shop):
    live = make_customer(mode="live")
    forgotten = make_customer(anonymization_status="completed")
    assert shop.log_in(of(live)).json()["error"] == "invalid_assertion"
    assert shop.log_in(of(forgotten)).status_code == 400
    assert not Session.objects.exists()
