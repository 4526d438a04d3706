"""What each kind of column holds, and how its values are written down outside the database.

The one table of it: the audit log, exports and imports read it, and the API's language adds its
own columns to it (resources/column_types.py). A new kind of column is a row in both.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import orjson
from django.db import models

from customers.db.fields import FoldedField, IdField, MetadataField, instant
from customers.models.emails import EmailKeyField

JsonValue = None | bool | int | float | str | list | dict
Cell = str | int | float | Decimal  # what csv.writer takes
INTEGER = re.compile(r"-?[0-9]{1,18}")
DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class UnknownColumnTypeError(LookupError):
    """A column is of a kind that the table has no row for; the message names both."""


def as_json_value(value: Any) -> Any:
    """`value`, which JSON and CSV take as it is."""
    return value


def write_date(value: date) -> str:
    """`value` as 2018-01-31."""
    return value.isoformat()


def write_decimal(value: Decimal) -> str:
    """All digits of `value`; a number of JSON would be read as a float."""
    return format(value, "f")


def write_boolean(value: bool) -> str:
    """`value` as JSON spells it."""
    return "true" if value else "false"


def write_json(value: list | dict) -> str:
    """`value` as JSON without spaces."""
    return orjson.dumps(value).decode()


def read_boolean(text: str) -> bool:
    """The boolean that `text` spells. Raises ValueError."""
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def read_integer(text: str) -> int:
    """The whole number that `text` spells. Raises ValueError."""
    if not INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def read_float(text: str) -> float:
    """The finite number that `text` spells. Raises ValueError."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def read_decimal(text: str) -> str:
    """`text`, which spells a decimal number. Raises ValueError."""
    if not DECIMAL.fullmatch(text):
        raise ValueError(text)
    return text


def to_decimal(text: str) -> Decimal:
    """The number that `text` spells: a spreadsheet is to calculate with it. Raises ValueError."""
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error


def read_json(text: str) -> list | dict:
    """The list or object that `text` holds. Raises ValueError."""
    value = orjson.loads(text)
    if not isinstance(value, list | dict):
        raise ValueError(text)
    return value


def is_choice(column: models.Field) -> bool:
    """Whether `column` has one of a few values."""
    return bool(column.choices)


def is_list(column: models.Field) -> bool:
    """Whether the JSON of `column` is a list: it begins as an empty one."""
    return column.default is list


@dataclass(frozen=True)
class ColumnType:
    """A kind of column: those of `column_class`, or those of them of which `fits` is true.

    `to_json` makes JSON's value of the column's, for the API, the audit log and exports.
    `to_cell` makes of JSON's value what a cell of CSV holds, and `from_cell` makes JSON's value of
    a cell's text; it raises ValueError for a text that is none. None is null, and an empty cell.
    """

    column_class: type[models.Field]
    to_json: Callable[[Any], JsonValue] = as_json_value
    to_cell: Callable[[Any], Cell] = as_json_value
    from_cell: Callable[[str], JsonValue] = as_json_value
    fits: Callable[[models.Field], bool] | None = None

    @property
    def is_converted(self) -> bool:
        """Whether JSON's value is another than the column's."""
        return self.to_json is not as_json_value

    def json_of(self, value: object) -> JsonValue:
        """`value` of such a column as JSON has it."""
        return None if value is None else self.to_json(value)

    def cell_of(self, value: JsonValue) -> Cell:
        """JSON's `value` of such a column as a cell of CSV."""
        return "" if value is None else self.to_cell(value)

    def value_in(self, text: str) -> JsonValue:
        """JSON's value in a cell with this text. Raises ValueError."""
        return None if text == "" else self.from_cell(text)


COLUMN_TYPES = {  # the first that fits counts
    "choice": ColumnType(models.CharField, fits=is_choice),
    "email key": ColumnType(EmailKeyField),
    "folded text": ColumnType(FoldedField),
    "id": ColumnType(IdField),
    "text": ColumnType(models.CharField),
    "long text": ColumnType(models.TextField),
    "big integer": ColumnType(models.BigIntegerField, from_cell=read_integer),
    "integer": ColumnType(models.IntegerField, from_cell=read_integer),
    "boolean": ColumnType(models.BooleanField, to_cell=write_boolean, from_cell=read_boolean),
    "float": ColumnType(models.FloatField, from_cell=read_float),
    "decimal": ColumnType(models.DecimalField, write_decimal, to_decimal, read_decimal),
    "instant": ColumnType(models.DateTimeField, instant),
    "date": ColumnType(models.DateField, write_date),
    "metadata": ColumnType(MetadataField, to_cell=write_json, from_cell=read_json),
    "list": ColumnType(models.JSONField, to_cell=write_json, from_cell=read_json, fits=is_list),
    "object": ColumnType(models.JSONField, to_cell=write_json, from_cell=read_json),
    "foreign key": ColumnType(models.ForeignKey),
}


@cache
def column_kind(column: models.Field) -> str:
    """The name of the row of `column` in the table. Raises UnknownColumnTypeError."""
    for kind, row in COLUMN_TYPES.items():
        if isinstance(column, row.column_class) and (row.fits is None or row.fits(column)):
            return kind
    raise UnknownColumnTypeError(f"{column} is a {type(column).__name__}: add a row for it")


def column_type_of(column: models.Field) -> ColumnType:
    """The row of `column` in the table. Raises UnknownColumnTypeError."""
    return COLUMN_TYPES[column_kind(column)]
