"""Changes that change nothing."""

import pytest

from customers.models import Event, EventStore
from customers.tests.factories import (
    ONE,
    SMALLEST,
    link,
    make_address,
    make_customer,
    make_order,
    make_tag,
)
from customers.tests.forms import sent_by

pytestmark = pytest.mark.thorough

WRITTEN = sorted(SMALLEST)


def path_of(row):
    return f"/api/{row._meta.db_table}/{row.pk}"


def moments(row):
    row.refresh_from_db()
    return row.updated_at


@pytest.mark.parametrize(
    "attributes",
    [
        {"reference": "R-1"},
        {"metadata": {"b": 1, "a": [1, 2]}},
        {"email": "ada@example.com", "reference": "R-1"},
        {},
    ],
)
def test_a_change_to_what_is_there_moves_nothing(api, attributes):
    metadata = {"a": [1, 2], "b": 1}
    customer = make_customer(email="ada@example.com", reference="R-1", metadata=metadata)
    before, tag = moments(customer), api.get(path_of(customer))["ETag"]
    done = api.update("customers", customer.pk, attributes)
    assert (done.status_code, done["ETag"]) == (200, tag)
    assert moments(customer) == before
    assert not EventStore.objects.exists()


@pytest.mark.parametrize(
    ("kept", "sent"), [(1.0, 1), (1, 1.0), ([2.0, {"b": 3}], [2, {"b": 3.0}]), (0, -0.0)]
)
def test_a_number_that_another_program_writes_otherwise_moves_nothing(api, kept, sent):
    customer = make_customer(metadata={"a": kept})
    before, tag = moments(customer), api.get(path_of(customer))["ETag"]
    done = api.update("customers", customer.pk, {"metadata": {"a": sent}})
    assert (done.status_code, done["ETag"]) == (200, tag)
    assert moments(customer) == before
    assert not EventStore.objects.exists()


@pytest.mark.parametrize(("kept", "sent"), [(1, True), (0, False), ([1], [True]), (1, "1")])
def test_true_is_no_number_and_its_change_is_told(api, kept, sent):
    customer = make_customer(metadata={"a": kept})
    before = moments(customer)
    assert api.update("customers", customer.pk, {"metadata": {"a": sent}}).status_code == 200
    assert moments(customer) > before
    assert "metadata" in EventStore.objects.get().payload
    assert Event.objects.filter(name="customers.metadata_update").count() == 1


@pytest.mark.parametrize("name", [name for name in WRITTEN if name not in ("imports", "exports")])
def test_the_reference_that_is_there_moves_no_row_of_any_type(api, name):
    row = ONE[name]()
    type(row).objects.filter(pk=row.pk).update(reference="R-1")
    before = moments(row)
    assert api.update(name, row.pk, {"reference": "R-1"}).status_code == 200
    assert moments(row) == before


def test_the_relationship_that_is_there_moves_nothing(api):
    customer, tag = make_customer(), make_tag()
    customer.tags.add(tag)
    before = moments(customer)
    done = api.update("customers", customer.pk, {}, {"tags": [link(tag)]})
    assert done.status_code == 200
    assert moments(customer) == before
    assert api.update("customers", customer.pk, {"_add_tags": tag.name}).status_code == 200
    assert moments(customer) == before


def test_a_to_one_relationship_that_is_there_moves_nothing(api):
    customer, address = make_customer(), make_address()
    order = make_order(customer=customer, shipping_address=address)
    before = moments(order)
    done = api.update("orders", order.pk, {}, {"shipping_address": link(address)})
    assert done.status_code == 200
    assert moments(order) == before


def test_a_form_of_the_console_that_changes_nothing_moves_nothing(admin_client):
    customer = make_customer(reference="R-1", metadata={"b": 1, "a": 2})
    before = moments(customer)
    page = f"/admin/customers/customer/{customer.pk}/change/"
    assert admin_client.post(page, sent_by(admin_client.get(page))).status_code == 302
    assert moments(customer) == before


def test_a_change_of_one_value_among_those_that_are_there_moves(api):
    customer = make_customer(reference="R-1")
    before, tag = moments(customer), api.get(path_of(customer))["ETag"]
    done = api.update("customers", customer.pk, {"reference": "R-2", "email": customer.email})
    assert done["ETag"] != tag
    assert moments(customer) > before
