"""CSV whose cells spreadsheets do not take for formulas."""

import csv
import io
import re

import orjson

SIGNS = (  # the four, and what NFKC makes one of them: full width, small, raised, lowered, double
    "=\uff1d\ufe66\u207c\u208c\u2a75\u2a76+\uff0b\ufe62\u207a\u208a\ufb29-\uff0d\ufe63@\uff20\ufe6b"
)
BLANKS = "\\s\0\u200b\u2060\ufeff"  # which a program may cut off before it looks
FORMULA = re.compile(f"'*(?:[\t\r\n]|[{BLANKS}]*[{re.escape(SIGNS)}])")


def defused(text):
    """`text` with an apostrophe before it where a spreadsheet would calculate it.

    As it would a text that begins with one of the signs, in any width and after any white
    space, or with a tab or the end of a line (OWASP, CSV Injection). Where an apostrophe
    stands before these already it gets one, too, so that `plain` gives back every text.
    """
    return f"'{text}" if FORMULA.match(text) else text


def plain(cell):
    """The text that `defused` made `cell` of."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell, 1) else cell


def table(records, names, *, with_names=True):
    """The bytes of CSV with a line for each of `records`, dictionaries, and a column for each name.

    Lists and objects are written as JSON. `with_names` puts a line of names before them.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if with_names:
        writer.writerow(map(defused, names))
    for record in records:
        writer.writerow([_cell(record.get(name)) for name in names])
    return text.getvalue().encode()


def _cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    return defused(value if isinstance(value, str) else orjson.dumps(value).decode())
