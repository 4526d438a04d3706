"""Passwords and the links that lead to new ones, as people type, click and keep them."""

import unicodedata

import pytest
from django.contrib.auth.models import User
from django.test import Client

from customers.models import Customer
from customers.tests.conftest import error_of
from customers.tests.field.doors import by_api, shown
from customers.tests.field.passwords import OTHER, logs_in, mailed_link, opened, registered, send

pytestmark = pytest.mark.thorough

NFC = unicodedata.normalize("NFC", "Mañana-über-1")


NFD = unicodedata.normalize("NFD", NFC)


two_ways = pytest.mark.parametrize(("kept", "typed"), [(NFC, NFD), (NFD, NFC)])


spaces = pytest.mark.parametrize("space", ["\u00a0", "\u2003", "\u3000", "\u202f"])


@two_ways
def test_a_password_is_one_in_either_composition(kept, typed):
    registered(kept)
    assert logs_in(typed)
    assert logs_in(kept)


@two_ways
def test_a_password_of_the_page_is_one_in_either_composition(client, kept, typed):
    registered(OTHER)
    assert send(client, opened(client, mailed_link(client)), kept).status_code == 200
    assert logs_in(typed)


@two_ways
def test_the_two_fields_of_the_page_may_be_in_two_compositions(client, kept, typed):
    registered(OTHER)
    answer = send(client, opened(client, mailed_link(client)), kept, typed)
    assert "was changed" in shown(answer)
    assert logs_in(kept)


@two_ways
def test_staff_log_in_in_either_composition(kept, typed):
    user = User.objects.create_user("grace", is_staff=True)
    user.set_password(kept)
    user.save()
    answer = Client().post("/admin/login/", {"username": "grace", "password": typed})
    assert answer.status_code == 302


STAFF = "/admin/auth/user/"
STAFF_FORMS = {
    "new": (f"{STAFF}add/", {"username": "alan", "usable_password": "true"}, "password"),
    "another's": (f"{STAFF}{{other}}/password/", {"usable_password": "true"}, "password"),
    "own": ("/admin/password_change/", {"old_password": NFD}, "new_password"),
}


def change_as_staff(form, first, again):
    """The answer to a form of a staff's password, from a member whose own is NFC."""
    admin, other = User.objects.create_superuser("grace"), User.objects.create_user("barbara")
    admin.set_password(NFC)
    admin.save()
    client = Client()
    client.force_login(admin)
    path, values, name = STAFF_FORMS[form]
    given = values | {f"{name}1": first, f"{name}2": again}
    return client.post(path.format(other=other.pk), given)


@two_ways
@pytest.mark.parametrize("form", STAFF_FORMS)
def test_the_two_fields_of_staff_may_be_in_two_compositions(form, kept, typed):
    answer = change_as_staff(form, f"{kept}-2", f"{typed}-2")
    assert answer.status_code == 302, shown(answer)
    assert sum(user.check_password(f"{typed}-2") for user in User.objects.all()) == 1


@pytest.mark.parametrize("form", STAFF_FORMS)
def test_a_password_of_staff_is_as_long_as_its_composed_form(form):
    short = unicodedata.normalize("NFD", "äöüäöüä")
    answer = change_as_staff(form, short, short)
    assert answer.status_code == 200
    assert "too short" in shown(answer)


@two_ways
def test_a_reset_by_a_program_takes_either_composition(api, kept, typed):
    customer = registered(OTHER)
    made = api.create("customer_password_resets", {"customer_email": customer.email})
    attributes = made.json()["data"]["attributes"]
    given = {
        "customer_password": kept,
        "_reset_password_token": attributes["reset_password_token"],
    }
    pk = made.json()["data"]["id"]
    assert api.update("customer_password_resets", pk, given).status_code == 200
    assert logs_in(typed)


@two_ways
def test_a_password_that_was_imported_is_one_in_either_composition(kept, typed):
    by_api(f"email,password\nada@example.com,{kept}\n")
    assert logs_in(typed)


@spaces
def test_a_space_of_another_kind_is_a_space(space):
    registered(f"correct{space}horse battery")
    assert logs_in("correct horse battery")
    assert logs_in(f"correct horse{space}battery")


@spaces
def test_a_space_of_another_kind_on_the_page_is_a_space(client, space):
    registered(OTHER)
    send(client, opened(client, mailed_link(client)), f"correct{space}horse battery")
    assert logs_in("correct horse battery")


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


def test_a_password_is_as_long_as_its_composed_form(api):
    short = unicodedata.normalize("NFD", "äöüäöüä")
    refused = api.create("customers", {"email": "ada@example.com", "password": short})
    source = {"pointer": "/data/attributes/password"}
    assert error_of(refused, 422, "VALIDATION_ERROR", source)["meta"]["error"] == "too_short"
    assert not Customer.objects.exists()


def test_a_common_password_stays_refused(api):
    given = {"email": "bob@example.com", "password": "password123"}
    error_of(
        api.create("customers", given),
        422,
        "VALIDATION_ERROR",
        {"pointer": "/data/attributes/password"},
    )
