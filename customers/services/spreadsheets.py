"""CSV whose cells spreadsheets do not take for formulas."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from customers.models import ColumnType

SIGNS = (  # the four, and what NFKC makes one of them: full width, small, raised, lowered, double
    "=\uff1d\ufe66\u207c\u208c\u2a75\u2a76+\uff0b\ufe62\u207a\u208a\ufb29-\uff0d\ufe63@\uff20\ufe6b"
)
BLANKS = "\\s\0\u200b\u2060\ufeff"  # which a program may cut off before it looks
FORMULA = re.compile(f"'*(?:[\t\r\n]|[{BLANKS}]*[{re.escape(SIGNS)}])")
NUMBER = re.compile(r"'*[0-9][0-9\s.,:/-]*%?\Z")  # before which a spreadsheet's mark may stand
MARK = codecs.BOM_UTF8  # by which a spreadsheet knows a file to be in UTF-8


def defused(text: str) -> str:
    """`text` with an apostrophe before it where a spreadsheet would calculate it.

    As it would a text that begins with one of the signs, in any width and after any white
    space, or with a tab or the end of a line (OWASP, CSV Injection). Where an apostrophe
    stands before these already, or before a number, it gets one, too, so that `plain` gives back
    every text.
    """
    return f"'{text}" if FORMULA.match(text) or _is_marked_number(text) else text


def plain(cell: str) -> str:
    """The text that `defused` made `cell` of, or that a spreadsheet has marked as text."""
    return cell[1:] if _is_marked_number(cell) or _is_marked_formula(cell) else cell


def text_in(cell: str) -> str:
    """The text that a `cell` of a file holds: without spaces around it, and without a mark."""
    return plain(cell.strip())


def _is_marked_formula(cell):
    return cell.startswith("'") and FORMULA.match(cell, 1)


def _is_marked_number(cell):
    return cell.startswith("'") and NUMBER.match(cell, 1)


def table(
    records: Iterable[Mapping[str, Any]],
    names: Sequence[str],
    *,
    column_types: Mapping[str, ColumnType] | None = None,
    with_names: bool = True,
) -> bytes:
    """The bytes of CSV with a line for each of `records`, dictionaries, and a column for each name.

    Values are written as their `column_types` by name say, others by what they are in JSON.
    `with_names` puts a line of names before them.
    """
    kinds = column_types or {}
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if with_names:
        writer.writerow(map(defused, names))
    for record in records:
        writer.writerow([as_cell(record.get(name), kinds.get(name)) for name in names])
    return text.getvalue().encode()


def as_cell(value: Any, column_type: ColumnType | None = None) -> Any:
    """What a file holds of `value`, of a `column_type` or, without one, by what it is in JSON."""
    found = column_type.cell_of(value) if column_type else _cell_of_json(value)
    return defused(found) if isinstance(found, str) else found


def _cell_of_json(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str | int | float) else orjson.dumps(value).decode()
