"""Who of the staff may come in, and what each role may do."""

import time

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from customers.models import Customer
from customers.services import limits, roles, second_factor
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
        assert second_factor.verify_code(member, sent)
        assert second_factor.verify_code(member, sent) is None


def test_a_factor_that_is_set_up_again_replaces_the_first_with_its_codes(member):
    recovery = with_factor(member)
    first = TOTPDevice.objects.get()
    codes = {recovery, with_factor(member)}
    assert TOTPDevice.objects.get() != first
    assert StaticToken.objects.count() == 10
    (new,) = codes - {recovery}
    assert second_factor.verify_code(member, new)
    assert second_factor.verify_code(member, recovery) is None
    assert second_factor.recovery_codes_left(member) == 9


def test_a_session_gets_a_new_key_with_the_second_factor_and_no_page_of_it_is_stored(member):
    with_factor(member)
    member.totpdevice_set.update(last_t=-1)
    client = log_in()
    key = client.session.session_key
    pages = [client.get(FACTOR), client.post(FACTOR, {"code": "12345"})]
    assert client.session.session_key == key
    pages.append(client.post(FACTOR, {"code": code_of(member)}))
    assert may_enter(client)
    assert client.session.session_key != key
    assert not Session.objects.filter(session_key=key).exists()
    pages += [client.get(FACTOR), client.get(SET_UP), client.post(f"{FACTOR}codes/")]
    assert [page.status_code for page in pages] == [200, 422, 302, 200, 200, 200]
    for page in pages:
        assert "no-store" in page["Cache-Control"]


def test_the_second_factor_is_for_staff_alone(client):
    user = User.objects.create_user("otto", password=PASSWORD)
    client.force_login(user)
    for page in (FACTOR, SET_UP):
        assert client.get(page)["Location"] == LOGIN
        assert client.post(page, {"code": "123456"})["Location"] == LOGIN
    assert client.post(f"{FACTOR}codes/")["Location"] == LOGIN
    assert not (TOTPDevice.objects.exists())
    assert not (StaticToken.objects.exists())


