"""What staff do, in a real browser. Run with `manage.py test -m browser`; needs Chromium."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail

from customers.jobs import worker
from customers.models import Application, Customer
from customers.services import restored_copies, roles
from customers.services.passwords import hash_password
from customers.tests import browsers
from customers.tests.factories import (
    make_customer,
    make_full_customer,
    make_subscription,
    make_tag,
)

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = "/admin/customers/customer/"


@pytest.fixture(scope="module")
def browser():
    with browsers.chromium(sync_api) as browser:
        yield browser


@pytest.fixture(params=browsers.LOOKS)
def look(request):
    return request.param


@pytest.fixture
def page(browser, live_server, look):
    with browsers.silent_page(browser, live_server.url, look) as page:
        yield page


def staff_in(role):
    roles.make_roles()
    user = User.objects.create_user(role, password="correct horse", is_staff=True)
    user.groups.set([Group.objects.get(name=role)])
    return user


def enter_password(page, user):
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()


def test_customers_change_what_they_log_in_by(page, look):
    make_customer(email="ada@example.com", password=hash_password("correct horse battery"))
    page.goto("/test/password/change-email")
    page.locator("[name=email]").fill("ada@example.com")
    page.get_by_label("Current password").fill("correct horse battery")
    page.get_by_label("New e-mail address").fill("lovelace@example.org")
    browsers.picture(page, "change-email", look)
    page.get_by_role("button", name="Save address").click()
    page.get_by_role("heading", name="Your e-mail address was changed").wait_for()
    browsers.picture(page, "email-changed", look)
    page.goto("/test/password/change")
    browsers.picture(page, "change-password", look)


def test_a_link_that_opens_nothing_says_why(browser, live_server, look):
    with browsers.silent_page(browser, live_server.url, look, said=["400"]) as page:
        page.goto("/test/password/reset/x?token=y")
        page.get_by_role("heading", name="This link is not complete").wait_for()
        browsers.picture(page, "incomplete", look)
        page.goto("/test/password/choose/x")
        page.get_by_role("heading", name="Open the link again").wait_for()
        browsers.picture(page, "no-cookie", look)


def test_staff_choose_their_time_zone(page, look, live_server):
    restored_copies.hold()
    make_customer(email="ada@example.com")
    browsers.come_in(page, staff_in("administrator"), live_server.url)
    page.goto("/admin/time-zone/")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    browsers.picture(page, "time-zone", look)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Your time zone was saved.").wait_for()
    page.goto("/admin/")
    browsers.picture(page, "overview-of-a-copy", look)
    assert page.get_by_text("JST").count() == 1
    page.goto("/test/password/sent")
    browsers.picture(page, "sent-by-a-copy", look)


def copied_by(page, button):
    """What is in the clipboard after a click: what the palette is given when it is pasted."""
    page.get_by_role("button", name=button).click()
    page.get_by_role("button", name="Copied").wait_for()
    page.keyboard.press("Control+k")
    page.keyboard.press("Control+v")
    text = page.get_by_role("combobox").input_value()
    page.evaluate("document.getElementById('command-palette').close()")
    page.get_by_role("button", name=button).wait_for()
    return text


def test_a_second_factor_is_set_up_and_asked_for(page, look, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    user = staff_in("support")
    page.goto(LIST)
    enter_password(page, user)
    page.get_by_role("heading", name="Set up your second factor").wait_for()
    assert page.get_by_role("img", name="QR code with your secret").is_visible()
    browsers.picture(page, "second-factor-set-up", look)
    page.get_by_role("textbox", name="Code").fill(browsers.code_of(user))
    page.get_by_role("button", name="Set it up").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    assert page.locator(".recovery-codes li").count() == 10
    browsers.picture(page, "second-factor-codes", look)
    page.get_by_role("link", name="I've saved them").click()
    page.goto("/admin/second-factor/")
    browsers.picture(page, "second-factor-state", look)
    page.context.clear_cookies()
    page.goto(LIST)
    enter_password(page, user)
    page.get_by_role("heading", name="Enter your code").wait_for()
    browsers.picture(page, "second-factor-enter", look)
    page.get_by_role("textbox", name="Code").fill(browsers.code_of(user))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"**{LIST}")


def test_fifty_customers_are_found_and_tagged_at_once(page, look, live_server):
    vip = make_tag(name="vip")
    for number in range(50):
        make_customer(email=f"ada{number}@example.com", password="x" if number % 3 else None)
    bob = make_customer(email="bob@example.com")
    browsers.come_in(page, staff_in("marketing"), live_server.url)
    page.goto(LIST)
    page.locator("#searchbar").fill("ADA")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="ada49@example.com").wait_for()
    assert page.get_by_role("link", name=bob.email).count() == 0
    page.locator("#action-toggle").check()
    page.get_by_role("button", name="Select all 50 customers").click()
    browsers.picture(page, "list-selected", look)
    page.locator("select[name=action]").select_option(label="Add tags…")
    page.get_by_role("button", name="Go", exact=True).click()
    page.get_by_role("button", name="Add to 50 customers").wait_for()
    page.locator(".select2-search__field").click()
    page.keyboard.type("vi")
    page.get_by_role("option", name="vip").click()
    browsers.picture(page, "bulk-confirmation", look)
    page.get_by_role("button", name="Add to 50 customers").click()
    page.get_by_text("Added tag vip to 50 customers.").wait_for()
    assert vip.customers.count() == 50
    assert not bob.tags.exists()


def test_a_reset_is_sent_and_completed_by_the_mailed_link(page, look, live_server, settings):
    settings.PUBLIC_URL = live_server.url
    customer = make_full_customer(email="ada.lovelace@example.com")
    Customer.objects.filter(pk=customer.pk).update(password="argon2$x")
    browsers.come_in(page, staff_in("support"), live_server.url)
    page.goto(f"{LIST}{customer.pk}/change/")
    page.get_by_role("link", name="Reset password").click()
    browsers.picture(page, "reset-password", look)
    page.get_by_role("button", name="Send the link").click()
    page.get_by_text("The customer is being sent a link").wait_for()
    worker.run_once()
    link = re.search(r"http\S+token=\S+", mail.outbox[0].body)[0]
    page.goto(link)
    page.get_by_label("New password").fill("a-perfectly-fine-password")
    page.get_by_label("Repeat the password").fill("a-perfectly-fine-password")
    browsers.picture(page, "choose-password", look)
    page.get_by_role("button", name="Save password").click()
    page.wait_for_url("**/test/password/done")
    customer.refresh_from_db()
    assert customer.password != "argon2$x"
    page.goto(f"{LIST}{customer.pk}/anonymize/")
    browsers.picture(page, "anonymize", look)
    page.goto(f"{LIST}{customer.pk}/reset-password/")
    page.get_by_role("button", name="Show the link once").click()
    field = page.get_by_label("Link")
    link = field.input_value()
    assert "/test/password/reset/" in link
    browsers.picture(page, "reset-link", look)
    assert copied_by(page, "Copy the link") == link
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {})")  # as over plain http
    field.evaluate("field => { field.value += '&again=1' }")
    assert copied_by(page, "Copy the link") == f"{link}&again=1"


def test_a_file_with_two_bad_rows_is_imported(page, look, live_server):
    make_tag(name="vip")
    lines = [f"ada{number}@example.com,R-{number},vip" for number in range(8)]
    lines[2:2] = ["no address,R-8,"]
    lines.append(f"bob@example.com,{'x' * 300},")
    content = "\n".join(["E-mail,Reference,Tags", *lines]).encode()
    browsers.come_in(page, staff_in("marketing"), live_server.url)
    page.goto(LIST)
    page.get_by_role("link", name="Import", exact=True).click()
    file = {"name": "customers.csv", "mimeType": "text/csv", "buffer": content}
    page.get_by_label("CSV file").set_input_files(file)
    browsers.picture(page, "import-upload", look)
    page.get_by_role("button", name="Preview the file").click()
    page.get_by_role("heading", name="2 rows have errors").wait_for()
    numbers = page.locator(".action-errors tbody td:first-child").all_inner_texts()
    assert numbers == ["4", "11"]
    browsers.picture(page, "import-preview", look)
    page.get_by_role("button", name="Import the rest").click()
    page.get_by_text("Pending: 0 of 10 rows.").wait_for()
    assert not Customer.objects.exists()
    worker.run_once()
    page.get_by_text("8 created or updated, 2 skipped.").wait_for()
    browsers.picture(page, "import-done", look)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the errors").click()
    errors = Path(download.value.path()).read_text()
    assert "no address,email," in errors
    assert "bob@example.com,reference," in errors
    assert Customer.objects.filter(tags__name="vip").count() == 8


def test_a_file_of_a_shop_is_imported_with_a_tag_that_there_is_not(page, look, live_server):
    make_tag(name="vip")
    lines = [
        f"zoë{number}@example.com;Café-{number};0{number};1{number};vip" for number in range(3)
    ]
    lines.append("mara@example.com;'7210448301122;;+34;VIP, retail")
    content = "\n".join(["E-Mail;Reference;Phone;Phone;Tags", *lines]).encode("cp1252")
    browsers.come_in(page, staff_in("marketing"), live_server.url)
    page.goto(f"{LIST}import/")
    file = {"name": "customers.csv", "mimeType": "text/csv", "buffer": content}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Preview the file").click()
    page.get_by_role("heading", name="1 row has errors").wait_for()
    page.get_by_text("was read as Windows-1252").wait_for()
    page.get_by_label("Phone (column 4)").select_option("reference_origin")
    page.get_by_role("button", name="Check again").click()
    page.get_by_text("was read as Windows-1252").wait_for()
    browsers.picture(page, "shop-preview", look)
    assert browsers.hard_to_read(page) == []
    page.get_by_role("button", name="Import the rest").click()
    page.get_by_text("Pending: 0 of 4 rows.").wait_for()
    worker.run_once()
    page.get_by_text("4 created or updated, 0 skipped. 1 error.").wait_for()
    browsers.picture(page, "shop-done", look)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the errors").click()
    (told,) = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()[1:]
    assert told == '5,mara@example.com,_add_tags,"names retail, which is no tag"'
    mara = Customer.objects.get(email="mara@example.com")
    assert (mara.reference, mara.reference_origin) == ("7210448301122", "+34")


def test_a_file_that_cannot_be_read_is_refused_where_it_is_chosen(page, look, live_server):
    content = b"Customers of 2026\r\n\r\nemail;reference\r\nada@example.com;R-1\r\n"
    browsers.come_in(page, staff_in("marketing"), live_server.url)
    page.goto(f"{LIST}import/")
    file = {"name": "customers.csv", "mimeType": "text/csv", "buffer": content}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Preview the file").click()
    page.get_by_text("line 1 has one cell, line 3 has two.").wait_for()
    browsers.picture(page, "shop-refused", look)


def test_what_moves_is_shown_before_two_become_one(page, look, live_server):
    kept = make_customer(email="ada@example.com")
    spare = make_full_customer(email="ada@old.example.com")
    make_subscription(customer=kept, reference="news")
    make_subscription(customer=spare, reference="news")
    browsers.come_in(page, staff_in("support"), live_server.url)
    page.goto(f"{LIST}{kept.pk}/change/")
    page.get_by_role("link", name="Merge a duplicate").click()
    page.locator(".select2-selection").click()
    page.keyboard.type("old.ex")
    page.get_by_role("option", name=spare.email).click()
    page.get_by_role("button", name="Show what moves").click()
    page.get_by_role("button", name="Merge, and delete the duplicate").wait_for()
    browsers.picture(page, "merge", look)
    page.get_by_role("button", name="Merge, and delete the duplicate").click()
    page.get_by_text("The customers were merged.").wait_for()
    assert Customer.objects.get() == kept


def test_a_viewer_finds_no_button_that_fails(page, look, live_server):
    customer = make_full_customer()
    browsers.come_in(page, staff_in("viewer"), live_server.url)
    page.goto(LIST)
    assert page.locator("select[name=action]").count() == 0
    inside = page.locator("#content")
    assert inside.get_by_role("link", name=re.compile("^(Add|Import|Export)")).count() == 0
    page.goto(f"{LIST}{customer.pk}/change/")
    browsers.picture(page, "viewer", look)
    forbidden = re.compile("^(Save|Delete|Reset|Merge|Anonymize|Add)")
    for role in ("button", "link"):
        assert inside.get_by_role(role, name=forbidden).count() == 0


def test_staff_make_an_application_and_rotate_its_secret(page, live_server, look):
    browsers.come_in(page, staff_in("administrator"), live_server.url)
    page.goto("/admin/customers/application/add/")
    page.get_by_label("Name").fill("Newsletters")
    page.get_by_label("Role").select_option("marketing")
    browsers.picture(page, "new-application", look)
    page.get_by_role("button", name="Make the application").click()
    secret = page.get_by_label("Secret").input_value()
    assert Application.objects.get().has_secret(secret)
    browsers.picture(page, "secret", look)
    page.get_by_role("link", name="Back to the application").click()
    page.get_by_role("link", name="Credentials").click()
    browsers.picture(page, "credentials", look)
    page.get_by_role("button", name="New secret").click()
    assert page.get_by_label("Secret").input_value() != secret
    page.get_by_role("link", name="Back to the application").click()
    page.get_by_role("link", name="Credentials").click()
    page.get_by_role("button", name="Disable").click()
    page.wait_for_url("**/change/")
    browsers.picture(page, "application", look)
    assert Application.objects.get().disabled_at
