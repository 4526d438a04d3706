"""Tokens between machines whose clocks are not the same."""

import time
from contextlib import contextmanager
from unittest import mock

import pytest
from django.test import Client
from joserfc import jws, jwt
from joserfc.jwk import KeySet

from customers.models import Customer, RevokedToken
from customers.tests.conftest import JSON_API, Api, error_of

pytestmark = pytest.mark.thorough

NOW = time.time


LIFETIME = 7200


@contextmanager
def clock(seconds):
    """As if this machine's clock were that many seconds ahead."""
    with mock.patch("time.time", side_effect=lambda: NOW() + seconds):
        yield


def asked(token):
    """What the list of customers answers to a token."""
    headers = {"authorization": f"Bearer {token}", "accept": JSON_API}
    return Client().get("/api/customers", headers=headers)


def token_of(api, **members):
    """A token that a program gets for its secret."""
    sent = {
        "grant_type": "client_credentials",
        "client_id": api.application.client_id,
        "client_secret": api.secret,
        **members,
    }
    answer = Client().post("/oauth/token", sent, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def registered():
    """A storefront, and the tokens of a customer who has logged in at it."""
    given = {"email": "ada@example.com", "password": "correct horse battery"}
    assert Api().create("customers", given).status_code == 201
    channel = Api(kind="sales_channel")
    sent = {
        "grant_type": "password",
        "client_id": channel.application.client_id,
        "username": "ada@example.com",
        "password": "correct horse battery",
    }
    answer = Client().post("/oauth/token", sent, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return channel, answer.json()


def refreshed(channel, token):
    sent = {
        "grant_type": "refresh_token",
        "client_id": channel.application.client_id,
        "refresh_token": token,
    }
    return Client().post("/oauth/token", sent, content_type="application/json")


@pytest.mark.parametrize("ahead", [1, 5, 45])
def test_a_token_of_a_machine_that_is_ahead_is_taken_at_once(api, ahead):
    with clock(ahead):
        token = token_of(api)["access_token"]
    assert asked(token).status_code == 200


@pytest.mark.parametrize("ahead", [5, 45])
def test_a_refresh_token_of_a_machine_that_is_ahead_is_taken_at_once(ahead):
    with clock(ahead):
        channel, tokens = registered()
    answer = refreshed(channel, tokens["refresh_token"])
    assert answer.status_code == 200, answer.content


@pytest.mark.parametrize("ahead", [5, 45])
def test_a_customers_token_of_a_machine_that_is_ahead_is_taken_at_once(ahead):
    with clock(ahead):
        _, tokens = registered()
    headers = {"authorization": f"Bearer {tokens['access_token']}", "accept": JSON_API}
    path = f"/api/customers/{Customer.objects.get().pk}"
    assert Client().get(path, headers=headers).status_code == 200


@pytest.mark.parametrize("late", [1, 30, 55])
def test_a_token_that_has_just_expired_is_taken(api, late):
    token = token_of(api)["access_token"]
    assert asked(token).status_code == 200
    with clock(LIFETIME + late):
        assert asked(token).status_code == 200


@pytest.mark.parametrize("late", [30, 55])
def test_a_token_that_another_machine_has_never_seen_and_that_has_just_expired_is_taken(api, late):
    token = token_of(api)["access_token"]
    with clock(LIFETIME + late):
        assert asked(token).status_code == 200


@pytest.mark.parametrize("late", [75, 3600])
def test_a_token_that_expired_before_the_leeway_is_refused(api, late):
    token = token_of(api)["access_token"]
    with clock(LIFETIME + late):
        error_of(asked(token), 401, "INVALID_TOKEN")


def test_a_token_that_is_known_is_refused_when_it_has_expired(api):
    token = token_of(api)["access_token"]
    assert asked(token).status_code == 200
    with clock(LIFETIME + 75):
        error_of(asked(token), 401, "INVALID_TOKEN")


def test_a_refresh_token_that_has_just_expired_is_taken(settings):
    settings.REFRESH_TOKEN_LIFETIME = 1000
    channel, tokens = registered()
    with clock(1000 + 30):
        assert refreshed(channel, tokens["refresh_token"]).status_code == 200


def test_a_refresh_token_that_expired_before_the_leeway_is_refused(settings):
    settings.REFRESH_TOKEN_LIFETIME = 1000
    channel, tokens = registered()
    with clock(1000 + 90):
        assert refreshed(channel, tokens["refresh_token"]).status_code == 400


@pytest.mark.parametrize(("leeway", "late", "status"), [(0, 5, 401), (300, 200, 200)])
def test_the_leeway_is_a_setting(api, settings, leeway, late, status):
    settings.TOKEN_LEEWAY = leeway
    token = token_of(api)["access_token"]
    with clock(LIFETIME + late):
        assert asked(token).status_code == status


def test_a_token_that_was_revoked_is_kept_as_long_as_it_would_be_taken(api):
    token = token_of(api)["access_token"]
    sent = {"client_id": api.application.client_id, "client_secret": api.secret, "token": token}
    answer = Client().post("/oauth/revoke", sent, content_type="application/json")
    assert answer.status_code == 200, answer.content
    error_of(asked(token), 401, "INVALID_TOKEN")
    left = RevokedToken.objects.get().expires_at.timestamp() - time.time()
    assert LIFETIME + 50 < left <= LIFETIME + 60


def test_a_token_says_nothing_else_than_its_own_lifetime(api):
    told = token_of(api)
    _, claims, _ = told["access_token"].split(".")
    assert claims
    assert told["expires_in"] == LIFETIME
    assert abs(told["created_at"] - time.time()) < 5


def test_a_token_that_is_forged_stays_refused_on_any_clock(api):
    token = token_of(api)["access_token"]
    head, claims, signature = token.split(".")
    forged = ".".join([head, claims, signature[:-6] + "AAAAAA"])
    for seconds in (-30, 0, 30):
        with clock(seconds):
            error_of(asked(forged), 401, "INVALID_TOKEN")


def test_a_token_of_a_day_ahead_is_taken_for_what_iat_says_nothing_against(api):
    with clock(86_400):
        token = token_of(api)["access_token"]
    assert asked(token).status_code == 200


def test_keys_are_published_that_tokens_can_be_checked_by(api):
    token = token_of(api)["access_token"]
    keys = KeySet.import_key_set(Client().get("/.well-known/jwks.json").json())
    assert jwt.decode(token, keys, algorithms=["RS512"]).claims["exp"]
    assert jws.deserialize_compact(token, keys, algorithms=["RS512"])
