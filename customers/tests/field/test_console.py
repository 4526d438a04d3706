"""The console as several people in several places use it at once."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from customers.models import Customer, Order
from customers.resources.fields import MomentField
from customers.tests.conftest import staff_client
from customers.tests.factories import (
    make_address,
    make_customer,
    make_group,
    make_order,
    make_order_subscription,
)
from customers.tests.field.doors import CUSTOMERS, shown
from customers.tests.forms import sent_by

pytestmark = pytest.mark.thorough

MOMENT = datetime(2026, 11, 26, 21, 54, tzinfo=UTC)


def page_of(row):
    return f"/admin/customers/{row._meta.model_name}/{row.pk}/change/"


def opened(client, row):
    """What the form of a row's page sends, unchanged."""
    return sent_by(client.get(page_of(row)))


ROWS = {
    "customer": (make_customer, "reference", "tax_exemption_code"),
    "customergroup": (make_group, "reference", "name"),
    "address": (make_address, "reference", "city"),
    "order": (make_order, "reference", "reference_origin"),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_two_change_at_one_form_both_stands(admin_client, name):
    make, theirs, mine = ROWS[name]
    row, other = make(), staff_client("administrator")
    form = opened(admin_client, row)
    changed = other.post(page_of(row), opened(other, row) | {theirs: ["THEIRS"]})
    assert changed.status_code == 302, shown(changed)
    answer = admin_client.post(page_of(row), form | {mine: ["MINE"]})
    assert answer.status_code == 302, shown(answer)
    row.refresh_from_db()
    assert (getattr(row, theirs), getattr(row, mine)) == ("THEIRS", "MINE")


def test_what_a_program_changed_meanwhile_stands(api, admin_client):
    customer = make_customer()
    form = opened(admin_client, customer)
    given = {"reference": "THEIRS", "metadata": {"by": "a program"}}
    assert api.update("customers", customer.pk, given).status_code == 200
    answer = admin_client.post(page_of(customer), form | {"tax_exemption_code": ["MINE"]})
    assert answer.status_code == 302
    customer.refresh_from_db()
    assert (customer.reference, customer.tax_exemption_code) == ("THEIRS", "MINE")
    assert customer.metadata == {"by": "a program"}


def test_who_changes_what_another_changed_is_told_and_decides(api, admin_client):
    customer = make_customer(reference="R-1")
    form = opened(admin_client, customer)
    assert api.update("customers", customer.pk, {"reference": "THEIRS"}).status_code == 200
    answer = admin_client.post(page_of(customer), form | {"reference": ["MINE"]})
    assert "THEIRS" in shown(answer)
    assert Customer.objects.get().reference == "THEIRS"


def test_what_was_deleted_meanwhile_is_told(api, admin_client):
    customer = make_customer()
    form = opened(admin_client, customer)
    assert api.delete(f"/api/customers/{customer.pk}").status_code == 204
    answer = admin_client.post(page_of(customer), form | {"reference": ["MINE"]})
    assert "deleted" in shown(answer)
    assert not Customer.objects.exists()


def test_a_time_that_is_typed_without_a_zone_chosen_is_in_utc(admin_client):
    subscription = make_order_subscription()
    form = opened(admin_client, subscription)
    typed = {"next_run_at_0": ["2026-11-26"], "next_run_at_1": ["21:54:00"]}
    assert admin_client.post(page_of(subscription), form | typed).status_code == 302
    subscription.refresh_from_db()
    assert subscription.next_run_at == MOMENT


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


def test_a_zone_is_given_up_for_that_of_everybody(in_tokyo, settings):
    settings.CONSOLE_TIME_ZONE = "Europe/Berlin"
    assert "Times in Asia/Tokyo" in shown(in_tokyo.get("/admin/"))
    assert in_tokyo.post("/admin/time-zone/", {"time_zone": ""}).status_code == 302
    customer = make_customer()
    Customer.objects.update(created_at=MOMENT, updated_at=MOMENT)
    assert "26 Nov 2026, 22:54 CET" in shown(in_tokyo.get("/admin/"))
    assert "Times in Europe/Berlin" in shown(in_tokyo.get(page_of(customer)))


def test_a_zone_goes_along_to_another_browser(in_tokyo):
    other = Client()
    other.force_login(User.objects.get(pk=in_tokyo.session["_auth_user_id"]))
    assert "Times in Asia/Tokyo" in shown(other.get("/admin/"))


@pytest.mark.parametrize(
    ("chosen", "asked"),
    [("Asia/Tokyo", "2026-11-26T15:00:00Z"), ("UTC", "2026-11-27"), ("", "2026-11-27")],
)
def test_a_day_in_a_filter_begins_in_the_own_zone(admin_client, chosen, asked):
    admin_client.post("/admin/time-zone/", {"time_zone": chosen})
    for hour, email in ((14, "before@example.com"), (16, "after@example.com")):
        customer = make_customer(email=email)
        at = datetime(2026, 11, 26, hour, tzinfo=UTC)
        Customer.objects.filter(pk=customer.pk).update(created_at=at)
    found = admin_client.get(
        "/admin/customers/filter/", {"created_from": "2026-11-27"}, follow=True
    )
    assert found.context["cl"].asked == [("created_at_gteq", asked)]
    emails = {row.email for row in found.context["cl"].result_list}
    assert emails == ({"after@example.com"} if chosen == "Asia/Tokyo" else set())
    chip = "27 Nov 2026, 00:00 " + ("JST" if chosen == "Asia/Tokyo" else "UTC")
    assert chip in shown(found)
    assert 'value="2026-11-27"' in found.content.decode()


def test_the_days_of_the_overview_are_those_of_the_own_zone(in_tokyo):
    make_customer()
    now = datetime.now(ZoneInfo("Asia/Tokyo"))
    Customer.objects.update(created_at=now.replace(hour=0, minute=0, second=1))
    bars = in_tokyo.get("/admin/").context["overview"]["bars"]
    assert (bars[-1]["date"], bars[-1]["number"]) == (now.date(), 1)


def test_the_api_s_language_is_in_utc_where_the_console_speaks_it():
    with timezone.override("Asia/Tokyo"):
        field = MomentField()
        assert field.run_validation("2026-11-26T21:54:00") == MOMENT
        assert field.to_representation(MOMENT) == "2026-11-26T21:54:00Z"
