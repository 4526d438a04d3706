"""Customers who know their password, and change it or their address."""

import pytest
from django.core import mail

from customers.models import Customer, EventStore, QueuedMail
from customers.resources import operations
from customers.services import passwords, principals
from customers.tests.conftest import Api, error_of
from customers.tests.factories import make_customer
from customers.tests.field.doors import shown, work
from customers.tests.field.passwords import NEW, OTHER, logs_in, registered

pytestmark = pytest.mark.thorough


@pytest.fixture
def ada():
    return registered(OTHER)


def own(customer):
    return Api(customer=customer)


def test_guessing_the_old_password_is_limited(ada, settings):
    caller = own(ada)
    given = {"password": NEW, "_current_password": "wrong horse battery"}
    settings.LOGIN_FAILURES_PER_CLIENT = 3
    found = [caller.update("customers", ada.pk, given).status_code for _ in range(5)]
    assert found == [422] * 3 + [429] * 2


def test_a_program_needs_no_password_to_change_the_address(api, ada):
    assert api.update("customers", ada.pk, {"email": "ada@new.example"}).status_code == 200


def test_the_passwords_of_the_other_mode_stay_apart(ada):
    make_customer(email="ada@example.com", mode="live")
    assert not logs_in(OTHER, channel=Api("live", kind="sales_channel"))


def test_who_is_logged_in_changes_the_password_with_the_old_one(ada):
    given = {"password": NEW, "_current_password": OTHER}
    assert own(ada).update("customers", ada.pk, given).status_code == 200
    assert logs_in(NEW)
    assert not logs_in(OTHER)
    work()
    assert mail.outbox[-1].to == ["ada@example.com"]


@pytest.mark.parametrize("given", [{}, {"_current_password": "wrong horse battery"}])
def test_without_the_old_password_it_stays(ada, given):
    refused = own(ada).update("customers", ada.pk, {"password": NEW, **given})
    assert refused.status_code == 422
    assert logs_in(OTHER)


def test_who_is_logged_in_changes_the_address_with_the_password(ada):
    given = {"email": "ada@new.example", "_current_password": OTHER}
    assert own(ada).update("customers", ada.pk, given).status_code == 200
    assert logs_in(OTHER, "ada@new.example")


@pytest.mark.parametrize("given", [{}, {"_current_password": "wrong horse battery"}])
def test_without_the_password_the_address_stays(ada, given, settings):
    settings.EMAIL_CHANGE_NEEDS_PASSWORD = True
    refused = own(ada).update("customers", ada.pk, {"email": "eve@example.com", **given})
    assert refused.status_code == 422
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_the_page_changes_the_password_with_the_old_one(client, ada):
    page = client.get("/test/password/change")
    assert page.status_code == 200
    sent = {"email": ada.email, "current": OTHER, "password": NEW, "again": NEW}
    done = client.post("/test/password/change", sent, follow=True)
    assert "was changed" in shown(done)
    assert logs_in(NEW)


def test_the_page_does_not_change_the_password_without_the_old_one(client, ada):
    sent = {"email": ada.email, "current": NEW, "password": NEW, "again": NEW}
    assert client.post("/test/password/change", sent).status_code == 422
    assert logs_in(OTHER)


CURRENT = {"pointer": "/data/attributes/_current_password"}


def test_an_old_password_that_is_wrong_is_told_with_its_place_and_the_other_faults(ada):
    given = {"email": "no address", "_current_password": "wrong horse battery"}
    refused = own(ada).update("customers", ada.pk, given)
    found = {one["source"]["pointer"]: one["meta"]["error"] for one in refused.json()["errors"]}
    assert found == {"/data/attributes/email": "invalid", CURRENT["pointer"]: "invalid"}
    assert logs_in(OTHER)


def test_the_address_is_changed_without_the_password_as_clients_of_the_modelled_api_do(ada):
    changed = own(ada).update("customers", ada.pk, {"email": "ada@new.example"})
    assert changed.status_code == 200
    ada.refresh_from_db()
    assert ada.email == "ada@new.example"


def test_a_missing_password_is_told_with_its_place(ada, settings):
    settings.EMAIL_CHANGE_NEEDS_PASSWORD = True
    refused = own(ada).update("customers", ada.pk, {"email": "eve@example.com"})
    assert error_of(refused, 422, "VALIDATION_ERROR", CURRENT)["meta"]["error"] == "blank"


def test_another_spelling_of_the_address_needs_no_password(ada, settings):
    settings.EMAIL_CHANGE_NEEDS_PASSWORD = True
    assert own(ada).update("customers", ada.pk, {"email": "ADA@example.com"}).status_code == 200
    assert logs_in(OTHER)


