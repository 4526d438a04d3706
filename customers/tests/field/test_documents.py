"""Documents in which several things are wrong: all are told at once, each where it is."""

import pytest

from customers.models import (
    Address,
)
from customers.tests.factories import (
    ADDRESS,
    CALLBACK_URL,
)
from customers.tests.field.documents import LONG, of_attributes, pointers

pytestmark = pytest.mark.thorough


def test_an_address_of_two_names_alone_is_told_all_five_that_are_missing(api):
    refused = api.create("addresses", {"first_name": "Ada", "last_name": "Lovelace"})
    missing = of_attributes("line_1", "city", "zip_code", "country_code", "phone")
    assert pointers(refused) == missing
    assert not Address.objects.exists()


def test_an_address_of_two_names_in_a_country_with_codes_is_told_all_that_are_missing(api):
    given = {"first_name": "Ada", "last_name": "Lovelace", "country_code": "GB"}
    refused = api.create("addresses", given)
    assert pointers(refused) == of_attributes("line_1", "city", "zip_code", "phone")


def test_an_address_in_a_country_without_codes_is_not_told_that_one_is_missing(api):
    given = {"first_name": "Ada", "last_name": "Lovelace", "country_code": "IE"}
    assert pointers(api.create("addresses", given)) == of_attributes("line_1", "city", "phone")


def test_a_country_that_is_none_does_not_say_that_a_code_is_missing(api):
    refused = api.create("addresses", {**ADDRESS, "country_code": "XX", "zip_code": None})
    assert pointers(refused) == of_attributes("country_code")


