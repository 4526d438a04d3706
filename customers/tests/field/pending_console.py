"""The console as several people in several places use it at once."""

from datetime import UTC, datetime

import pytest

from customers.models import Customer, Order
from customers.tests.conftest import staff_client
from customers.tests.factories import (
    make_customer,
    make_order,
    make_order_subscription,
)
from customers.tests.field.doors import CUSTOMERS, shown
from customers.tests.forms import sent_by

MOMENT = datetime(2026, 11, 26, 21, 54, tzinfo=UTC)


def page_of(row):
    return f"/admin/customers/{row._meta.model_name}/{row.pk}/change/"


def opened(client, row):
    """What the form of a row's page sends, unchanged."""
    return sent_by(client.get(page_of(row)))


def test_a_page_with_a_time_names_its_zone(admin_client):
    customer = make_customer()
    Customer.objects.update(created_at=MOMENT, updated_at=MOMENT)
    assert "UTC" in shown(admin_client.get(page_of(customer)))


@pytest.mark.parametrize("page", ["/admin/", CUSTOMERS, "/admin/customers/order/"])
def test_lists_and_the_overview_name_the_zone_of_their_times(admin_client, page):
    make_customer(), make_order()
    Customer.objects.update(created_at=MOMENT)
    Order.objects.update(created_at=MOMENT)
    assert "UTC" in shown(admin_client.get(page))


@pytest.fixture
def in_tokyo(admin_client):
    """The console of somebody who has chosen the time of Tokyo."""
    assert admin_client.post("/admin/time-zone/", {"time_zone": "Asia/Tokyo"}).status_code == 302
    return admin_client


def test_staff_have_a_zone_of_their_own(in_tokyo):
    customer = make_customer()
    Customer.objects.update(created_at=MOMENT, updated_at=MOMENT)
    page = shown(in_tokyo.get(page_of(customer)))
    assert "27 Nov 2026" in page
    assert "JST" in page or "Asia/Tokyo" in page
    assert "26 Nov 2026" not in page


def test_the_zone_of_one_is_nobody_elses(in_tokyo):
    customer = make_customer()
    Customer.objects.update(created_at=MOMENT, updated_at=MOMENT)
    other = staff_client("administrator")
    assert "26 Nov 2026" in shown(other.get(page_of(customer)))


def test_a_time_that_is_typed_is_of_the_own_zone(in_tokyo):
    subscription = make_order_subscription()
    form = opened(in_tokyo, subscription)
    typed = {"next_run_at_0": ["2026-11-27"], "next_run_at_1": ["06:54:00"]}
    answer = in_tokyo.post(page_of(subscription), form | typed)
    assert answer.status_code == 302, shown(answer)
    subscription.refresh_from_db()
    assert subscription.next_run_at == MOMENT


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "x" * 500])
def test_what_is_no_zone_is_refused(admin_client, zone):
    answer = admin_client.post("/admin/time-zone/", {"time_zone": zone})
    assert answer.status_code in (302, 400, 422)
    assert answer.status_code != 302 or zone == ""


def test_the_api_stays_in_utc_whatever_staff_have_chosen(in_tokyo, api):
    customer = make_customer()
    Customer.objects.update(created_at=MOMENT)
    found = api.get(f"/api/customers/{customer.pk}").json()["data"]["attributes"]
    assert found["created_at"] == "2026-11-26T21:54:00.000Z"
