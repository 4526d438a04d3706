"""Password resets by the API: who begins one, who finishes it, and what dies with it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import (
    Customer,
    CustomerPasswordReset,
    Event,
    EventStore,
    QueuedMail,
    Session,
)
from customers.services import password_resets, sessions
from customers.services.passwords import hash_password, verify_password
from customers.tests.conftest import Api, error_of, in_threads, needs_postgresql
from customers.tests.factories import make_customer, make_reset
from customers.tests.test_sessions import log_in, reads, refresh

OLD, NEW = "correct horse battery", "a wholly new sentence"
TOKEN = {"pointer": "/data/attributes/_reset_password_token"}
PASSWORD = {"pointer": "/data/attributes/customer_password"}


@pytest.fixture
def ada():
    return make_customer(email="Ada@Example.com", password=hash_password(OLD))


def begin(api, email="ada@example.com"):
    response = api.create("customer_password_resets", {"customer_email": email})
    assert response.status_code == 201, response.content
    resource = response.json()["data"]
    return resource["id"], resource["attributes"]["reset_password_token"]


def finish(api, pk, token, password=NEW, **attributes):
    attributes |= {"_reset_password_token": token, "customer_password": password}
    return api.update("customer_password_resets", pk, attributes)


def has_password(customer, password):
    return verify_password(password, Customer.objects.get(pk=customer.pk).password)


def topics():
    return list(Event.objects.values_list("name", flat=True))


def test_a_program_begins_a_reset_and_is_told_the_token_once(api, ada):
    pk, token = begin(api)
    assert len(token) == 20
    assert token.isalnum()
    shown = api.get(f"/api/customer_password_resets/{pk}").json()["data"]["attributes"]
    assert shown["customer_email"] == ada.email
    assert (shown["reset_password_token"], shown["reset_password_at"]) == (None, None)
    listed = api.get("/api/customer_password_resets").content.decode()
    written = [*EventStore.objects.values(), *CustomerPasswordReset.objects.values()]
    assert token not in listed + str(written)
    assert topics() == ["customer_password_resets.create"]


@pytest.mark.parametrize("finisher", ["api", "guest_api"])
def test_whoever_has_the_token_sets_the_password_with_it(request, api, ada, finisher):
    pk, token = begin(api)
    response = finish(request.getfixturevalue(finisher), pk, token)
    assert response.status_code == 200, response.content
    shown = response.json()["data"]["attributes"]
    assert shown["reset_password_at"] is not None
    assert shown["reset_password_token"] is None
    assert token not in response.content.decode()
    assert has_password(ada, NEW)
    assert not has_password(ada, OLD)
    assert topics() == [
        "customer_password_resets.create",
        "customer_password_resets.reset_password",
    ]
    assert QueuedMail.objects.get().kind == "password_changed"


def test_the_first_password_of_a_guest_may_be_set_by_a_reset(api):
    guest = make_customer(email="ada@example.com")
    assert finish(api, *begin(api)).status_code == 200
    assert has_password(guest, NEW)
    assert "customers.create_password" in topics()


def test_neither_passwords_nor_tokens_are_written_down(api, ada):
    pk, token = begin(api)
    finish(api, pk, token)
    written = str([*EventStore.objects.values(), *Event.objects.values()])
    for secret in (token, NEW, OLD, "argon2"):
        assert secret not in written


def test_everything_older_is_dead_at_the_first_call(client, api, guest_api, ada):
    logins = [log_in(client, guest_api.application).json() for _ in range(2)]
    others = [begin(api) for _ in range(2)]
    pk, token = begin(api)
    assert finish(api, pk, token).status_code == 200
    for login in logins:
        assert reads(client, login["access_token"]) == 401
        assert refresh(client, guest_api.application, login["refresh_token"]).status_code == 400
    for other in [*others, (pk, token)]:
        error_of(finish(api, *other, password="another sentence"), 422, "VALIDATION_ERROR", TOKEN)
        response = finish(guest_api, *other, password="another sentence")
        error_of(response, 404, "RECORD_NOT_FOUND")
    assert has_password(ada, NEW)
    assert log_in(client, guest_api.application).json()["error"] == "invalid_grant"
    assert log_in(client, guest_api.application, password=NEW).status_code == 200


@pytest.mark.parametrize(
    ("change", "detail", "source"),
    [
        ({"_reset_password_token": "x" * 20}, "is not the token of this reset", TOKEN),
        ({"_reset_password_token": ""}, "can't be blank", TOKEN),
        ({"_reset_password_token": None}, "can't be blank", TOKEN),
        ({"_reset_password_token": 5}, "must be a string", TOKEN),
        ({"customer_password": "short"}, "is too short (minimum is 8 characters)", PASSWORD),
        ({"customer_password": "x" * 513}, "is too long (maximum is 512 characters)", PASSWORD),
        ({"customer_password": "password123"}, "is among the commonest passwords", PASSWORD),
        ({"customer_password": None}, "can't be blank", PASSWORD),
    ],
)
def test_a_wrong_token_or_password_changes_nothing_and_uses_nothing_up(
    api, ada, change, detail, source
):
    pk, token = begin(api)
    right = {"_reset_password_token": token, "customer_password": NEW}
    response = api.update("customer_password_resets", pk, {**right, **change})
    assert error_of(response, 422, "VALIDATION_ERROR", source)["title"] == detail
    assert has_password(ada, OLD)
    assert topics() == ["customer_password_resets.create"]
    assert api.update("customer_password_resets", pk, right).status_code == 200


def test_the_token_and_the_password_come_together(api, ada):
    pk, token = begin(api)
    alone = api.update("customer_password_resets", pk, {"_reset_password_token": token})
    assert error_of(alone, 422, "VALIDATION_ERROR", PASSWORD)["meta"] == {"error": "blank"}
    alone = api.update("customer_password_resets", pk, {"customer_password": NEW})
    assert error_of(alone, 422, "VALIDATION_ERROR", TOKEN)["meta"] == {"error": "blank"}
    assert has_password(ada, OLD)


def test_the_token_of_one_reset_does_not_open_another(api, ada):
    bob = make_customer(email="bob@example.com", password=hash_password(OLD))
    _, token = begin(api)
    pk, _ = begin(api, bob.email)
    error_of(finish(api, pk, token), 422, "VALIDATION_ERROR", TOKEN)
    assert has_password(bob, OLD)


def test_a_reset_expires(api, guest_api, ada, settings):
    settings.PASSWORD_RESET_LIFETIME = 600
    pk, token = begin(api)
    expires = CustomerPasswordReset.objects.get(pk=pk).expires_at
    assert abs(expires - timezone.now() - timedelta(seconds=600)) < timedelta(seconds=5)
    CustomerPasswordReset.objects.update(expires_at=timezone.now())
    for one in (api, guest_api):
        refused = error_of(finish(one, pk, token), 422, "VALIDATION_ERROR", TOKEN)
        assert refused["meta"] == {"error": "expired"}
    error_of(finish(guest_api, pk, "x" * 20), 404, "RECORD_NOT_FOUND")
    assert has_password(ada, OLD)


@pytest.mark.parametrize("email", ["nobody@example.com", "no address", ""])
def test_a_reset_is_begun_for_a_customer(api, email):
    response = api.create("customer_password_resets", {"customer_email": email})
    where = {"pointer": "/data/attributes/customer_email"}
    error_of(response, 422, "VALIDATION_ERROR", where)
    assert not CustomerPasswordReset.objects.exists()


def test_a_sales_channel_begins_reads_and_deletes_no_reset(api, guest_api, ada):
    pk, _ = begin(api)
    as_ada = Api(customer=ada)
    for one in (guest_api, as_ada):
        response = one.create("customer_password_resets", {"customer_email": ada.email})
        error_of(response, 401, "UNAUTHORIZED")
        for path in ("", f"/{pk}", f"/{pk}/customer", f"/{pk}/relationships/customer"):
            error_of(one.get(f"/api/customer_password_resets{path}"), 401, "UNAUTHORIZED")
        response = one.client.delete(f"/api/customer_password_resets/{pk}")
        error_of(response, 401, "UNAUTHORIZED")


def test_without_its_token_a_reset_does_not_exist_for_a_sales_channel(api, guest_api, ada):
    pk, _ = begin(api)
    right = {"_reset_password_token": "x" * 20, "customer_password": NEW}
    for attributes in (right, {"customer_password": NEW}, {"reference": "x"}, {}):
        found = guest_api.update("customer_password_resets", pk, attributes)
        missing = guest_api.update("customer_password_resets", "0" * 16, attributes)
        assert (found.status_code, found.content) == (missing.status_code, missing.content)
        error_of(found, 404, "RECORD_NOT_FOUND")


def test_a_deleted_reset_opens_nothing(api, ada):
    pk, token = begin(api)
    assert api.client.delete(f"/api/customer_password_resets/{pk}").status_code == 204
    error_of(finish(api, pk, token), 404, "RECORD_NOT_FOUND")
    assert topics()[-1] == "customer_password_resets.destroy"


def test_a_chosen_password_is_not_overwritten(api, ada):
    for caller in (api, Api(customer=ada)):
        response = caller.update("customers", ada.pk, {"password": NEW, "reference": "x"})
        where = {"pointer": "/data/attributes/password"}
        refused = error_of(response, 422, "VALIDATION_ERROR", where)
        assert "customer_password_resets" in refused["detail"]
        assert refused["meta"] == {"error": "taken"}
    assert has_password(ada, OLD)
    assert Customer.objects.get(pk=ada.pk).reference is None


def test_a_guest_gets_its_first_password_by_a_program(api):
    guest = make_customer()
    assert api.update("customers", guest.pk, {"password": NEW}).status_code == 200
    assert has_password(guest, NEW)
    assert topics() == ["customers.create_password"]


def test_another_address_ends_the_resets_that_were_mailed_to_the_old_one(api, ada):
    pk, token = begin(api)
    as_ada = Api(customer=ada)
    assert api.update("customers", ada.pk, {"email": "new@example.com"}).status_code == 200
    error_of(finish(api, pk, token), 422, "VALIDATION_ERROR", TOKEN)
    assert as_ada.get("/api/customers").status_code == 401  # and the sessions


def test_the_other_mode_finds_no_reset(live_api, api, ada):
    pk, token = begin(api)
    error_of(finish(live_api, pk, token), 404, "RECORD_NOT_FOUND")
    with pytest.raises(password_resets.WrongResetTokenError):
        password_resets.redeem_reset(pk, token, NEW, mode="live")
    assert has_password(ada, OLD)


def test_no_object_shows_its_secret(ada):
    reset = make_reset(customer=ada)
    session, token = sessions.start(Api(kind="sales_channel").application, ada, scope="market:all")
    for row in (reset, session, ada):
        for secret in (reset.reset_password_token, reset.token_digest, token, ada.password):
            assert secret not in f"{row!r} {row}"


@needs_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(10))
def test_one_of_twenty_completions_at_once_wins(api, ada, round_):
    pk, token = begin(api)
    passwords = [f"the sentence number {number}" for number in range(20)]
    answers = in_threads(20, lambda number: finish(api, pk, token, passwords[number]))
    codes = [answer.status_code for answer in answers]
    assert sorted(codes) == [200] + [422] * 19
    assert has_password(ada, passwords[codes.index(200)])
    assert topics().count("customer_password_resets.reset_password") == 1


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_login_beside_a_reset_leaves_no_session_of_the_old_password(client, api, guest_api, ada):
    """Whichever comes first, nobody who showed the old password is logged in afterwards."""
    pk, token = begin(api)
    acts = [
        lambda: finish(api, pk, token),
        *[lambda: log_in(client, guest_api.application)] * 3,
    ]
    answers = in_threads(4, lambda number: acts[number]())
    assert answers[0].status_code == 200
    assert {answer.status_code for answer in answers[1:]} <= {200, 400, 503}
    assert not Session.objects.exists()