SEVERAL = {
    "nothing of an address": (
        "addresses",
        {},
        of_attributes(
            *("first_name", "last_name", "line_1", "city", "zip_code", "country_code", "phone")
        ),
    ),
    "a business without a name": (
        "addresses",
        {**ADDRESS, "business": True, "city": ""},
        of_attributes("company", "city"),
    ),
    "a country and a length": (
        "addresses",
        {**ADDRESS, "country_code": "XX", "line_1": LONG},
        of_attributes("country_code", "line_1"),
    ),
    "a country, and a phone that is missing": (
        "addresses",
        {**ADDRESS, "country_code": "XX", "phone": None},
        of_attributes("country_code", "phone"),
    ),
    "a length, and a name that is missing": (
        "addresses",
        {**ADDRESS, "city": LONG, "last_name": None},
        of_attributes("city", "last_name"),
    ),
    "two places out of range": (
        "addresses",
        {**ADDRESS, "lat": 91, "lng": 181},
        of_attributes("lat", "lng"),
    ),
    "a place out of range and a length": (
        "addresses",
        {**ADDRESS, "lat": -91, "city": LONG},
        of_attributes("lat", "city"),
    ),
    "a code and a place out of range": (
        "addresses",
        {**ADDRESS, "zip_code": "", "lng": -181},
        of_attributes("zip_code", "lng"),
    ),
    "names of other types": (
        "addresses",
        {**ADDRESS, "first_name": 1, "last_name": []},
        of_attributes("first_name", "last_name"),
    ),
    "an address of spaces": (
        "addresses",
        {**ADDRESS, "first_name": " ", "city": "\t"},
        of_attributes("first_name", "city"),
    ),
    "an e-mail and a length": (
        "customers",
        {"email": "ada", "reference": LONG},
        of_attributes("email", "reference"),
    ),
    "no e-mail and a length": (
        "customers",
        {"profile_id": LONG, "reference": LONG},
        of_attributes("email", "profile_id", "reference"),
    ),
    "a taken e-mail and a length": (
        "customers",
        {"email": "Taken@example.com", "reference": LONG},
        of_attributes("email", "reference"),
    ),
    "a taken e-mail and a password": (
        "customers",
        {"email": "taken@example.com", "password": "short"},
        of_attributes("email", "password"),
    ),
    "a password and a length": (
        "customers",
        {"email": "new@example.com", "password": "short", "shopper_reference": "x"},
        of_attributes("password", "shopper_reference"),
    ),
    "a taken e-mail and a reference of a shopper": (
        "customers",
        {"email": "taken@example.com", "shopper_reference": "x"},
        of_attributes("email", "shopper_reference"),
    ),
    "metadata and an e-mail": (
        "customers",
        {"email": "ada", "metadata": []},
        of_attributes("email", "metadata"),
    ),
    "a name and a code": (
        "customer_groups",
        {"name": "", "code": LONG},
        of_attributes("name", "code"),
    ),
    "no name and a taken code": (
        "customer_groups",
        {"code": "taken"},
        of_attributes("name", "code"),
    ),
    "a name that is long and a taken code": (
        "customer_groups",
        {"name": LONG, "code": "taken"},
        of_attributes("name", "code"),
    ),
    "a name and a reference": (
        "tags",
        {"name": "with spaces", "reference": LONG},
        of_attributes("name", "reference"),
    ),
    "a taken name and a reference": (
        "tags",
        {"name": "taken", "reference": LONG},
        of_attributes("name", "reference"),
    ),
    "no name and a reference": ("tags", {"reference": LONG}, of_attributes("name", "reference")),
    "neither topic nor address": ("webhooks", {}, of_attributes("topic", "callback_url")),
    "a topic and an address": (
        "webhooks",
        {"topic": "x.y", "callback_url": "ftp://a"},
        of_attributes("topic", "callback_url"),
    ),
    "a topic and what comes with it": (
        "webhooks",
        {"topic": "x.y", "callback_url": CALLBACK_URL, "name": LONG},
        of_attributes("topic", "name"),
    ),
    "neither kind nor rows": ("imports", {}, of_attributes("resource_type", "inputs")),
    "a kind and rows": (
        "imports",
        {"resource_type": "shoes", "inputs": []},
        of_attributes("resource_type", "inputs"),
    ),
    "a kind, a format and rows": (
        "imports",
        {"resource_type": "shoes", "format": "xml", "inputs": [1]},
        of_attributes("resource_type", "format", "inputs"),
    ),
    "a kind and a format of an export": (
        "exports",
        {"resource_type": "shoes", "format": "xml"},
        of_attributes("resource_type", "format"),
    ),
    "a number and a currency": (
        "orders",
        {"number": LONG, "currency_code": "EURO"},
        of_attributes("number", "currency_code"),
    ),
    "a taken number and a currency": (
        "orders",
        {"number": "taken", "currency_code": "XX1"},
        of_attributes("number", "currency_code"),
    ),
    "a currency and amounts": (
        "orders",
        {"currency_code": "eur", "total_amount_cents": "twelve", "reference": LONG},
        of_attributes("currency_code", "total_amount_cents", "reference"),
    ),
    "an e-mail and a number": (
        "orders",
        {"customer_email": "ada", "number": LONG},
        of_attributes("customer_email", "number"),
    ),
    "no name and a length": (
        "sku_lists",
        {"reference": LONG, "reference_origin": LONG},
        of_attributes("name", "reference", "reference_origin"),
    ),
    "neither e-mail nor reference": (
        "customer_subscriptions",
        {},
        of_attributes("customer_email", "reference"),
    ),
    "an e-mail and a reference": (
        "customer_subscriptions",
        {"customer_email": "ada", "reference": LONG},
        of_attributes("customer_email", "reference"),
    ),
    "an e-mail and an origin": (
        "customer_password_resets",
        {"customer_email": "ada", "reference_origin": LONG},
        of_attributes("customer_email", "reference_origin"),
    ),
    "no e-mail and an origin": (
        "customer_password_resets",
        {"reference_origin": LONG},
        of_attributes("customer_email", "reference_origin"),
    ),
    "an amount and a number": (
        "orders",
        {"total_amount_cents": "many", "number": LONG},
        of_attributes("total_amount_cents", "number"),
    ),
    "a company that is missing and a place": (
        "addresses",
        {**ADDRESS, "business": True, "lat": 200},
        of_attributes("company", "lat"),
    ),
    "a country that is missing and a phone": (
        "addresses",
        {**ADDRESS, "country_code": None, "phone": ""},
        of_attributes("country_code", "phone"),
    ),
    "a code of another type and a name": (
        "customer_groups",
        {"name": None, "code": 7},
        of_attributes("name", "code"),
    ),
    "four of one customer": (
        "customers",
        {"email": "ada", "password": "x", "reference": LONG, "shopper_reference": "x"},
        of_attributes("email", "password", "reference", "shopper_reference"),
    ),
    "a taken e-mail in another case and metadata": (
        "customers",
        {"email": "TAKEN@EXAMPLE.COM", "metadata": 7},
        of_attributes("email", "metadata"),
    ),
    "a taken number in an order with an amount": (
        "orders",
        {"number": "taken", "total_amount_cents": "many"},
        of_attributes("number", "total_amount_cents"),
    ),
    "a taken name and metadata": (
        "tags",
        {"name": "TAKEN", "metadata": 7},
        of_attributes("name", "metadata"),
    ),
}


@pytest.mark.parametrize("case", SEVERAL)
def test_all_that_is_wrong_with_attributes_is_told_at_once(api, taken, case):
    name, attributes, wrong = SEVERAL[case]
    assert pointers(api.create(name, attributes)) == wrong
