"""Changes that change nothing."""

from customers.tests.factories import (
    link,
    make_customer,
    make_tag,
)
from customers.tests.forms import sent_by


def path_of(row):
    return f"/api/{row._meta.db_table}/{row.pk}"


def moments(row):
    row.refresh_from_db()
    return row.updated_at


def test_the_relationship_that_is_there_moves_nothing(api):
    customer, tag = make_customer(), make_tag()
    customer.tags.add(tag)
    before = moments(customer)
    done = api.update("customers", customer.pk, {}, {"tags": [link(tag)]})
    assert done.status_code == 200
    assert moments(customer) == before
    assert api.update("customers", customer.pk, {"_add_tags": tag.name}).status_code == 200
    assert moments(customer) == before


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
