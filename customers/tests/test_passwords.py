"""What no door takes for a password: one's own address, and the hash of a password."""

import hashlib

import pytest
from django.contrib.auth.hashers import (
    BCryptSHA256PasswordHasher,
    MD5PasswordHasher,
    PBKDF2PasswordHasher,
    ScryptPasswordHasher,
)
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from customers.jobs import imports
from customers.models import Customer, EventStore
from customers.services import password_resets
from customers.services.passwords import Argon2idHasher, hash_password, verify_password
from customers.tests.conftest import Api, error_of
from customers.tests.factories import make_customer, make_import, make_reset

EMAIL, OLD = "Zebulon.Smith@Example.com", "correct horse battery"
OWN = [
    EMAIL,
    "zebulon.smith@example.com",
    " ZEBULON.SMITH@EXAMPLE.COM ",
    "zebulon.smith@\uff45xample.com",  # full width
    "zebulon.smith",
]
BCRYPT = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"
HASHES = [
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG",
    Argon2idHasher().encode(OLD, "saltsaltsalt"),
    PBKDF2PasswordHasher().encode(OLD, "salt", 1),
    ScryptPasswordHasher().encode(OLD, "salt", 2),
    MD5PasswordHasher().encode(OLD, "salt"),
    f"{BCryptSHA256PasswordHasher.algorithm}${BCRYPT}",
    BCRYPT,
    BCRYPT.replace("2b", "2y"),
    "$P$B" + "a" * 30,
    "$S$D" + "a" * 51,
    "$1$salt$" + "a" * 22,
    "$6$rounds=5000$salt$" + "a" * 86,
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$" + "a" * 43,
    "$pbkdf2-sha256$29000$c2FsdA$" + "a" * 43,
    "pbkdf2:sha256:600000$salt$" + "a1" * 32,
    "scrypt:32768:8:1$salt$" + "a1" * 64,
    "{SSHA}" + "a" * 32,
    "{ssha}" + "a" * 32,
    "{SSHA512}" + "a" * 96,
    "{bcrypt}" + BCRYPT,
    "*2470C0C06DEE42FD1618BBB99005ADCA2EC9D1E0",
    "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy",
]
REFUSED = [(own, "own_address") for own in OWN] + [(hashed, "hashed") for hashed in HASHES]
DOORS = [REFUSED[0], REFUSED[len(OWN)]]  # all are one rule's; each door is asked for both kinds
PASSWORD = {"pointer": "/data/attributes/password"}


@pytest.mark.parametrize(("password", "code"), REFUSED)
def test_ones_own_address_and_a_hash_are_no_password(password, code):
    with pytest.raises(ValidationError) as refused:
        hash_password(password, addresses=[EMAIL])
    assert refused.value.code == code


@pytest.mark.parametrize(
    "password",
    [
        "zebulon.smith@example.org",
        "zebulon.smith@example.com!",
        hashlib.md5(b"x").hexdigest(),  # as password managers make them, too  # noqa: S324
        hashlib.sha256(b"x").hexdigest(),
        "$2 for 10$ of these things",
        "$argon2id$",
        "{sha} is not short",
        "P$B-a-song",
        "$6$-a-dozen",
    ],
)
def test_what_is_neither_is_a_password(password):
    assert verify_password(password, hash_password(password, addresses=[EMAIL, None]))


@pytest.mark.parametrize(("password", "code"), DOORS)
@pytest.mark.parametrize("kind", ["integration", "sales_channel"])
def test_the_api_makes_no_customer_with_them(kind, password, code):
    response = Api(kind=kind).create("customers", {"email": EMAIL, "password": password})
    error = error_of(response, 422, "VALIDATION_ERROR", PASSWORD)
    assert error["meta"]["error"] == code
    assert password not in response.content.decode()
    assert not Customer.objects.exists()


@pytest.mark.parametrize(("password", "code"), DOORS)
@pytest.mark.parametrize("changes", [{}, {"email": "other@example.com"}])
def test_the_api_gives_no_guest_them_whatever_else_changes(api, changes, password, code):
    guest = make_customer(email=EMAIL)
    for sent in {password, changes.get("email", password)}:
        response = api.update("customers", guest.pk, {**changes, "password": sent})
        error = error_of(response, 422, "VALIDATION_ERROR", PASSWORD)
        assert error["meta"]["error"] in (code, "own_address")
    guest.refresh_from_db()
    assert (guest.password, guest.email) == (None, EMAIL)
    assert not EventStore.objects.exists()


@pytest.mark.parametrize(("password", "code"), DOORS)
def test_no_reset_ends_with_them_by_the_api(api, password, code):
    ada = make_customer(email=EMAIL, password=hash_password(OLD))
    reset = make_reset(customer=ada)
    members = {"_reset_password_token": reset.reset_password_token, "customer_password": password}
    response = api.update("customer_password_resets", reset.pk, members)
    pointer = {"pointer": "/data/attributes/customer_password"}
    assert error_of(response, 422, "VALIDATION_ERROR", pointer)["meta"]["error"] == code
    assert verify_password(OLD, Customer.objects.get().password)
    assert password_resets.find_reset(reset.pk, reset.reset_password_token, mode="test")


@pytest.mark.parametrize(("password", "code"), DOORS)
def test_no_reset_ends_with_them_on_the_page(client, password, code):
    ada = make_customer(email=EMAIL, password=hash_password(OLD))
    reset = make_reset(customer=ada)
    client.get(f"/test/password/reset/{reset.pk}?token={reset.reset_password_token}")
    sent = {"password": password, "again": password}
    response = client.post(f"/test/password/choose/{reset.pk}", sent)
    told = {"own_address": "must not be the e-mail", "hashed": "looks like the hash"}[code]
    assert response.status_code == 422
    assert told in response.content.decode()
    assert verify_password(OLD, Customer.objects.get().password)


@pytest.mark.parametrize(("password", "code"), DOORS)
@pytest.mark.parametrize("known", [True, False])
def test_an_import_logs_them_and_goes_on(password, code, known):
    if known:
        make_customer(email=EMAIL)
    rows = [{"email": EMAIL, "password": password}, {"email": "ada@example.com", "password": OLD}]
    job = make_import(given=rows, skip_errors=True)
    imports.do_import_part()
    job.refresh_from_db()
    (sentence,) = job.errors_log[EMAIL]["password"]
    told = {"own_address": "must not be the e-mail", "hashed": "looks like the hash"}[code]
    assert sentence.startswith(told)
    assert (job.errors_count, job.processed_count) == (1, 1)
    customers = dict(Customer.objects.values_list("email", "password"))
    assert customers.get(EMAIL) is None
    assert verify_password(OLD, customers["ada@example.com"])


@pytest.mark.parametrize(("password", "code"), DOORS)
def test_no_command_sets_them(monkeypatch, password, code):
    make_customer(email=EMAIL, password=hash_password(OLD))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: password)
    with pytest.raises(CommandError, match="nothing was changed"):
        call_command("reset_customer_password", EMAIL, "--set")
    assert verify_password(OLD, Customer.objects.get().password)


@pytest.mark.parametrize("password", [EMAIL.lower(), "zebulon.smith", "zebulon-smith", HASHES[0]])
def test_no_member_of_the_staff_chooses_them(client, password):
    user = User.objects.create_superuser("zebulon-smith", EMAIL, OLD)
    client.force_login(user)
    sent = {"old_password": OLD, "new_password1": password, "new_password2": password}
    response = client.post("/admin/password_change/", sent)
    assert response.status_code == 200
    assert "This password " in response.content.decode()
    user.refresh_from_db()
    assert user.check_password(OLD)
