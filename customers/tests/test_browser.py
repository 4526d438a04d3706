"""The admin in a real browser. Run with `manage.py test -m browser`; needs Chromium."""

import os
import shutil

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model

from customers.models import Customer, Segment
from customers.services.demo import make_customers
from customers.tests import browsers
from customers.tests.factories import make_customer, make_full_customer, make_group, make_tag

sync_api = pytest.importorskip("playwright.sync_api")
sync_api.expect.set_options(timeout=30_000)  # milliseconds, as all else has
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module", autouse=True)
def _playwright_loop():
    """Let Django use the database beside the event loop of Playwright's synchronous API."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def chromium():
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "Install Chromium: apt-get install chromium"
    arguments = ["--no-sandbox", "--disable-background-networking", "--disable-sync"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


def logged_in(chromium, url, scheme, device):
    """A page of `device`, logged in by the form, and the list of errors in its console."""
    width, height = SIZES[device]
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": height}, base_url=url
    )
    page = context.new_page()
    complaints = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    return page, complaints


@pytest.fixture(params=["light desktop", "dark phone"])
def page(chromium, request, live_server, admin_user):
    """A page, logged in by the form, whose console must tell no error."""
    page, complaints = logged_in(chromium, live_server.url, *request.param.split())
    yield page
    if folder := os.environ.get("SCREENSHOTS"):
        name = f"{request.node.originalname}-{request.param}.png".replace(" ", "-")
        page.screenshot(path=os.path.join(folder, name), full_page=True)
    page.context.close()
    assert complaints == []


def opens(page, url):
    """Whether the page at `url` opens, and fits into the window from side to side."""
    response = page.goto(url)
    too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert too_wide <= 0, f"{url} is {too_wide} pixels too wide"
    return response.status == 200


def test_every_page_loads_without_a_word_from_the_browser(page):
    make_full_customer()
    for model, options in admin.site._registry.items():
        url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert opens(page, url)
        if row := model.objects.first():
            assert opens(page, f"{url}{row.pk}/change/")
        if options.has_add_permission.__func__ is admin.ModelAdmin.has_add_permission:
            assert opens(page, f"{url}add/")


def test_a_customer_is_found_by_a_part_of_its_address_and_changed(page):
    ada = make_customer(email="ada.lovelace@example.com")
    make_customer(email="bob@example.com")
    page.goto("/admin/customers/customer/")
    page.locator("#searchbar").fill("LOVE")
    page.keyboard.press("Enter")
    page.get_by_text("1 result").wait_for()
    assert page.get_by_role("link", name="bob@example.com").count() == 0
    page.get_by_role("link", name="ada.lovelace@example.com").click()
    page.get_by_label("Tax exemption code:").fill("T-1")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()
    assert Customer.objects.get(pk=ada.pk).tax_exemption_code == "T-1"


def test_the_list_of_customers(page):
    group, tag = make_group(name="Wholesale"), make_tag(name="newsletter")
    for number in range(12):
        customer = make_customer(customer_group=group if number % 2 else None)
        customer.tags.add(tag)
    page.goto("/admin/customers/customer/")
    assert page.locator("#result_list tbody tr").count() == 12
    page.wait_for_load_state("networkidle")


def test_the_page_of_a_customer(page):
    customer = make_customer(
        customer_group=make_group(name="Wholesale"), metadata={"size": "M"}, reference="R-1"
    )
    customer.tags.add(make_tag(name="newsletter"), make_tag(name="vip"))
    page.goto(f"/admin/customers/customer/{customer.pk}/change/")
    assert page.get_by_label("E-mail:").input_value() == customer.email
    assert page.get_by_text("newsletter").first.is_visible()
    assert page.locator("input[type=password]").count() == 0
    page.wait_for_load_state("networkidle")


def test_the_keyboard_finds_pages_and_customers(page):
    ada = make_customer(email="ada.lovelace@example.com")
    page.goto("/admin/customers/order/")
    page.keyboard.press("/")
    assert page.locator("#searchbar").evaluate("field => field === document.activeElement")
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Type a page").fill("lovel")
    page.get_by_role("option", name="ada.lovelace@example.com").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{ada.pk}/change/")


def test_a_note_and_tags_are_written_in_place(page):
    customer = make_customer(metadata={"size": "M"})
    customer.tags.add(make_tag(name="vip"))
    page.goto(f"/admin/customers/customer/{customer.pk}/change/")
    page.get_by_label("Tax exemption code:").fill("not saved yet")
    page.get_by_label("Note", exact=True).fill("Called about the delivery.")
    page.get_by_role("button", name="Add note").click()
    page.locator(".note-text", has_text="Called about the delivery.").wait_for()
    page.get_by_label("Tag to add").fill("fresh")
    page.get_by_label("Tag to add").press("Enter")
    page.get_by_role("button", name="Remove the tag fresh").wait_for()
    page.get_by_role("button", name="Remove the tag vip").click()
    page.get_by_role("button", name="Remove the tag vip").wait_for(state="detached")
    assert [tag.name for tag in customer.tags.all()] == ["fresh"]
    assert page.get_by_label("Tax exemption code:").input_value() == "not saved yet"
    page.get_by_label("Value of metadata").fill("L")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()
    customer.refresh_from_db()
    assert customer.metadata == {"size": "L"}


def test_filters_become_a_segment_and_modes_stay_apart(page):
    make_customer(email="guest@example.com")
    make_customer(email="member@example.com", password="argon2$x")
    make_customer(email="live@example.com", mode="live")
    page.goto("/admin/customers/customer/")
    button, field = page.get_by_text("Filter", exact=True), page.get_by_label("Orders, at least")
    button.click()
    page.keyboard.press("Escape")
    sync_api.expect(field).to_be_hidden()
    sync_api.expect(button).to_be_focused()
    button.click()
    page.locator("h1").click()
    sync_api.expect(field).to_be_hidden()
    button.click()
    field.fill("0")
    page.get_by_label("Registered:").select_option("false")
    page.get_by_role("button", name="Apply").click()
    page.get_by_text("Save as segment").click()
    page.get_by_label("Name", exact=True).fill("Quiet guests")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Quiet guests 1").wait_for()
    assert page.locator("#result_list tbody tr").count() == 1
    page.get_by_role("button", name="Switch to live").click()
    page.get_by_role("link", name="live@example.com").wait_for()
    assert page.get_by_role("link", name="Quiet guests").count() == 0
    assert page.locator("#result_list tbody tr").count() == 1


def shown_pages():
    """What the README's gallery shows: names and addresses."""
    rows = Customer.objects.filter(total_orders_count__gte=3, attachments__isnull=False)
    customer = rows.filter(tags__isnull=False).order_by("-id").first()
    return {
        "overview": "/admin/",
        "customers": "/admin/customers/customer/?filter[q][tags_name_in]=vip,newsletter",
        "customer": f"/admin/customers/customer/{customer.pk}/change/",
        "reset": f"/admin/customers/customer/{customer.pk}/reset-password/",
    }