def test_right_codes_are_not_counted(member, settings):
    settings.SECOND_FACTOR_FAILURES = 2
    with_factor(member)
    for code in second_factor.new_recovery_codes(member)[:4]:
        assert second_factor.verify_code(member, code)
    assert second_factor.recovery_codes_left(member) == 6


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
    assert second_factor.verify_code(member, old) is None
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
    assert bool(found.pop("staff_browser")["secure"]) is https
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


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands, at the start of an hour, until it is moved."""

    class Clock:
        now = 1_800_000_000.0

    clock = Clock()
    monkeypatch.setattr(limits.time, "time", lambda: clock.now)
    return clock


def statuses(count, password="wrong", **options):  # noqa: S107
    return [log_in(password, **options).answer.status_code for _ in range(count)]


def test_guessing_a_password_is_stopped_from_where_it_comes_and_not_for_ever(
    member, settings, clock
):
    settings.LOGIN_FAILURES_PER_CLIENT = 3
    assert statuses(4, REMOTE_ADDR="203.0.113.9") == [200, 200, 200, 429]
    refused = log_in(REMOTE_ADDR="203.0.113.9").answer
    assert (refused.status_code, refused["Retry-After"]) == (429, "800")
    assert "Too many wrong passwords" in refused.content.decode()
    assert "Try again in 14 minutes." in refused.content.decode()
    forged = log_in(REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR="198.51.100.1")
    assert forged.answer.status_code == 429
    for elsewhere in ("203.0.113.10", "2001:db8::1"):
        assert may_enter(log_in(REMOTE_ADDR=elsewhere))
    clock.now += 799
    assert log_in(REMOTE_ADDR="203.0.113.9").answer.status_code == 429
    clock.now += 1
    assert may_enter(log_in(REMOTE_ADDR="203.0.113.9"))


def test_who_enters_the_right_password_is_not_counted(member, settings, clock):
    settings.LOGIN_FAILURES_PER_CLIENT = settings.STAFF_FAILURES_PER_ADDRESS = 2
    assert statuses(5, PASSWORD) == [302] * 5
    assert statuses(3) == [200, 200, 429]


def test_an_address_that_guesses_names_is_stopped_and_others_are_not(member, settings, clock):
    settings.STAFF_FAILURES_PER_ADDRESS = 10
    client = Client(REMOTE_ADDR="203.0.113.9")
    for number in range(10):
        sent = {"username": f"name{number}", "password": "wrong"}
        assert client.post(LOGIN, sent).status_code == 200
    assert log_in(REMOTE_ADDR="203.0.113.9").answer.status_code == 429
    assert may_enter(log_in(REMOTE_ADDR="203.0.113.10"))


def test_a_name_is_guarded_from_everywhere_and_its_owner_is_not_kept_out(member, settings, clock):
    settings.LOGIN_FAILURES_PER_ACCOUNT = 10
    own = log_in(REMOTE_ADDR="198.51.100.1")
    own.post("/admin/logout/")
    for number in range(10):
        assert statuses(1, REMOTE_ADDR=f"203.0.113.{number}") == [200]
    new = log_in(REMOTE_ADDR="203.0.113.77").answer
    assert (new.status_code, new["Retry-After"]) == (429, "3960")
    sent = {"username": "grace", "password": PASSWORD}
    assert own.post(LOGIN, sent).status_code == 302  # the browser is known
    stolen = Client(REMOTE_ADDR="203.0.113.77")
    stolen.cookies["staff_browser"] = own.cookies["staff_browser"].value[:-1] + "x"
    assert stolen.post(LOGIN, sent).status_code == 429
    User.objects.create_superuser("alan", password=PASSWORD)
    alans = {"username": "alan", "password": PASSWORD}
    for number in range(10):
        Client(REMOTE_ADDR=f"192.0.2.{number}").post(LOGIN, {**alans, "password": "wrong"})
    assert own.post(LOGIN, alans).status_code == 429  # grace's browser is not alan's
    clock.now += 3960
    assert may_enter(log_in(REMOTE_ADDR="203.0.113.77"))


def test_a_known_browser_guesses_no_more_than_an_address(member, settings, clock):
    settings.LOGIN_FAILURES_PER_CLIENT = 3
    own = log_in()
    cookie = own.answer.cookies["staff_browser"]
    assert (cookie["path"], cookie["httponly"], cookie["max-age"]) == ("/admin/", True, 7_776_000)
    assert "grace" not in cookie.value
    own.post("/admin/logout/")
    sent = {"username": "grace", "password": "wrong"}
    assert [own.post(LOGIN, sent).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_the_password_alone_makes_no_browser_known(member, settings):
    recovery = with_factor(member)
    client = log_in()
    assert "staff_browser" not in client.cookies
    client.post(FACTOR, {"code": "12345"})
    assert "staff_browser" not in client.cookies
    client.post(FACTOR, {"code": recovery})
    assert "staff_browser" in client.cookies


def test_codes_are_limited_by_account_and_address_and_a_known_browser_gets_in(
    member, settings, request
):
    settings.SECOND_FACTOR_FAILURES = 2
    with_factor(member)
    more = second_factor.new_recovery_codes(member)
    request.getfixturevalue("clock")  # codes by time have been needed until now
    own = log_in()
    own.post(FACTOR, {"code": more[0]})
    own.post("/admin/logout/")
    for number in range(2):
        other = log_in(REMOTE_ADDR=f"203.0.113.{number}")
        assert other.post(FACTOR, {"code": "12345"}).status_code == 422
    other = log_in(REMOTE_ADDR="203.0.113.9")
    refused = other.post(FACTOR, {"code": more[1]})
    assert (refused.status_code, refused["Retry-After"]) == (429, "1350")
    assert "Too many wrong codes. Try again in 23 minutes." in refused.content.decode()
    own.post(LOGIN, {"username": "grace", "password": PASSWORD})
    assert own.post(FACTOR, {"code": more[1]}).status_code == 302
    assert may_enter(own)
    settings.STAFF_FAILURES_PER_ADDRESS, settings.SECOND_FACTOR_FAILURES = 1, 20
    other = log_in(REMOTE_ADDR="203.0.113.20")
    assert other.post(FACTOR, {"code": "12345"}).status_code == 422
    assert other.post(FACTOR, {"code": more[2]}).status_code == 429


OURS = {model._meta.model_name for model in apps.get_app_config("customers").get_models()}
ALL_BUT_VIEW = "add change delete"
CHANGED = {  # which rows a role changes, beside viewing them
    "viewer": {},
    "support": {
        "customer": "change",
        "order": "change",
        "ordersubscription": "change",
        "return": "change",
        "address": ALL_BUT_VIEW,
        "attachment": ALL_BUT_VIEW,
        "customeraddress": ALL_BUT_VIEW,
        "customersubscription": ALL_BUT_VIEW,
        "skulist": ALL_BUT_VIEW,
        "skulistitem": ALL_BUT_VIEW,
    },
    "marketing": {
        "customer": "change",
        "attachment": ALL_BUT_VIEW,
        "customergroup": ALL_BUT_VIEW,
        "customersubscription": ALL_BUT_VIEW,
        "tag": ALL_BUT_VIEW,
    },
    "administrator": dict.fromkeys(OURS, ALL_BUT_VIEW),
}
DONE = {  # and what it does to customers
    "viewer": "",
    "support": "change_customer_email anonymize_customers merge_customers reset_customer_password",
    "marketing": "export_customers import_customers invite_customers",
    "administrator": "change_customer_email anonymize_customers merge_customers "
    "reset_customer_password export_customers import_customers invite_customers",
}


@pytest.mark.parametrize("role", ["viewer", "support", "marketing", "administrator"])
def test_a_role_has_exactly_its_permissions(role):
    call_command("make_roles")
    group = Group.objects.get(name=role)
    group.permissions.set(Permission.objects.filter(codename="delete_logentry"))
    call_command("make_roles")
    user = User.objects.create_user("grace", is_staff=True)
    user.groups.set([group])
    viewed = OURS if role == "administrator" else OURS - {"application"}
    wanted = {f"customers.view_{name}" for name in viewed}
    wanted |= {
        f"customers.{act}_{name}" for name, acts in CHANGED[role].items() for act in acts.split()
    }
    wanted |= {f"customers.{act}" for act in DONE[role].split()}
    if role == "administrator":
        acts = ["view", *ALL_BUT_VIEW.split()]
        wanted |= {f"auth.{act}_{name}" for act in acts for name in ("user", "group")}
    assert user.get_all_permissions() == wanted
    assert set(Group.objects.values_list("name", flat=True)) == CHANGED.keys()


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
    page = f"/admin/auth/group/{own.pk}/change/"
    sent = {**form_of(administrator, page), "permissions": [beyond.pk]}
    assert administrator.post(page, sent).status_code == 200
    page = f"/admin/auth/group/{above.pk}/change/"
    assert administrator.post(page, {"name": "above", "permissions": []}).status_code == 403
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
