"""The page that describes the API, in a real browser. Run with `manage.py test -m browser`."""

import subprocess
import sys

import pytest

from customers.tests import browsers
from customers.tests.factories import make_customer

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def browser():
    with browsers.chromium(sync_api) as browser:
        yield browser


@pytest.fixture(params=["light desktop", "dark phone"])
def look(request):
    return request.param


@pytest.fixture
def page(browser, live_server, look):
    with browsers.silent_page(browser, live_server.url, look) as page:
        page.goto("/api/docs")
        yield page


def opened(page, name):
    """The operation `name`, opened."""
    operation = page.locator(f"[id='{name}']")
    operation.locator("summary").click()
    return operation


def test_it_sends_requests(page, api, look):
    make_customer(email="ada@example.com")
    page.get_by_label("Client id").fill(api.application.client_id)
    page.get_by_label("Client secret").fill(api.secret)
    page.get_by_role("button", name="Get a token").click()
    sync_api.expect(page.get_by_role("status")).to_contain_text("A token for 120 minutes.")
    listed = opened(page, "customers.list")
    listed.get_by_label("filter[q]").fill("email_start=ada")
    listed.get_by_role("button", name="Send").click()
    sync_api.expect(listed.locator(".answer")).to_contain_text("ada@example.com")
    browsers.picture(page, "docs-sent", look)


def in_page(page, text):
    read = text.replace("console.log(await response.json());", "return await response.text();")
    return page.evaluate(f"async () => {{ {read} }}")


def in_shell(_page, text):
    return subprocess.check_output(["sh", "-c", f"{text} --silent"], text=True)


def in_python(_page, text):
    return subprocess.check_output([sys.executable, "-c", text], text=True)


@pytest.mark.parametrize(
    ("language", "run"), [("curl", in_shell), ("JavaScript", in_page), ("Python", in_python)]
)
def test_it_shows_requests_that_work_in_three_languages(page, api, look, language, run):
    made = opened(page, "customers.create")
    sync_api.expect(made.locator(".sample pre")).to_contain_text('"status": "prospect"')
    sync_api.expect(made).to_contain_text("no two customers have")
    body = made.locator("textarea")
    body.fill(body.input_value().replace("ada@", "grace.o'neill@"))
    made.get_by_role("button", name=language, exact=True).click()
    code = made.locator(".code").text_content()
    assert '"grace.o\'neill@example.com"' in run(page, code.replace("YOUR_TOKEN", api.token))
    browsers.picture(page, f"docs-{language}", look)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("forgot", "customer_password_resets.create"),
        ("refresh token", "get_a_token"),
        ("rate limit", "get_a_token"),
        ("metadata", "orders.create"),
        ("_place", "orders.partial_update"),
    ],
)
def test_it_is_searched_by_words(page, wanted, found):
    shown = page.locator(".operation:visible")
    every = shown.count()
    page.get_by_label("Find").fill(wanted)
    sync_api.expect(page.locator(f"[id='{found}']")).to_be_visible()
    assert shown.count() < every
    page.get_by_label("Find").fill("zebra")
    sync_api.expect(shown).to_have_count(0)
    page.get_by_label("Find").fill("")
    sync_api.expect(shown).to_have_count(every)
