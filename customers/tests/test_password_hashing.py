"""What a password costs: one hash, whoever has the address, and none when it is too long."""

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from customers.models import Customer
from customers.services import password_resets, passwords
from customers.services.passwords import hash_password, verify_password
from customers.tests.conftest import Api, error_of
from customers.tests.factories import make_customer
from customers.tests.test_sessions import log_in

PASSWORD = "correct horse battery"
LONG = "long words " * 100


@pytest.fixture
def hashes(monkeypatch):
    """Whatever Django's hasher is asked for, in a list."""
    asked = []
    for name in ("encode", "verify"):
        act = getattr(Argon2PasswordHasher, name)

        def spied(self, *args, name=name, act=act):
            asked.append(name)
            return act(self, *args)

        monkeypatch.setattr(Argon2PasswordHasher, name, spied)
    return asked


@pytest.mark.parametrize("password", [None, "!" + "x" * 40, "registered"])
def test_a_login_costs_one_hash_whoever_has_the_address(client, hashes, password):
    if password == "registered":
        password = hash_password(PASSWORD)
    make_customer(email="ada@example.com", password=password)
    channel = Api(kind="sales_channel").application
    for name in ("ada@example.com", "nobody@example.com"):
        for _ in range(2):  # the first time, too
            hashes.clear()
            assert log_in(client, channel, username=name, password="wrong").status_code == 400
            assert len(hashes) == 1


def test_a_hash_of_nothing_costs_what_any_other_does_and_no_password_fits_it(hashes_at_full_cost):
    fake, real = passwords._hash_of_nothing(), hash_password(PASSWORD)
    assert fake.rpartition("$")[0].rpartition("$")[0] == real.rpartition("$")[0].rpartition("$")[0]
    assert len(fake) == len(real)
    assert not verify_password(PASSWORD, None)
    assert passwords._hash_of_nothing() != fake


def test_a_login_of_staff_costs_one_hash_whoever_has_the_name(client, hashes):
    User.objects.create_user("grace", password=PASSWORD, is_staff=True)
    User.objects.create_user("customer", password=PASSWORD)
    User.objects.create_user("away", password=PASSWORD, is_staff=True, is_active=False)
    invited = User(username="invited", is_staff=True)
    invited.set_unusable_password()
    invited.save()
    for name in ("grace", "customer", "away", "invited", "nobody"):
        hashes.clear()
        sent = {"username": name, "password": "wrong"}
        assert client.post("/admin/login/", sent).status_code == 200
        assert len(hashes) == 1, name


def test_an_over_long_password_is_never_hashed(client, api, hashes, settings):
    customer = make_customer(email="ada@example.com", password=hash_password(PASSWORD))
    reset = password_resets.create_reset(customer, actor=None)
    user = User.objects.create_superuser("grace", password=PASSWORD)
    channel = Api(kind="sales_channel").application
    settings.PASSWORD_MAX_LENGTH = 64
    hashes.clear()
    for name in ("ada@example.com", "nobody@example.com"):
        assert log_in(client, channel, username=name, password=LONG).status_code == 400
    answer = api.create("customers", {"email": "new@example.com", "password": LONG})
    error_of(answer, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/password"})
    answer = api.update("customers", customer.pk, {"password": LONG})
    error_of(answer, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/password"})
    with pytest.raises(ValidationError):
        password_resets.redeem_reset(reset.pk, reset.reset_password_token, LONG, mode="test")
    for name in ("grace", "nobody"):
        answer = client.post("/admin/login/", {"username": name, "password": LONG})
        assert (answer.status_code, "_auth_user_id" in client.session) == (200, False)
    client.force_login(user)
    sent = {"old_password": LONG, "new_password1": LONG, "new_password2": LONG}
    answer = client.post("/admin/password_change/", sent)
    assert "must have at most 64 characters" in answer.content.decode()
    assert hashes == []
    assert Customer.objects.get() == customer
    assert verify_password(PASSWORD, Customer.objects.get().password)
    assert User.objects.get().check_password(PASSWORD)


def test_a_password_of_the_greatest_length_is_taken_whole(client, settings):
    settings.PASSWORD_MAX_LENGTH = 64
    password = "a long one " * 5 + "to the end"[:9]
    assert len(password) == 64
    make_customer(email="ada@example.com", password=hash_password(password))
    channel = Api(kind="sales_channel").application
    assert log_in(client, channel, password=password).status_code == 200
    assert log_in(client, channel, password=password[:-1]).status_code == 400
