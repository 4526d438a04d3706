"""What the value of a filter may be: form fields that read a query's text."""

import re
from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date, parse_datetime

from customers.db.fields import FoldedField
from customers.models import email_key

LONGEST_TEXT = 2000
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,19}")


class IntegerFormField(forms.IntegerField):
    """A whole number of 64 bits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=-(2**63), max_value=2**63 - 1, **options)

    def to_python(self, value: Any) -> int | None:
        """The number in `value`, None in an empty one. Raises ValidationError."""
        if value and not WHOLE_NUMBER.fullmatch(value):
            raise ValidationError("must be a whole number")
        return super().to_python(value)


class FloatFormField(forms.FloatField):
    """A number; the form field refuses infinity and NaN."""


class DecimalFormField(forms.DecimalField):
    """A number of as many digits as its column keeps."""


class InstantFormField(forms.Field):
    """ISO 8601: an instant, or a day, which stands for its first instant in UTC."""

    def to_python(self, value: Any) -> datetime:
        """The instant in `value`, in UTC. Raises ValidationError."""
        try:
            return _parse_instant(value.strip()).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError("must be a date or a time in ISO 8601") from error


class DateFormField(forms.Field):
    """ISO 8601: a day."""

    def to_python(self, value: Any) -> date:
        """The day in `value`. Raises ValidationError."""
        try:
            return _parse_date(value.strip())
        except ValueError as error:
            raise ValidationError("must be a date in ISO 8601") from error


class TextFormField(forms.CharField):
    """A text, spaces at its ends included."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, max_length=LONGEST_TEXT, **options)


class FoldedTextFormField(TextFormField):
    """A text, folded as its column is."""

    def to_python(self, value: Any) -> str | None:
        """`value`, folded."""
        return FoldedField.fold(super().to_python(value))


class EmailKeyFormField(TextFormField):
    """An e-mail address or a part of one, as the key that its column keeps."""

    def to_python(self, value: Any) -> str | None:
        """The key of `value`."""
        return email_key(super().to_python(value))


def _parse_instant(text: str) -> datetime:
    moment = parse_datetime(text.upper())  # RFC 3339 takes t and z, too (section 5.6)
    if moment is None:
        day = _parse_date(text)
        moment = datetime(day.year, day.month, day.day)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parse_date(text: str) -> date:
    day = parse_date(text)
    if day is None:
        raise ValueError(text)
    return day
