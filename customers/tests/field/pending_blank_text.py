"""Text that is none."""

import pytest

from customers.models import Import, Order
from customers.tests.conftest import error_of
from customers.tests.factories import (
    ADDRESS,
    SMALLEST,
    make_address,
    make_group,
)
from customers.tests.field.doors import by_api

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
