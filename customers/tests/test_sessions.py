"""Customers who log in through a sales channel: tokens, refreshing, and what ends it."""

import threading
import time

import pytest
from django.db import connection, transaction
from django.utils import timezone

from customers.models import Application, Customer, Session
from customers.services import applications, password_resets, sessions, signing_keys
from customers.services.orders import lock_customers
from customers.services.passwords import hash_password
from customers.services.tokens import InvalidTokenError, issue_token, read_token
from customers.tests.conftest import (
    Api,
    error_of,
    in_threads,
    join_or_see_it_wait,
    needs_postgresql,
)
from customers.tests.factories import make_customer
from customers.tests.test_tokens import ask, forged, segments

PASSWORD = "correct horse battery"


@pytest.fixture
def ada():
    return make_customer(email="Ada@Example.com", password=hash_password(PASSWORD))


@pytest.fixture
def channel(guest_api):
    return guest_api.application


def log_in(client, channel, **change):
    members = {
        "grant_type": "password",
        "client_id": channel.client_id,
        "username": "ada@example.com",
        "password": PASSWORD,
    }
    return ask(client, {**members, **change}, content_type="application/json")


def refresh(client, channel, token, **change):
    members = {"grant_type": "refresh_token", "refresh_token": token}
    return ask(client, {**members, "client_id": channel.client_id, **change})


def reads(client, token):
    """The status that `token` gets for a list of customers."""
    headers = {"authorization": f"Bearer {token}"}
    return client.get("/api/customers", headers=headers).status_code


def test_a_sales_channel_gets_a_guests_token_for_its_id_alone(client, channel):
    members = {"grant_type": "client_credentials", "client_id": channel.client_id}
    for extra in ({}, {"scope": "market:id:abc"}, {"client_secret": ""}):
        response = ask(client, {**members, **extra}, content_type="application/json")
        assert response.status_code == 200, response.content
        body = response.json()
        assert body.keys() == {"access_token", "token_type", "expires_in", "scope", "created_at"}
        assert body["scope"] == extra.get("scope", "market:all")
        _, claims = segments(body["access_token"])
        assert claims["application"]["kind"] == "sales_channel"
        assert (claims["application"]["public"], claims["application"]["confidential"]) == (
            True,
            False,
        )
        assert "owner" not in claims
    secret = ask(client, {**members, "client_secret": "a guess"})
    assert (secret.status_code, secret.json()["error"]) == (401, "invalid_client")


def test_a_customer_logs_in_by_address_in_any_case_and_password(client, channel, ada):
    response = log_in(client, channel, username="ADA@example.com", scope="market:id:abc")
    assert response.status_code == 200, response.content
    body = response.json()
    assert (body["owner_id"], body["owner_type"]) == (ada.pk, "customer")
    assert (body["token_type"], body["expires_in"], body["scope"]) == (
        "bearer",
        7200,
        "market:id:abc",
    )
    _, claims = segments(body["access_token"])
    assert claims["owner"] == {"id": ada.pk, "type": "Customer"}
    _, claims = segments(body["refresh_token"])
    assert claims["exp"] - claims["iat"] == 1_209_600
    assert reads(client, body["access_token"]) == 200
    session = Session.objects.get()
    assert body["refresh_token"] not in str(Session.objects.values().get())
    assert session.expires_at.timestamp() == pytest.approx(time.time() + 1_209_600, abs=5)


@pytest.mark.parametrize(
    "change",
    [
        {"password": PASSWORD + " "},
        {"password": ""},
        {"password": "x" * 513},
        {"username": "nobody@example.com"},
        {"username": "guest@example.com"},
        {"username": "x" * 100_000},
    ],
)
def test_whatever_is_wrong_the_answer_is_the_same(client, channel, ada, change):
    make_customer(email="guest@example.com")
    response = log_in(client, channel, **change)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    assert response.content == log_in(client, channel, password="something else").content
    assert not Session.objects.exists()


def test_a_customer_of_the_other_mode_does_not_log_in(client, ada):
    live = Api("live", kind="sales_channel").application
    assert log_in(client, live).json()["error"] == "invalid_grant"


