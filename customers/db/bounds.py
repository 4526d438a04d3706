"""How large what a client gives may be, and how much is loaded for one document.

Why not Django's: `max_length` is a column's, and bounds neither JSON nor what a page loads of long
texts. Nothing is saved by it but memory: a worker stays within 400 MiB whatever one customer asks
for (`manage.py test -m measured -k crowds`). Taken out, it does not.
"""

from collections.abc import Sequence

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models


def check_text(text: str) -> None:
    """Raise ValidationError when `text` has more than settings.MAX_TEXT characters."""
    if len(text) > settings.MAX_TEXT:
        message = f"is too long (maximum is {settings.MAX_TEXT} characters)"
        raise ValidationError(message, code="max_length")


def check_json(value: dict | list) -> None:
    """Raise ValidationError when the JSON `value` has too many bytes or too many keys.

    The bytes are those of JSON without spaces in UTF-8 (RFC 8259), the keys those of all
    objects in it: settings.MAX_METADATA_BYTES and settings.MAX_METADATA_KEYS.
    """
    if len(orjson.dumps(value)) > settings.MAX_METADATA_BYTES:
        message = f"is too large (maximum is {settings.MAX_METADATA_BYTES} bytes of JSON)"
        raise ValidationError(message, code="max_length")
    if _count_keys(value) > settings.MAX_METADATA_KEYS:
        message = f"has too many keys (maximum is {settings.MAX_METADATA_KEYS})"
        raise ValidationError(message, code="too_many")


def check_value_size(value: object) -> None:
    """As `check_text` or `check_json`, whichever `value` is; others have a size of their own."""
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict | list):
        check_json(value)


class TooManyBytesError(Exception):
    """More was found than a ByteBudget has left."""


class ByteBudget:
    """How many bytes of long texts and JSON may still be loaded for one document."""

    def __init__(self, most: int):
        self.left = most

    def spend(self, rows: list[tuple], places: Sequence[int]) -> None:
        """Take what the texts at `places` of `rows` have, as UTF-8. Raises TooManyBytesError."""
        for row in rows:
            for place in places:
                value = row[place]
                if value.__class__ is str:
                    self.left -= len(value) if value.isascii() else len(value.encode())
        self.check()

    def check(self) -> None:
        """Raise TooManyBytesError when nothing is left."""
        if self.left < 0:
            raise TooManyBytesError


def is_long(field: models.Field) -> bool:
    """Whether a value of the column `field` may fill pages."""
    return isinstance(field, models.TextField | models.JSONField)


def without_long_relatives(rows: models.QuerySet) -> models.QuerySet:
    """`rows` without the long columns of what they are selected with: those are not shown.

    A customer's metadata would come with each of its orders.
    """
    related = rows.query.select_related
    return rows.defer(
        *(
            f"{key}__{field.name}"
            for key in (related if isinstance(related, dict) else ())
            for field in rows.model._meta.get_field(key).related_model._meta.concrete_fields
            if is_long(field)
        )
    )


def _count_keys(value: dict | list) -> int:
    count, level = 0, [value]
    while level:
        count += sum(len(one) for one in level if isinstance(one, dict))
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
    return count
