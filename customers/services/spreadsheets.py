"""CSV whose cells spreadsheets do not take for formulas."""

import csv
import io

import orjson

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def defused(text):
    """`text` with an apostrophe before it where a spreadsheet would calculate it."""
    return f"'{text}" if text.startswith(FORMULA) else text


def plain(cell):
    """The text that `defused` made `cell` of."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def table(records, names, *, with_names=True):
    """The bytes of CSV with a line for each of `records`, dictionaries, and a column for each name.

    Lists and objects are written as JSON. `with_names` puts a line of names before them.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if with_names:
        writer.writerow(names)
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
