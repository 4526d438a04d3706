"""Who of the staff may come in, and what each role may do."""

import time

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from customers.models import Customer
from customers.services import roles, second_factor
from customers.tests.factories import make_customer

LOGIN, FACTOR, SET_UP = "/admin/login/", "/admin/second-factor/", "/admin/second-factor/set-up/"


@pytest.fixture
def member():
    return User.objects.create_superuser("grace", password=PASSWORD)


PASSWORD = "correct horse"


def log_in(password=PASSWORD, **options):
    client = Client(**options)
    sent = {"username": "grace", "password": password, "next": "/admin/"}
    client.answer = client.post(LOGIN, sent)
    return client


def code_of(user, *, confirmed=True, drift=0):
    device = TOTPDevice.objects.get(user=user, confirmed=confirmed)
    return f"{totp(device.bin_key, drift=drift):06}"


def with_factor(user):
    """A recovery code of `user`, who gets a second factor."""
    second_factor.draft(user)
    assert second_factor.confirm(user, code_of(user, confirmed=False))
    return second_factor.new_recovery_codes(user)[0]


def may_enter(client):
    return client.get("/admin/").status_code == 200


def test_a_second_factor_is_set_up_with_a_code_and_asked_for_ever_after(member):
    client = log_in()
    assert may_enter(client)
    page = client.get(SET_UP)
    assert "<svg" in page.content.decode()
    assert client.post(SET_UP, {"code": "12345"}).status_code == 422
    assert not second_factor.has_one(member)
    answer = client.post(SET_UP, {"code": code_of(member, confirmed=False)})
    codes = answer.context["codes"]
    assert (answer.status_code, len(set(codes))) == (200, 10)
    assert may_enter(client)
    kept = set(StaticToken.objects.values_list("token", flat=True))
    assert not kept & {code.replace("-", "") for code in codes}

    client = log_in()
    answer = client.get("/admin/customers/customer/", follow=True)
    assert answer.redirect_chain[-1][0].startswith(FACTOR)
    assert not may_enter(client)
    assert client.post(FACTOR, {"code": "12345"}).status_code == 422
    assert not may_enter(client)
    answer = client.post(FACTOR, {"code": codes[3].upper(), "next": "/admin/customers/customer/"})
    assert answer["Location"] == "/admin/customers/customer/"
    assert may_enter(client)
    assert second_factor.recovery_codes_left(member) == 9


def test_a_code_works_once(member):
    recovery = with_factor(member)
    member.totpdevice_set.update(last_t=-1)
    code = code_of(member)
    for sent in (code, recovery):
        assert second_factor.verify(member, sent)
        assert second_factor.verify(member, sent) is None


def test_the_password_alone_changes_nothing_about_the_second_factor(member):
    with_factor(member)
    client = log_in()
    assert client.get(SET_UP)["Location"] == FACTOR
    for page in ("set-up/", "codes/", "remove/"):
        assert client.post(f"{FACTOR}{page}", {"code": "123456"})["Location"] == FACTOR
    assert second_factor.has_one(member)
    assert second_factor.recovery_codes_left(member) == 10
    assert not TOTPDevice.objects.filter(confirmed=False).exists()


def test_codes_cannot_be_guessed_and_nobody_is_kept_out_for_ever(member, settings, monkeypatch):
    settings.SECOND_FACTOR_FAILURES = 2
    recovery = with_factor(member)
    client = log_in()
    for _ in range(2):
        client.post(FACTOR, {"code": "12345"})
    refused = client.post(FACTOR, {"code": recovery})
    assert "Too many wrong codes" in refused.content.decode()
    assert not may_enter(client)
    later = time.time() + 1800
    monkeypatch.setattr("time.time", lambda: later)
    assert client.post(FACTOR, {"code": recovery}).status_code == 302


