"""How large what a client gives may be: every door asks here."""

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError


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


def check_size(value: object) -> None:
    """As `check_text` or `check_json`, whichever `value` is; others have a size of their own."""
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict | list):
        check_json(value)


def _count_keys(value):
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
