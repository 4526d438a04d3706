import re
import unicodedata
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import models

from customers.db.declarations import Tells, delete
from customers.db.indexes import by_each
from customers.models.base import CustomerOwned

DIGITS = re.compile(r"(?<!\d)\d(?:[\s._/-]*\d){12,18}(?!\d)", re.ASCII)


def looks_like_card_number(text: str) -> bool:
    """Whether `text` holds 13 to 19 digits with a right check digit (ISO/IEC 7812-1, annex B)."""
    return any(
        _has_check_digit([int(sign) for sign in found if sign.isdigit()])
        for found in DIGITS.findall(unicodedata.normalize("NFKC", text))
    )


def _has_check_digit(digits):
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0 and any(digits)


def _texts(value):
    """Every string and number inside a JSON value, as text."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str | int):
        yield str(value)


class CustomerPaymentSource(CustomerOwned):
    """A means of payment that a gateway keeps for a customer, known here by its tokens alone."""

    TOKENS = ["customer_token", "payment_source_token"]

    customer = delete(
        models.ForeignKey("Customer", models.CASCADE, related_name="customer_payment_sources"),
        column=True,
        says="Whose means of payment it is.",
    )
    name = delete(
        models.CharField(max_length=64, null=True, editable=False),
        column=True,
        says="The last four characters of the token, the rest hidden.",
    )
    customer_token = delete(
        models.CharField(max_length=255, null=True, blank=True),
        secret=True,
        tells=Tells.CODE,
        says="The payment gateway's token of the customer.",
        example="cus_4fT7Rk",
    )
    payment_source_token = delete(
        models.CharField(max_length=255, null=True, blank=True),
        secret=True,
        tells=Tells.CODE,
        says="The payment gateway's token of the card or account; card numbers are refused.",
        example="pm_9sLq2Z",
    )

    class Meta(CustomerOwned.Meta):
        db_table = "customer_payment_sources"
        verbose_name = "customer payment source"
        indexes = [
            *CustomerOwned.Meta.indexes,
            *by_each("name", "payment_source_token"),
        ]

    def __str__(self) -> str:
        return self.name or self.pk

    def prepare_save(self, update_fields: Iterable[str] | None) -> set[str] | None:
        """The name is what the tokens give: their last four signs, the rest hidden."""
        self.name = self.masked_token
        if update_fields is not None:
            update_fields = {*update_fields, "name"}
        return super().prepare_save(update_fields)

    @property
    def masked_token(self) -> str:
        """The last four signs of the token, and none of a short one."""
        token = self.payment_source_token or self.customer_token
        return f"•••• {token[-4:]}" if token and len(token) > 8 else "••••"

    def clean(self) -> None:
        super().clean()
        bad = [
            name
            for name in [*self.TOKENS, "reference", "reference_origin", "metadata"]
            if any(looks_like_card_number(text) for text in _texts(getattr(self, name)))
        ]
        if bad:
            message = "looks like a card number; only a gateway's token may be kept"
            raise ValidationError(dict.fromkeys(bad, ValidationError(message, code="card_number")))
