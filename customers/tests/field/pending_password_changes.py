"""Customers who know their password, and change it or their address."""

import pytest
from django.core import mail

from customers.tests.conftest import Api
from customers.tests.field.doors import shown, work
from customers.tests.field.passwords import NEW, OTHER, logs_in, registered


@pytest.fixture
def ada():
    return registered(OTHER)


def own(customer):
    return Api(customer=customer)


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
def test_without_the_password_the_address_stays(ada, given):
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
