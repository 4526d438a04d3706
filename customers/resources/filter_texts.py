"""The text of a filter's value: lists with commas between, and what JSON has instead of a text."""

import re
from collections.abc import Iterable
from typing import Any

import orjson
from django.core.exceptions import ValidationError

from customers.resources import errors

QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"(?=,|\Z)')


class ListText(str):
    """The text that filter_text makes of a list, which is no single value."""


def split_list(text: str) -> list[str]:
    """The values between the commas of `text`; quotes around one hold commas (RFC 4180).

    A quote within those is doubled, and elsewhere means itself. Raises ValidationError.
    """
    values, place = [], 0
    while place <= len(text):
        quoted, end = QUOTED.match(text, place), text.find(",", place) % (len(text) + 1)
        if quoted:
            end = quoted.end()
        elif text.startswith('"', place):
            raise ValidationError('a value that begins with a quote ends with one: "a, b",c.')
        values.append(quoted[1].replace('""', '"') if quoted else text[place:end])
        place = end + 1
    return values


def join_list(values: Iterable[str]) -> str:
    """The text that split_list makes `values` of again."""
    return ",".join(
        '"{}"'.format(value.replace('"', '""')) if "," in value or value[:1] == '"' else value
        for value in values
    )


def filter_text(value: Any) -> str:
    """A filter's value of JSON as a query string has it: true, a,b or JSON. Raises ApiError."""
    if value is None:
        raise errors.ApiError("null is not a value to filter by; use _null or _or_null")
    if isinstance(value, list | tuple):
        if any(isinstance(one, list | tuple | dict) for one in value):
            raise errors.ApiError("A list to filter by must hold neither lists nor objects.")
        return ListText(join_list(map(filter_text, value)))
    return value if isinstance(value, str) else orjson.dumps(value).decode()
