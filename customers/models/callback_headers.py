"""Headers of its own that a receiver of webhooks asks for, such as Authorization."""

import re
from typing import Any

from django.core.exceptions import ValidationError

MOST_HEADERS = 20
MOST_CHARACTERS = 4096  # of one value
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,255}")  # RFC 9110 section 5.6.2
VALUE = re.compile(r"[!-~](?:[\t -~]*[!-~])?")
OURS = {  # what we say ourselves, and what is about the message and its connection
    *("content-type", "user-agent", "x-commercelayer-topic", "x-commercelayer-signature"),
    *("webhook-id", "webhook-timestamp", "webhook-signature"),
    *("host", "content-length", "content-encoding", "transfer-encoding", "expect"),
    *("connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"),
}


def validate_callback_headers(value: Any) -> None:
    """Raise ValidationError unless `value` maps names of headers to their values.

    What it says quotes no value, nor a name that is none, which may be a secret in its wrong place.
    """
    if not isinstance(value, dict):
        raise ValidationError("must be an object", "invalid")
    if len(value) > MOST_HEADERS:
        raise ValidationError(f"has too many headers (maximum is {MOST_HEADERS})", "too_many")
    if len({name.lower() for name in value}) < len(value):
        raise ValidationError("names a header twice", "invalid")
    for name, text in value.items():
        _validate(name, text)


def _validate(name, text):
    if not NAME.fullmatch(name):
        raise ValidationError("has a name that no header can have", "invalid")
    if name.lower() in OURS:
        raise ValidationError(f"cannot set {name}, which is not the receiver's", "invalid")
    if not isinstance(text, str) or not VALUE.fullmatch(text) or len(text) > MOST_CHARACTERS:
        most = f"1 to {MOST_CHARACTERS} visible ASCII characters, with spaces between"
        raise ValidationError(f"must have as {name} {most}", "invalid")
