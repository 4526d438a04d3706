"""Documents and rows in which something is wrong, as they are answered since long."""

import pytest

from customers.models import (
    Address,
    Customer,
    Import,
    Order,
    Tag,
    Webhook,
)
from customers.tests.conftest import error_of
from customers.tests.factories import (
    ADDRESS,
    make_customer,
    make_group,
    make_order,
    make_tag,
)
from customers.tests.field.doors import CUSTOMERS, by_api

pytestmark = pytest.mark.thorough

LONG = "x" * 300


@pytest.fixture
def taken():
    """What other rows have already."""
    make_customer(email="taken@example.com", shopper_reference="taken-reference")
    make_group(code="taken"), make_tag(name="taken"), make_order(number="taken")


def test_a_relationship_to_what_is_not_there_stays_404(api):
    gone = {"type": "customer_groups", "id": "nonexistent12345"}
    refused = api.create("customers", {"email": "ada@example.com"}, {"customer_group": gone})
    source = {"pointer": "/data/relationships/customer_group/data"}
    error_of(refused, 404, "RECORD_NOT_FOUND", source)
    assert not Customer.objects.exists()


def test_an_import_lists_all_that_is_wrong_with_a_row(taken):
    by_api(f"email,reference,profile_id\nada,{LONG},{LONG}\n")
    job = Import.objects.get()
    assert job.errors_log["ada"].keys() == {"email", "reference", "profile_id"}
    assert job.errors_count == 1


def test_an_import_of_orders_lists_all_that_is_wrong_with_a_row(taken):
    by_api(f"number,currency_code,reference\nA-1,EURO,{LONG}\n", "orders")
    assert Import.objects.get().errors_log["A-1"].keys() == {"currency_code", "reference"}
    assert not Order.objects.filter(number="A-1").exists()


def test_the_console_tells_all_that_is_wrong_with_a_customer(admin_client, taken):
    sent = {"email": "taken@example.com", "reference": LONG, "metadata": "["}
    page = admin_client.post(f"{CUSTOMERS}add/", sent)
    assert page.context["adminform"].form.errors.keys() == {"email", "reference", "metadata"}


def test_a_value_that_is_wrong_hides_none_that_is_missing_in_the_console(admin_client):
    sent = {"country_code": "XX", "metadata": "{}"}
    page = admin_client.post("/admin/customers/address/add/", sent)
    wanted = {"first_name", "last_name", "line_1", "city", "country_code", "phone"}
    assert page.context["adminform"].form.errors.keys() == wanted


def test_a_document_that_is_right_stays_taken(api):
    assert api.create("addresses", ADDRESS).status_code == 201
    assert api.create("tags", {"name": "vip"}).status_code == 201
    assert (Address.objects.count(), Tag.objects.count()) == (1, 1)
    assert not Webhook.objects.exists()


def test_what_is_unknown_stays_told_before_what_is_wrong(api):
    refused = api.create("customers", {"email": "ada", "shoe_size": 7})
    assert refused.status_code == 400
    (error,) = refused.json()["errors"]
    assert error["source"]["pointer"] == "/data/attributes/shoe_size"
