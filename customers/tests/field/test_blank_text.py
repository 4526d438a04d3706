"""Text that is none."""

import pytest

from customers.models import Customer, CustomerGroup, Webhook
from customers.tests.conftest import error_of
from customers.tests.factories import (
    ADDRESS,
    CALLBACK_URL,
    make_group,
)

pytestmark = pytest.mark.thorough


def test_text_between_spaces_stays_as_it_was_given(api):
    made = api.create("addresses", {**ADDRESS, "first_name": " Ada "})
    assert made.status_code == 201
    assert made.json()["data"]["attributes"]["first_name"] == " Ada "


def test_optional_text_of_spaces_stays_taken(api):
    made = api.create("addresses", {**ADDRESS, "line_2": "  ", "notes": " "})
    assert made.status_code == 201


def test_the_console_refuses_required_text_of_white_space(admin_client):
    page = admin_client.post(
        "/admin/customers/customergroup/add/", {"name": " \u00a0", "metadata": "{}"}
    )
    assert page.status_code == 200
    assert not CustomerGroup.objects.exists()


def test_two_webhooks_without_a_name_are_two(api):
    given = {"topic": "customers.create", "callback_url": CALLBACK_URL, "name": ""}
    made = [api.create("webhooks", given) for _ in range(2)]
    assert [one.status_code for one in made] == [201, 201]
    assert Webhook.objects.count() == 2


@pytest.mark.parametrize("member", ["profile_id", "reference", "tax_exemption_code"])
def test_two_customers_with_an_empty_member_are_two(api, member):
    made = [
        api.create("customers", {"email": f"{number}@example.com", member: ""})
        for number in range(2)
    ]
    assert [one.status_code for one in made] == [201, 201]
    assert Customer.objects.count() == 2


def test_two_groups_of_the_console_without_a_code_are_two(admin_client):
    for _ in range(2):
        sent = {"name": "A", "code": "", "metadata": "{}"}
        assert admin_client.post("/admin/customers/customergroup/add/", sent).status_code == 302
    assert CustomerGroup.objects.count() == 2


def test_a_code_that_is_taken_stays_refused(api):
    make_group(code="retail")
    source = {"pointer": "/data/attributes/code"}
    refused = api.create("customer_groups", {"name": "A", "code": "retail"})
    assert error_of(refused, 422, "VALIDATION_ERROR", source)["meta"]["error"] == "taken"
