"""Customers who know their password, and change it or their address."""

import pytest

from customers.tests.conftest import Api
from customers.tests.factories import make_customer
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
    found = {caller.update("customers", ada.pk, given).status_code for _ in range(30)}
    assert 429 in found


def test_a_program_needs_no_password_to_change_the_address(api, ada):
    assert api.update("customers", ada.pk, {"email": "ada@new.example"}).status_code == 200


def test_the_passwords_of_the_other_mode_stay_apart(ada):
    make_customer(email="ada@example.com", mode="live")
    assert not logs_in(OTHER, channel=Api("live", kind="sales_channel"))
