"""Amounts in the smallest unit of a currency, and how people write them."""

from copy import copy
from decimal import Decimal
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision, list_currencies
from django.core.exceptions import ValidationError
from django.db import models

# Digits of ISO 4217's minor unit where those that people display, of CLDR, are others
MINOR_DIGITS = {
    **dict.fromkeys(["AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA"], 2),
    **dict.fromkeys(["MMK", "RSD", "SOS", "SYP", "YER"], 2),
    "IQD": 3,
}


@cache
def currency_codes() -> set[str]:
    return {code for code in list_currencies() if len(code) == 3}


def validate_currency_code(value: str) -> None:
    if value not in currency_codes():
        raise ValidationError("is not a currency code of three capital letters (ISO 4217)")


@cache
def _locale(language_code):
    try:
        return Locale.parse((language_code or "en").replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def formatted(
    cents: int | None, currency_code: str | None, language_code: str | None = "en"
) -> str | None:
    """`€12.50` for 1250 EUR in English; None where the amount or its currency is missing."""
    if cents is None or not currency_code:
        return None
    digits = MINOR_DIGITS.get(currency_code, get_currency_precision(currency_code))
    locale = _locale(language_code)
    pattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    amount = Decimal(cents).scaleb(-digits)
    return format_currency(amount, currency_code, pattern, locale=locale, currency_digits=False)


class CentsField(models.BigIntegerField):
    """An amount in the smallest unit of the row's currency."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "null": True, "blank": True})
