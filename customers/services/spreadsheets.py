"""Cells of CSV that spreadsheets must not take for formulas."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def defused(text):
    """`text` with an apostrophe before it where a spreadsheet would calculate it."""
    return f"'{text}" if text.startswith(FORMULA) else text


def plain(cell):
    """The text that `defused` made `cell` of."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell
