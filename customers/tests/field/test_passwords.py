"""Passwords and the links that lead to new ones, as people type, click and keep them."""

import unicodedata

import pytest
from django.test import Client

from customers.models import Customer
from customers.tests.conftest import Api, error_of


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


@pytest.mark.parametrize(
    "typed",
    [
        "Correct horse battery",
        "correct  horse battery",
        " correct horse battery",
        "correct horse battery ",
        "correct horse\tbattery",
        "correct horse batter\uff59",
        "correct horse\u200bbattery",
    ],
)
def test_nothing_else_of_a_password_is_changed(typed):
    registered("correct horse battery")
    assert not logs_in(typed)
    assert logs_in("correct horse battery")


@pytest.mark.parametrize(
    "text", ["ﬁne-passage-1", "Ⅷ-roman-eight", "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18z"]
)
def test_letters_that_are_alike_stay_apart(text):
    registered(text)
    assert logs_in(text)
    assert not logs_in(unicodedata.normalize("NFKC", text))


def test_a_common_password_stays_refused(api):
    given = {"email": "bob@example.com", "password": "password123"}
    error_of(
        api.create("customers", given),
        422,
        "VALIDATION_ERROR",
        {"pointer": "/data/attributes/password"},
    )
