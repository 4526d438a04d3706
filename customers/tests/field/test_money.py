"""Amounts, as shops send them."""

import pytest

from customers.tests.factories import (
    make_customer,
    make_order,
    make_placed_order,
)
from customers.tests.field.doors import CUSTOMERS, shown

pytestmark = pytest.mark.thorough

TWO_MORE = ["EUR", "USD", "HUF", "COP", "TZS", "CZK", "TWD", "IDR"]


TWO = ["AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER"]


NONE = ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"]


NONE += ["PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"]


THREE = ["BHD", "JOD", "KWD", "LYD", "OMR", "TND"]


FOUR = ["CLF", "UYW"]


def digits(text):
    """The figure of an amount, without its currency."""
    return "".join(letter for letter in text if letter.isdigit() or letter in ".,")


def amount_of(api, currency, cents, **attributes):
    given = {"currency_code": currency, "total_amount_cents": cents, **attributes}
    made = api.create("orders", given)
    assert made.status_code == 201, made.content
    return made.json()["data"]["attributes"]["formatted_total_amount"]


@pytest.mark.parametrize(
    ("currency", "cents", "told"),
    [("RSD", 123456, "RSD1,234.56"), ("JPY", 1234, "¥1,234"), ("KWD", 1234, "KWD1.234")],
)
def test_cents_are_of_the_minor_unit_of_iso_4217(api, currency, cents, told):
    assert amount_of(api, currency, cents).replace("\u00a0", "") == told


@pytest.mark.parametrize(
    ("currencies", "told"),
    [
        (TWO, "1,234.56"),
        (TWO_MORE, "1,234.56"),
        (NONE, "123,456"),
        (THREE, "123.456"),
        (["IQD"], "123.456"),
        (FOUR, "12.3456"),
    ],
)
def test_every_currency_has_the_digits_of_iso_4217(api, currencies, told):
    found = {currency: digits(amount_of(api, currency, 123456)) for currency in currencies}
    assert found == dict.fromkeys(currencies, told)


@pytest.mark.parametrize(
    ("language", "told"), [("de", "1.234,56"), ("fr", "1\u202f234,56"), ("sr", "1.234,56")]
)
def test_amounts_in_another_language_have_the_same_digits(api, language, told):
    text = amount_of(api, "RSD", 123456, language_code=language)
    assert told in text


@pytest.mark.parametrize("cents", [0, -123456, 1, 99])
def test_small_amounts_and_none_have_the_same_digits(api, cents):
    made = digits(amount_of(api, "RSD", cents))
    assert made.replace(",", "") == f"{abs(cents) / 100:.2f}"


@pytest.mark.parametrize(
    ("currency", "told"), [("RSD", "1,234.56"), ("MGA", "1,234.56"), ("JPY", "123,456")]
)
def test_what_was_spent_is_told_in_the_minor_unit_of_iso_4217(admin_client, currency, told):
    customer = make_customer(total_orders_count=1, status="acquired")
    make_placed_order(customer, currency_code=currency, total_amount_cents=123456)
    page = shown(admin_client.get(f"{CUSTOMERS}{customer.pk}/change/"))
    spent = page.partition("Spent")[2][:30]
    assert told in spent
    assert f"{told}0" not in spent


def test_orders_in_the_console_have_the_minor_unit_of_iso_4217(admin_client):
    make_order(currency_code="RSD", total_amount_cents=123456)
    page = shown(admin_client.get("/admin/customers/order/"))
    assert "RSD1,234.56" in page.replace("\u00a0", "")