@pytest.mark.parametrize("changes", [{"password": NEW}, {"email": "ada@new.example"}])
def test_a_change_ends_every_login_and_is_in_the_audit_log(ada, changes):
    other, caller = own(ada), own(ada)
    given = {**changes, "_current_password": OTHER}
    assert caller.update("customers", ada.pk, given).status_code == 200
    assert other.get(f"/api/customers/{ada.pk}").status_code == 401
    assert caller.get(f"/api/customers/{ada.pk}").status_code == 401
    entry = EventStore.objects.filter(event="update", resource_id=ada.pk).latest("id")
    assert entry.who["owner"] == {"id": ada.pk, "type": "Customer"}
    assert OTHER not in str(entry.payload)
    assert NEW not in str(entry.payload)


def test_both_at_once_are_told_to_the_address_that_was(ada):
    given = {"password": NEW, "email": "ada@new.example", "_current_password": OTHER}
    assert own(ada).update("customers", ada.pk, given).status_code == 200
    told = sorted(QueuedMail.objects.values_list("kind", "email"))
    assert told == [(kind, "ada@example.com") for kind in ("email_changed", "password_changed")]
    assert logs_in(NEW, "ada@new.example")


@pytest.mark.parametrize("password", ["short", "password123", "ada@example.com"])
def test_a_new_password_is_checked_as_any(ada, password):
    given = {"password": password, "_current_password": OTHER}
    refused = own(ada).update("customers", ada.pk, given)
    error_of(refused, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/password"})
    assert logs_in(OTHER)


def test_a_password_that_was_changed_since_it_was_shown_opens_nothing(ada):
    known = principals.customer(Customer.objects.get(pk=ada.pk))
    Customer.objects.update(password=passwords.hash_password(NEW))
    with pytest.raises(operations.WriteRefusedError, match="_current_password is wrong"):
        operations.update(ada, known, {"email": "eve@example.com"})
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_nobody_shows_a_password_for_another(ada):
    eve = registered(OTHER, "eve@example.com")
    given = {"password": NEW, "_current_password": OTHER}
    assert own(eve).update("customers", ada.pk, given).status_code == 404
    assert logs_in(OTHER)


def test_a_program_shows_no_password_and_changes_none_by_it(api, ada):
    given = {"password": NEW, "_current_password": OTHER}
    refused = api.update("customers", ada.pk, given)
    error_of(refused, 400, "PARAM_NOT_ALLOWED", CURRENT)
    assert logs_in(OTHER)


def changed_by_page(client, page, **sent):
    return client.post(f"/test/password/{page}", sent, follow=True)


def test_the_page_changes_the_address_with_the_password(client, ada):
    assert client.get("/test/password/change-email").status_code == 200
    sent = {"email": "ADA@example.com", "current": OTHER, "new_email": "ada@new.example"}
    assert "was changed" in shown(changed_by_page(client, "change-email", **sent))
    assert logs_in(OTHER, "ada@new.example")
    entry = EventStore.objects.filter(event="update", resource_id=ada.pk).latest("id")
    assert entry.who == {"application": None, "owner": {"id": ada.pk, "type": "Customer"}}
    work()
    assert mail.outbox[-1].to == ["ada@example.com"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"current": NEW}, "The e-mail address or the password is wrong."),
        ({"email": "nobody@example.com"}, "The e-mail address or the password is wrong."),
        ({"current": ""}, "Enter the password you have."),
        ({"new_email": "eve@example.com"}, "This address has already been taken."),
        ({"new_email": "no address"}, "is not an e-mail address"),
    ],
)
def test_the_page_changes_no_address_otherwise(client, ada, given, told):
    registered(NEW, "eve@example.com")
    sent = {"email": ada.email, "current": OTHER, "new_email": "ada@new.example", **given}
    refused = changed_by_page(client, "change-email", **sent)
    assert refused.status_code == 422
    assert told in shown(refused)
    assert OTHER not in refused.content.decode()
    assert logs_in(OTHER)


def test_the_page_says_what_is_wrong_with_a_new_password(client, ada):
    sent = {"email": ada.email, "current": OTHER, "password": "password123", "again": "password123"}
    refused = changed_by_page(client, "change", **sent)
    assert refused.status_code == 422
    assert "This password is among the commonest" in shown(refused)
    assert logs_in(OTHER)


def test_guesses_on_the_page_are_counted_with_those_at_the_login(client, ada, settings):
    settings.LOGIN_FAILURES_PER_CLIENT = 2
    sent = {"email": ada.email, "current": NEW, "password": NEW, "again": NEW}
    found = [changed_by_page(client, "change", **sent).status_code for _ in range(3)]
    assert found == [422, 422, 429]
    assert not logs_in_at_all(OTHER)


def logs_in_at_all(password):
    """Whether the login still checks a password."""
    try:
        return logs_in(password)
    except AssertionError:
        return False


def test_the_page_of_one_mode_changes_nobody_in_the_other(client, ada):
    live = make_customer(
        email="ada@example.com", mode="live", password=passwords.hash_password(NEW)
    )
    sent = {"email": ada.email, "current": OTHER, "password": NEW, "again": NEW}
    assert client.post("/live/password/change", sent).status_code == 422
    live.refresh_from_db()
    assert passwords.verify_password(NEW, live.password)
