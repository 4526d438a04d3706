"""The console as several people in several places use it at once."""

from datetime import UTC, datetime

import pytest

from customers.models import Customer
from customers.tests.conftest import staff_client
from customers.tests.factories import (
    make_address,
    make_customer,
    make_group,
    make_order,
    make_order_subscription,
)
from customers.tests.field.doors import shown
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
