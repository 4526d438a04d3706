"""Tokens between machines whose clocks are not the same."""

import time
from contextlib import contextmanager
from unittest import mock

import pytest
from django.test import Client
from joserfc import jws, jwt
from joserfc.jwk import KeySet

from customers.tests.conftest import JSON_API, Api, error_of

NOW = time.time


LIFETIME = 7200


@contextmanager
def clock(seconds):
    """As if this machine's clock were that many seconds ahead."""
    with mock.patch("time.time", lambda: NOW() + seconds):
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


def test_a_refresh_token_that_expired_before_the_leeway_is_refused(settings):
    settings.REFRESH_TOKEN_LIFETIME = 1000
    channel, tokens = registered()
    with clock(1000 + 90):
        assert refreshed(channel, tokens["refresh_token"]).status_code == 400


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


def test_keys_are_published_that_tokens_can_be_checked_by(api):
    token = token_of(api)["access_token"]
    keys = KeySet.import_key_set(Client().get("/.well-known/jwks.json").json())
    assert jwt.decode(token, keys, algorithms=["RS512"]).claims["exp"]
    assert jws.deserialize_compact(token, keys, algorithms=["RS512"])
