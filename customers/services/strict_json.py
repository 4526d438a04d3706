"""Strict JSON (RFC 8259): what cannot be stored and returned unchanged is refused."""

import itertools
import json
from typing import Any

from django.conf import settings

INT64 = range(-(2**63), 2**63)
LONGEST_NUMBER = 64


class InvalidJsonError(Exception):
    """A text is no JSON, or none that can be stored; `about` says so in a sentence."""

    def __init__(self, wrong: str, subject: str | None = None) -> None:
        super().__init__(wrong)
        self.subject = subject  # where it is not the whole text

    def about(self, name: str) -> str:
        """What is wrong, in a sentence about a text that is called `name`."""
        return f"{self.subject or name} {self}."


def read_strict_json(content: bytes) -> Any:
    """The value that `content`, bytes, holds as JSON.

    Raises InvalidJsonError for what is not JSON and for what cannot be stored and returned
    unchanged: a name given twice, a number beyond 64 bits, NUL, a lone surrogate, and more than
    settings.MAX_JSON_DEPTH levels.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise InvalidJsonError("is not UTF-8 text") from error
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        place = f"at line {error.lineno}, column {error.colno}"
        raise InvalidJsonError(f"is not JSON: {error.msg} {place}") from error
    _check(value, escapes="\\u" in text)
    return value


def is_equal(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON: 1 is 1.0, as programs write either, and is not true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_equal(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_equal, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _object(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        seen = set()
        for name, _ in pairs:
            if name in seen:
                raise InvalidJsonError(f"names {name[:100]!r} twice in one object")
            seen.add(name)
    return found


def _integer(digits):
    if len(digits) > LONGEST_NUMBER or int(digits) not in INT64:
        raise _too_large(digits)
    return int(digits)


def _float(digits):
    if len(digits) > LONGEST_NUMBER or abs(float(digits)) == float("inf"):
        raise _too_large(digits)
    return float(digits) + 0.0  # -0.0 is 0.0, as which PostgreSQL keeps it


def _constant(name):
    raise InvalidJsonError(f"is not JSON: {name} is not a JSON number")


def _too_large(digits):
    return InvalidJsonError("does not fit 64 bits", f"The number {digits[:LONGEST_NUMBER]}")


def _too_deep():
    return InvalidJsonError(f"is nested deeper than {settings.MAX_JSON_DEPTH} levels")


def _check(value, escapes):
    """Refuse what is nested too deep and, where `escapes` could have made them, bad characters."""
    level, depth = [value], 0
    while level:
        if escapes:
            _check_characters(level)
        depth += 1
        if depth > settings.MAX_JSON_DEPTH:
            raise _too_deep()
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (
                itertools.chain(outer, outer.values()) if isinstance(outer, dict) else outer
            )
        ]


def _check_characters(values):
    text = "".join(value for value in values if isinstance(value, str))
    if "\0" in text:
        raise InvalidJsonError("holds the character NUL, which cannot be kept")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidJsonError("holds half of a surrogate pair") from error
