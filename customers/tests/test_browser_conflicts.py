"""Two people at one page, in a real browser. Run with `manage.py test -m browser`."""

import pytest
from django.contrib.auth.models import User

from customers.jobs import merging
from customers.models import Customer, Order
from customers.tests import browsers
from customers.tests.factories import make_customer, make_group, make_order

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKS = ["light desktop", "dark desktop", "light phone", "dark phone"]
SAID = ["status of 409", "status of 404"]  # what Chromium's console says of such answers


@pytest.fixture(scope="module")
def browser():
    with browsers.chromium(sync_api) as browser:
        yield browser


@pytest.fixture(params=LOOKS)
def look(request):
    return request.param


@pytest.fixture
def pages(browser, live_server, look):
    """The pages of two members of staff, Ada and Bob."""
    with (
        browsers.silent_page(browser, live_server.url, look, said=SAID) as first,
        browsers.silent_page(browser, live_server.url, look) as second,
    ):
        for page, name in ((first, "ada"), (second, "bob")):
            user = User.objects.create_superuser(name, password="correct horse")
            browsers.come_in(page, user, live_server.url)
        yield first, second


def is_readable(page, name, look):
    page.wait_for_load_state("networkidle")
    browsers.picture(page, name, look)
    assert browsers.hard_to_read(page) == []


def test_who_saves_second_sees_both_values_and_chooses(pages, look):
    ada, bob = pages
    customer = make_customer(
        email="grace.hopper@example.com",
        reference="ERP-1",
        tax_exemption_code="T-1",
        metadata={"size": "M"},
    )
    make_group(name="Wholesale")
    address = f"/admin/customers/customer/{customer.pk}/change/"
    for page in pages:
        page.goto(address)
    bob.get_by_label("Tax exemption code:").fill("GB-BOB-77")
    bob.get_by_label("Value of metadata").fill("XL")
    bob.get_by_label("Reference:", exact=True).fill("ERP-2")
    bob.get_by_role("button", name="Save", exact=True).click()
    bob.get_by_text("was changed successfully").wait_for()

    ada.get_by_label("Tax exemption code:").fill("GB-ADA-01")
    ada.get_by_label("Value of metadata").fill("L")
    ada.get_by_label("Reference origin:").fill("ERP")
    ada.get_by_role("button", name="Save", exact=True).click()
    ada.get_by_role("heading", name="Changed in the meantime: 2 fields").wait_for()
    for name, mine, theirs in (
        ("Tax exemption code", "GB-ADA-01", "GB-BOB-77"),
        ("Metadata", '"size": "L"', '"size": "XL"'),
    ):
        asked = ada.get_by_role("group", name=name, exact=True)
        sync_api.expect(asked.get_by_role("radio", name="Yours")).not_to_be_checked()
        sync_api.expect(asked.get_by_role("radio", name="Now saved by bob")).not_to_be_checked()
        sync_api.expect(asked).to_contain_text(mine)
        sync_api.expect(asked).to_contain_text(theirs)
    assert Customer.objects.get().tax_exemption_code == "GB-BOB-77"
    assert ada.get_by_label("Reference origin:").input_value() == "ERP"
    assert ada.get_by_label("Reference:", exact=True).input_value() == "ERP-2"
    is_readable(ada, "conflict", look)

    ada.get_by_role("group", name="Tax exemption code").get_by_role("radio", name="Yours").focus()
    ada.keyboard.press("Space")
    ada.get_by_role("group", name="Metadata").get_by_text("Now saved").click()
    is_readable(ada, "conflict-chosen", look)
    ada.get_by_role("button", name="Save with my choices").click()
    ada.get_by_text("was changed successfully").wait_for()
    found = Customer.objects.get()
    assert (found.tax_exemption_code, found.metadata) == ("GB-ADA-01", {"size": "XL"})
    assert (found.reference, found.reference_origin) == ("ERP-2", "ERP")


def test_what_became_of_a_merged_customer_is_told(pages, look):
    ada, _ = pages
    target = make_customer(email="grace.hopper@example.com")
    spare = make_customer(email="grace@example.com")
    order = make_order(customer=spare)
    ada.goto(f"/admin/customers/order/{order.pk}/change/")
    ada.get_by_label("Coupon code:").fill("FREE")
    merging.merge(target.pk, spare.pk, mode="test", actor=None)
    ada.get_by_role("button", name="Save", exact=True).click()
    ada.get_by_text("Nothing was changed.").wait_for()
    is_readable(ada, "customer-gone", look)
    assert Order.objects.get().coupon_code is None
    ada.get_by_role("link", name="Reload the page").click()
    assert ada.get_by_label("Coupon code:").input_value() == ""
    ada.goto(f"/admin/customers/customer/{spare.pk}/change/")
    is_readable(ada, "gone", look)
    ada.get_by_role("link", name="Go to grace.hopper@example.com").click()
    ada.wait_for_url(f"**/{target.pk}/change/")


def test_a_conflict_is_settled_without_javascript(browser, live_server):
    user, customer = User.objects.create_superuser("ada"), make_customer(tax_exemption_code="T-1")
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    page = context.new_page()
    browsers.come_in(page, user, live_server.url)
    page.goto(f"/admin/customers/customer/{customer.pk}/change/")
    Customer.objects.update(tax_exemption_code="T-2")
    page.get_by_label("Tax exemption code:").fill("T-3")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("radio", name="Yours").check()
    page.get_by_role("button", name="Save with my choices").click()
    page.get_by_text("was changed successfully").wait_for()
    assert Customer.objects.get().tax_exemption_code == "T-3"
    context.close()