def show_confirmation(page):
    page.goto("/admin/customers/customer/")
    for box in page.locator(".action-select").all()[:3]:
        box.check()
    page.get_by_label("Action:").select_option("add_tags")
    page.get_by_role("button", name="Go", exact=True).click()
    page.get_by_role("button", name="Add to 3 customers").wait_for()


def show_preview(page):
    lines = [f"ada.{number}@example.com,{number}00{number},vip" for number in range(1, 9)]
    lines[2:2] = ["grace at example.com,2001,newsletter"]
    content = "\n".join(["E-mail,Customer number,Tags", *lines]).encode()
    page.goto("/admin/customers/customer/import/")
    file = {"name": "customers.csv", "mimeType": "text/csv", "buffer": content}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Preview the file").click()
    page.get_by_role("heading", name="1 row has errors").wait_for()


def show_second_factor(page):
    page.goto("/admin/second-factor/set-up/")
    page.get_by_role("img", name="QR code with your secret").wait_for()


def show_code(page):
    user = get_user_model().objects.get()
    page.get_by_role("textbox", name="Code").fill(browsers.code_of(user))
    page.get_by_role("button", name="Set it up").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    page.context.clear_cookies()
    browsers.come_in(page, user, page.evaluate("location.origin"))
    page.goto("/admin/")
    page.get_by_role("heading", name="Enter your code").wait_for()


ACTS = {
    "confirmation": show_confirmation,
    "import": show_preview,
    "second-factor": show_second_factor,
    "code": show_code,
}


@pytest.mark.parametrize("kind", ["light desktop", "dark desktop", "light phone"])
def test_the_gallery(chromium, live_server, admin_user, kind):
    """Leaves the gallery's pictures in the folder $SCREENSHOTS.

    Every page fits the window, and every text on it can be read.
    """
    make_tag(name="vip")
    make_tag(name="newsletter")
    list(make_customers(120, mode="test"))
    user = get_user_model().objects.get()
    filters = [["tags_name_in", "vip"], ["password_present", "false"]]
    Segment.objects.create(mode="test", name="VIP guests", owner=user, shared=True, filters=filters)
    page, complaints = logged_in(chromium, live_server.url, *kind.split())
    pages, hard = shown_pages(), {}
    for name in [*pages, *ACTS]:
        if name in pages:
            assert opens(page, pages[name])
        else:
            ACTS[name](page)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        hard |= {name: found} if (found := browsers.hard_to_read(page)) else {}
        if folder := os.environ.get("SCREENSHOTS"):
            path = os.path.join(folder, f"{name}-{kind.replace(' ', '-')}.png")
            page.screenshot(path=path)
    page.context.close()
    assert hard == {}
    assert complaints == []
