"""Who of the staff may come in, and what each role may do."""

import time

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
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


def test_recovery_codes_end_with_the_factor(member):
    old = with_factor(member)
    assert second_factor.remove(member)
    assert not StaticToken.objects.exists()
    assert second_factor.verify(member, old) is None
    second_factor.draft(member)
    assert second_factor.confirm(member, code_of(member, confirmed=False))
    assert second_factor.recovery_codes_left(member) == 0
    client = log_in()
    assert client.post(FACTOR, {"code": old}).status_code == 422
    assert not may_enter(client)


@pytest.mark.parametrize("https", [True, False])
def test_the_cookies_of_the_console_are_for_this_host_and_no_script(member, settings, https):
    if https:
        settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-s", "__Host-c"
        settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    found = log_in().answer.cookies
    assert set(found) == ({"__Host-s", "__Host-c"} if https else {"sessionid", "csrftoken"})
    for cookie in found.values():
        assert (cookie["path"], cookie["domain"], cookie["samesite"]) == ("/", "", "Lax")
        assert cookie["httponly"] is True
        assert bool(cookie["secure"]) is https
        assert 35_990 <= cookie["max-age"] <= 36_000


def test_a_session_ends_with_the_working_day_whatever_is_done_meanwhile(member):
    client = log_in()
    end = client.session.get_expiry_date()
    left = (end - timezone.now()).total_seconds()
    assert 35_900 < left <= 36_000
    session = Session.objects.get()
    client.post("/admin/mode/", {"mode": "live"})
    assert client.session["mode"] == "live"
    assert client.session.get_expiry_date() == end
    assert abs((Session.objects.get().expire_date - session.expire_date).total_seconds()) < 1
    Session.objects.update(expire_date=timezone.now())
    assert not may_enter(client)


def test_a_session_with_a_second_factor_ends_no_later(member):
    code = with_factor(member)
    client = log_in()
    end = client.session.get_expiry_date()
    assert client.post(FACTOR, {"code": code}).status_code == 302
    assert may_enter(client)
    assert client.session.get_expiry_date() == end


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "javascript:x"])
def test_the_second_factor_leads_to_no_other_host(member, elsewhere):
    recovery = with_factor(member)
    answer = log_in().post(FACTOR, {"code": recovery, "next": elsewhere})
    assert answer["Location"] == "/admin/"


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


def member_of(role, name, **values):
    roles.make_roles()
    user = User.objects.create_user(name, f"{name}@example.com", PASSWORD, is_staff=True, **values)
    user.groups.set([Group.objects.get(name=role)])
    return user


@pytest.fixture
def administrator():
    """A client of an administrator, who is no superuser."""
    client = Client()
    client.force_login(member_of("administrator", "ada"))
    return client


def form_of(client, page):
    """What the form of a page would send as it stands, with its prefixes."""
    form = client.get(page).context["adminform"].form
    return {
        name: value
        for name in form.fields
        if (value := form[name].value()) not in (None, False) and name != "password"
    } | {"date_joined_0": "2024-01-01", "date_joined_1": "00:00:00"}


def user_page(user):
    return f"/admin/auth/user/{user.pk}/change/"


def test_an_administrator_makes_and_changes_members_of_the_staff(administrator):
    sent = {
        "username": "bob",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert administrator.post("/admin/auth/user/add/", sent).status_code == 302
    bob = User.objects.get(username="bob")
    everything = [group.pk for group in Group.objects.all()]
    changed = {**form_of(administrator, user_page(bob)), "is_staff": "on", "groups": everything}
    assert administrator.post(user_page(bob), changed).status_code == 302
    bob.refresh_from_db()
    assert (bob.is_staff, bob.groups.count()) == (True, len(roles.ROLES))


def test_no_administrator_makes_a_superuser_of_anybody(administrator):
    bob, ada = member_of("support", "bob"), User.objects.get(username="ada")
    for user in (bob, ada):
        sent = {**form_of(administrator, user_page(user)), "is_superuser": "on"}
        assert administrator.post(user_page(user), sent).status_code == 302
    sent = {"username": "eve", "password1": PASSWORD, "password2": PASSWORD}
    sent |= {"usable_password": "true", "is_superuser": "on", "is_staff": "on"}
    administrator.post("/admin/auth/user/add/", sent)
    assert User.objects.filter(username="eve").exists()
    assert not User.objects.filter(is_superuser=True).exists()
    assert "is_superuser" not in administrator.get("/admin/auth/user/").content.decode()


@pytest.mark.parametrize("active", [True, False])
def test_no_administrator_changes_a_superuser(administrator, member, active):
    User.objects.filter(pk=member.pk).update(email="grace@example.com", is_active=active)
    before = User.objects.filter(pk=member.pk).values().get()
    sent = {"username": "grace", "email": "ada@example.com", "is_active": "on"}
    shown = administrator.get(user_page(member))
    assert (shown.status_code, b"uperuser" in shown.content) == (200, False)
    assert administrator.post(user_page(member), sent).status_code == 403
    page = f"/admin/auth/user/{member.pk}/password/"
    chosen = {"password1": "another horse", "password2": "another horse"}
    chosen |= {"usable_password": "true", "set-password": ""}
    assert administrator.get(page).status_code == 403
    assert administrator.post(page, chosen).status_code == 403
    assert (
        administrator.post(f"/admin/auth/user/{member.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )
    many = {"action": "delete_selected", "_selected_action": [member.pk], "post": "yes"}
    administrator.post("/admin/auth/user/", many)
    assert User.objects.filter(pk=member.pk).values().get() == before


def test_no_administrator_gives_or_takes_what_they_do_not_have(administrator):
    beyond = Permission.objects.get(codename="delete_logentry")
    bob = member_of("support", "bob")
    above = Group.objects.create(name="above")
    above.permissions.add(beyond)
    for members in ({"groups": [above.pk]}, {"user_permissions": [beyond.pk]}):
        sent = {**form_of(administrator, user_page(bob)), **members}
        assert administrator.post(user_page(bob), sent).status_code == 200
    own = Group.objects.get(name="administrator")
    for role, sent in (
        (own, {"name": "administrator", "permissions": [beyond.pk]}),
        (above, {"name": "above", "permissions": []}),
    ):
        page = f"/admin/auth/group/{role.pk}/change/"
        assert administrator.post(page, sent).status_code in (200, 403)
    assert (
        administrator.post(f"/admin/auth/group/{above.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )
    bob.groups.add(above)
    assert administrator.post(user_page(bob), {"username": "robert"}).status_code == 403
    assert not User.objects.filter(username="robert").exists()
    assert not own.permissions.filter(pk=beyond.pk).exists()
    assert list(above.permissions.all()) == [beyond]
    assert not bob.user_permissions.exists()


def test_a_superuser_does_all_of_it(member):
    client, bob = log_in(), member_of("support", "bob")
    assert "is_superuser" in client.get(user_page(bob)).content.decode()
    sent = {**form_of(client, user_page(bob)), "is_superuser": "on"}
    assert client.post(user_page(bob), sent).status_code == 302
    bob.refresh_from_db()
    assert bob.is_superuser