def test_an_obligatory_factor_is_set_up_before_anything_else(member, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client = log_in()
    answer = client.get("/admin/customers/customer/", follow=True)
    assert answer.redirect_chain[-1][0].startswith(SET_UP)
    assert client.post(SET_UP, {"code": code_of(member, confirmed=False)}).status_code == 200
    assert may_enter(client)
    client.post(f"{FACTOR}remove/")
    assert second_factor.has_one(member)
    settings.SECOND_FACTOR_REQUIRED = False
    client.post(f"{FACTOR}remove/")
    assert not second_factor.has_one(member)


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "javascript:x"])
def test_the_second_factor_leads_to_no_other_host(member, elsewhere):
    recovery = with_factor(member)
    answer = log_in().post(FACTOR, {"code": recovery, "next": elsewhere})
    assert answer["Location"] == "/admin/"


def test_recovery_codes_end_with_the_factor(member):
    recovery = with_factor(member)
    client = log_in()
    assert client.post(FACTOR, {"code": code_of(member, drift=1)}).status_code == 302
    assert client.post("/admin/second-factor/remove/").status_code == 302
    assert not StaticToken.objects.exists()
    with_new_app = second_factor.draft(member)
    assert second_factor.confirm(member, code_of(member, confirmed=False))
    assert second_factor.verify(member, recovery) is None
    with_new_app.refresh_from_db()
    assert with_new_app.confirmed


def test_an_operator_takes_a_lost_factor_off(member, capsys):
    with pytest.raises(CommandError, match="no second factor"):
        call_command("remove_second_factor", "grace")
    with pytest.raises(CommandError, match="No member of staff"):
        call_command("remove_second_factor", "nobody")
    with_factor(member)
    call_command("remove_second_factor", "grace")
    assert may_enter(log_in())


def test_guessing_a_password_is_stopped_from_where_it_comes_and_not_for_ever(member, settings):
    settings.AXES_FAILURE_LIMIT = 3
    answers = [log_in("wrong", REMOTE_ADDR="203.0.113.9").answer.status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    refused = log_in(REMOTE_ADDR="203.0.113.9")
    assert refused.answer.status_code == 429
    assert "Too many wrong passwords" in refused.answer.content.decode()
    forged = log_in(REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR="198.51.100.1")
    assert forged.answer.status_code == 429
    for elsewhere in ("203.0.113.10", "2001:db8::1"):
        assert may_enter(log_in(REMOTE_ADDR=elsewhere))
    settings.AXES_COOLOFF_TIME = settings.AXES_COOLOFF_TIME * 0
    assert may_enter(log_in(REMOTE_ADDR="203.0.113.9"))


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("viewer", "view_customer", "change_customer"),
        ("support", "reset_customer_password", "import_customers"),
        ("marketing", "export_customers", "reset_customer_password"),
        ("administrator", "delete_customer", None),
    ],
)
def test_a_role_may_do_its_work_and_no_more(role, may, may_not):
    call_command("make_roles")
    call_command("make_roles")
    assert Group.objects.count() == len(roles.ROLES)
    user = User.objects.create_user("grace", is_staff=True)
    user.groups.set([Group.objects.get(name=role)])
    assert user.has_perm(f"customers.{may}")
    assert user.has_perm("customers.view_application") == (role == "administrator")
    assert may_not is None or not user.has_perm(f"customers.{may_not}")


def test_a_viewer_sees_pages_and_no_button_that_fails(client):
    call_command("make_roles")
    user = User.objects.create_user("grace", is_staff=True)
    user.groups.set([Group.objects.get(name="viewer")])
    client.force_login(user)
    customer = make_customer()
    page = f"/admin/customers/customer/{customer.pk}/change/"
    shown = client.get(page).content.decode()
    assert customer.email in shown
    for name in ("_save", "_addanother", "deletelink"):
        assert name not in shown
    assert 'name="action"' not in client.get("/admin/customers/customer/").content.decode()
    assert client.post(page, {"email": "x@example.com"}).status_code == 403
    assert Customer.objects.get() == customer