def test_an_integration_logs_nobody_in(client, api, ada):
    response = log_in(client, api.application, client_secret=api.secret)
    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")
    response = log_in(client, api.application)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("missing", ["username", "password"])
def test_a_login_names_what_is_missing(client, channel, missing):
    response = log_in(client, channel, **{missing: None})
    assert response.json()["error"] == "invalid_request"
    assert missing in response.json()["error_description"]


def test_a_refresh_token_works_once_and_its_replay_ends_the_session(client, channel, ada):
    first = log_in(client, channel).json()
    second = refresh(client, channel, first["refresh_token"])
    assert second.status_code == 200, second.content
    second = second.json()
    assert second["owner_id"] == ada.pk
    assert second["refresh_token"] != first["refresh_token"]
    assert reads(client, first["access_token"]) == reads(client, second["access_token"]) == 200
    replay = refresh(client, channel, first["refresh_token"])
    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    again = refresh(client, channel, second["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert reads(client, first["access_token"]) == reads(client, second["access_token"]) == 401


def test_the_end_of_one_session_leaves_others(client, channel, ada):
    one, other = log_in(client, channel).json(), log_in(client, channel).json()
    for _ in range(2):
        refresh(client, channel, one["refresh_token"])
    assert reads(client, one["access_token"]) == 401
    assert reads(client, other["access_token"]) == 200


def test_a_refresh_may_narrow_the_scope_and_not_widen_it(client, channel, ada):
    token = log_in(client, channel, scope="market:id:a store:id:b").json()["refresh_token"]
    wider = refresh(client, channel, token, scope="market:id:a market:id:c")
    assert (wider.status_code, wider.json()["error"]) == (400, "invalid_scope")
    narrow = refresh(client, channel, token, scope="store:id:b").json()
    assert narrow["scope"] == "store:id:b"
    whole = refresh(client, channel, narrow["refresh_token"], scope="").json()
    assert whole["scope"] == "market:id:a store:id:b"


def test_what_is_no_refresh_token_of_the_channels_is_refused(client, channel, ada):
    body = log_in(client, channel).json()
    other = Api(kind="sales_channel").application
    key = signing_keys.keys().keys[0]
    header, claims = segments(body["refresh_token"])
    tokens = {
        "an access token": body["access_token"],
        "expired": forged({**claims, "exp": int(time.time()) - 61}, header, key),
        "of no session": forged({**claims, "sid": "x"}, header, key),
        "of a NUL session": forged({**claims, "sid": "\0"}, header, key),
        "of a list of sessions": forged({**claims, "sid": ["x"]}, header, key),
        "text": "text",
        "empty": "",
    }
    for what, token in tokens.items():
        response = refresh(client, channel, token)
        assert response.status_code == 400, what
        assert response.json()["error"] in ("invalid_grant", "invalid_request"), what
    assert refresh(client, other, body["refresh_token"]).json()["error"] == "invalid_grant"
    assert refresh(client, channel, body["refresh_token"]).status_code == 200


def test_what_is_no_access_token_of_a_customer_is_refused(client, channel, ada):
    body = log_in(client, channel).json()
    bob = make_customer(password="x")
    key = signing_keys.keys().keys[0]
    header, claims = segments(body["access_token"])
    live, other = (Api(mode, kind="sales_channel").application for mode in ("live", "test"))
    changes = {
        "of another application": {"application": {**claims["application"], "id": other.pk}},
        "a refresh token": None,
        "of another owner": {"owner": {"id": bob.pk, "type": "Customer"}},
        "without an owner": {"owner": None},
        "of an owner of the wrong shape": {"owner": "x"},
        "of an owner without an id": {"owner": {}},
        "without a session": {"sid": None},
        "of another session": {"sid": "x"},
        "of a NUL session": {"sid": "\0"},
        "of a live application": {"application": {**claims["application"], "id": live.pk}},
        "of the other mode": {"test": False},
        "of an older generation": {"generation": -1},
        "of no generation": {"generation": None},
    }
    for what, change in changes.items():
        token = body["refresh_token"]
        if change:
            token = forged({**claims, **change}, header, key)
        with pytest.raises(InvalidTokenError):
            read_token(token)
        assert reads(client, token) == 401, what
    assert reads(client, forged(claims, header, key)) == 200  # it is the claims that are refused


def test_an_access_token_is_revoked_alone_and_a_refresh_token_with_its_session(
    client, channel, ada
):
    body = log_in(client, channel).json()
    members = {"client_id": channel.client_id, "token": body["access_token"]}
    response = ask(client, members, path="/oauth/revoke")
    assert (response.status_code, response.json()) == (200, {})
    assert reads(client, body["access_token"]) == 401
    body = refresh(client, channel, body["refresh_token"]).json()
    assert reads(client, body["access_token"]) == 200
    ask(client, {**members, "token": body["refresh_token"]}, path="/oauth/revoke")
    assert reads(client, body["access_token"]) == 401
    assert refresh(client, channel, body["refresh_token"]).json()["error"] == "invalid_grant"


def test_another_channel_revokes_neither_token(client, channel, ada):
    body, other = log_in(client, channel).json(), Api(kind="sales_channel")
    for name in ("access_token", "refresh_token"):
        members = {"client_id": other.application.client_id, "token": body[name]}
        response = ask(client, members, path="/oauth/revoke")
        assert (response.status_code, response.json()["error"]) == (403, "unauthorized_client")
    assert reads(client, body["access_token"]) == 200


@pytest.mark.parametrize(
    "end",
    [
        lambda ada, channel: sessions.log_out_everywhere(ada),
        lambda ada, channel: applications.revoke_tokens(channel),
        lambda ada, channel: channel.delete(),
        lambda ada, channel: ada.delete(),
    ],
)
def test_tokens_are_dead_at_the_next_request_after(client, channel, ada, end):
    body = log_in(client, channel).json()
    guest = issue_token(channel, scope="market:all", confidential=False)
    assert reads(client, body["access_token"]) == 200
    end(ada, channel)
    assert reads(client, body["access_token"]) == 401
    assert refresh(client, channel, body["refresh_token"]).status_code in (400, 401)
    ended = Application.objects.filter(pk=channel.pk, token_generation=0).exists()
    headers = {"authorization": f"Bearer {guest}"}
    status = client.get("/api/organization", headers=headers).status_code
    assert status == (200 if ended else 401)


def test_a_login_overtaken_by_a_change_of_password_fails(channel, ada):
    found = sessions.authenticate(ada.email, PASSWORD, mode="test", client="192.0.2.1")
    Customer.objects.filter(pk=ada.pk).update(password=hash_password("another password"))
    with pytest.raises(sessions.LoginRefusedError):
        sessions.start(channel, found, scope="market:all")
    assert not Session.objects.exists()


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_login_waits_for_a_change_of_the_password_and_then_fails(channel, ada):
    found, known = [], Customer.objects.get(pk=ada.pk)

    def log_in_meanwhile():
        try:
            found.append(sessions.start(channel, known, scope="market:all"))
        except sessions.LoginRefusedError:
            found.append(None)
        finally:
            connection.close()

    thread = threading.Thread(target=log_in_meanwhile)
    with transaction.atomic():
        lock_customers(ada.pk)
        new = hash_password("a wholly new sentence")
        password_resets.set_password(Customer.objects.get(pk=ada.pk), new, actor=None)
        thread.start()
        join_or_see_it_wait(thread)
    thread.join()
    assert found == [None]
    assert not Session.objects.exists()


def test_a_login_sweeps_the_customers_sessions_that_are_over(client, channel, ada):
    log_in(client, channel)
    Session.objects.update(expires_at=timezone.now())
    log_in(client, channel)
    assert Session.objects.count() == 1


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_one_of_sixteen_uses_of_a_refresh_token_at_once_succeeds_and_the_session_ends(
    client, channel, ada
):
    token = log_in(client, channel).json()["refresh_token"]
    answers = in_threads(16, lambda _: refresh(client, channel, token))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 15
    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert reads(client, winner["access_token"]) == 401


def test_a_request_without_a_customers_token_is_no_customers(client, channel):
    guest = Api(kind="sales_channel")
    error_of(guest.get("/api/customers"), 401, "UNAUTHORIZED")
