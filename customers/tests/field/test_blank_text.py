"""Text that is none."""

import pytest

from customers.models import Customer, CustomerGroup, Import, Order, Webhook
from customers.tests.conftest import error_of
from customers.tests.factories import (
    ADDRESS,
    CALLBACK_URL,
    SMALLEST,
    make_address,
    make_group,
    make_order,
)
from customers.tests.field.doors import by_api

pytestmark = pytest.mark.thorough

REQUIRED = {
    "addresses": ["first_name", "last_name", "line_1", "city", "phone", "zip_code"],
    "customer_groups": ["name"],
    "sku_lists": ["name"],
    "attachments": ["name"],
    "sku_list_items": ["sku_code"],
    "customer_subscriptions": ["reference"],
    "tags": ["name"],
}


CASES = [(name, member) for name, members in REQUIRED.items() for member in members]


@pytest.mark.parametrize("blank", ["  ", "\t", "\u00a0", "\u3000\n"])
@pytest.mark.parametrize(("name", "member"), CASES)
def test_required_text_of_white_space_is_none(api, name, member, blank):
    attributes, relationships = SMALLEST[name]()
    refused = api.create(name, {**attributes, member: blank}, relationships)
    source = {"pointer": f"/data/attributes/{member}"}
    error = error_of(refused, 422, "VALIDATION_ERROR", source)
    assert error["meta"]["error"] == "blank"


def test_a_company_of_spaces_is_none_for_a_business(api):
    given = {**ADDRESS, "business": True, "company": "  "}
    source = {"pointer": "/data/attributes/company"}
    refused = error_of(api.create("addresses", given), 422, "VALIDATION_ERROR", source)
    assert refused["meta"]["error"] == "blank"


def test_a_change_to_spaces_is_refused_too(api):
    address = make_address()
    source = {"pointer": "/data/attributes/city"}
    refused = api.update("addresses", address.pk, {"city": " \u00a0 "})
    assert error_of(refused, 422, "VALIDATION_ERROR", source)["meta"]["error"] == "blank"
    address.refresh_from_db()
    assert address.city == "London"


def test_an_import_refuses_required_text_of_white_space():
    row = ",".join(ADDRESS)
    values = ",".join(f'"{value}"' for value in {**ADDRESS, "city": "\u3000"}.values())
    by_api(f"{row}\n{values}\n", "addresses")
    ((_, told),) = Import.objects.get().errors_log.items()
    assert told.keys() == {"city"}


def test_an_optional_code_that_is_empty_is_none(api):
    made = [api.create("customer_groups", {"name": "A", "code": ""}) for _ in range(2)]
    assert [one.status_code for one in made] == [201, 201]


def test_a_code_that_is_emptied_is_none(api):
    make_group(code="")
    group = make_group(code="retail")
    assert api.update("customer_groups", group.pk, {"code": ""}).status_code == 200


def test_two_orders_without_a_number_are_two(api):
    made = [api.create("orders", {"number": ""}) for _ in range(2)]
    assert [one.status_code for one in made] == [201, 201]
    assert Order.objects.count() == 2


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
    for code in ("", " \u00a0"):
        sent = {"name": "A", "code": code, "metadata": "{}"}
        assert admin_client.post("/admin/customers/customergroup/add/", sent).status_code == 302
    assert CustomerGroup.objects.count() == 2


def test_a_code_that_is_taken_stays_refused(api):
    make_group(code="retail")
    source = {"pointer": "/data/attributes/code"}
    refused = api.create("customer_groups", {"name": "A", "code": "retail"})
    assert error_of(refused, 422, "VALIDATION_ERROR", source)["meta"]["error"] == "taken"


@pytest.mark.parametrize("blank", ["", "  ", "\u3000"])
def test_an_optional_code_that_is_blank_is_kept_as_none(api, blank):
    made = api.create("customer_groups", {"name": "A", "code": blank})
    assert made.json()["data"]["attributes"]["code"] is None
    assert CustomerGroup.objects.get().code is None


def test_a_code_that_is_none_and_is_emptied_again_is_no_change(api):
    make_group()
    kept = CustomerGroup.objects.get()
    assert api.update("customer_groups", kept.pk, {"code": ""}).status_code == 200
    assert CustomerGroup.objects.get().updated_at == kept.updated_at


def test_a_code_that_was_kept_empty_before_is_in_nobodys_way(api):
    CustomerGroup.objects.filter(pk=make_group().pk).update(code="")
    assert api.create("customer_groups", {"name": "A", "code": ""}).status_code == 201


def test_an_import_of_orders_without_a_number_makes_each():
    by_api('number,reference\n"  ",R-1\n"  ",R-2\n', "orders")
    assert Import.objects.get().errors_log == {}
    assert Order.objects.values("number").distinct().count() == 2


def test_an_order_keeps_the_number_that_is_emptied(api):
    order = make_order(number="A-1")
    source = {"pointer": "/data/attributes/number"}
    refused = api.update("orders", order.pk, {"number": ""})
    assert error_of(refused, 422, "VALIDATION_ERROR", source)["meta"]["error"] == "blank"
    order.refresh_from_db()
    assert order.number == "A-1"


def test_an_optional_code_that_is_blank_is_none_whoever_saves_it():
    assert [make_group(code=code).code for code in ("", " ", "retail")] == [None, None, "retail"]
    assert make_order(number="").number != ""


def test_a_password_of_spaces_stays_a_password(api):
    given = {"email": "ada@example.com", "password": " " * 12}
    assert api.create("customers", given).status_code == 201


def test_a_rule_of_spaces_is_none_for_a_list_that_is_not_made_by_hand(api):
    refused = api.create("sku_lists", {"name": "A", "manual": False, "sku_code_regex": " "})
    source = {"pointer": "/data/attributes/sku_code_regex"}
    assert error_of(refused, 422, "VALIDATION_ERROR", source)["meta"]["error"] == "blank"
