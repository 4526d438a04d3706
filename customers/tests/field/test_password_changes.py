"""Customers who know their password, and change it or their address."""

import pytest
from django.test import Client

from customers.models import Customer
from customers.tests.conftest import Api
from customers.tests.factories import make_customer

pytestmark = pytest.mark.thorough

NEW, OTHER = "a wholly new sentence", "another whole sentence"


def registered(password, email="ada@example.com"):
    """A customer with a password, made by a program."""
    made = Api().create("customers", {"email": email, "password": password})
    assert made.status_code == 201, made.content
    return Customer.objects.get(pk=made.json()["data"]["id"])


def logs_in(password, email="ada@example.com", channel=None):
    """Whether a storefront gets a token for the customer's password."""
    application = (channel or Api(kind="sales_channel")).application
    sent = {
        "grant_type": "password",
        "client_id": application.client_id,
        "username": email,
        "password": password,
    }
    answer = Client().post("/oauth/token", sent, content_type="application/json")
    assert answer.status_code in (200, 400, 401), answer.content
    return answer.status_code == 200


@pytest.fixture
def ada():
    return registered(OTHER)


def own(customer):
    return Api(customer=customer)


def test_guessing_the_old_password_is_limited(ada, settings):
    caller = own(ada)
    given = {"password": NEW, "_current_password": "wrong horse battery"}
    found = {caller.update("customers", ada.pk, given).status_code for _ in range(30)}
    assert 429 in found


def test_a_program_needs_no_password_to_change_the_address(api, ada):
    assert api.update("customers", ada.pk, {"email": "ada@new.example"}).status_code == 200


def test_the_passwords_of_the_other_mode_stay_apart(ada):
    make_customer(email="ada@example.com", mode="live")
    assert not logs_in(OTHER, channel=Api("live", kind="sales_channel"))
