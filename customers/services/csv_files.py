"""Files of CSV as spreadsheets, shops and other programs write them."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

from django.contrib.humanize.templatetags.humanize import apnumber

from customers.services import spreadsheets

UTF_8 = "UTF-8"
MARKS = {
    codecs.BOM_UTF8: (UTF_8, "utf-8-sig"),
    codecs.BOM_UTF16_LE: ("UTF-16", "utf-16"),
    codecs.BOM_UTF16_BE: ("UTF-16", "utf-16"),
}
OTHER = "Windows-1252"
ENCODINGS = {UTF_8, "UTF-16", OTHER}
# as browsers read it (WHATWG, Encoding): five bytes that mean nothing stand for themselves
WINDOWS_1252 = "".join(bytes([one]).decode("cp1252", "ignore") or chr(one) for one in range(256))

DELIMITERS = ",;\t|"  # of those that fit a file alike, the first
LOOKED_AT = 10  # lines in which the delimiter is looked for
SAID = re.compile(r'("?)sep=([^\w\s"]|\t)\1[ \t]*(\r\n?|\n|\Z)', re.IGNORECASE)
END_OF_LINE = re.compile(r"\r\n?|\n")


class UnreadableInputError(Exception):
    """The inputs cannot be read; the message says where and why."""


class Record(NamedTuple):
    """A line with cells: where it begins, its number in a spreadsheet, and the cells."""

    line: int
    row: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """The lines of a file: its `names`, "" over a column without one, and what is under them.

    `records` are read one by one, once; iterating raises UnreadableInputError. They have cells,
    and none that is not empty under no name.
    """

    head: Record | None
    names: list[str]
    records: Iterator[Record]


def decode(content: bytes) -> tuple[str, str]:
    """The text of a file with the bytes `content`, and the name of its encoding.

    By its mark UTF-8 or UTF-16, without one UTF-8 or else Windows-1252. Raises
    UnreadableInputError for what is not what its mark says.
    """
    for mark, (name, codec) in MARKS.items():
        if content.startswith(mark):
            try:
                return content.decode(codec), name
            except UnicodeDecodeError as error:
                line = _line_at(error.object[: error.start].decode(codec, "ignore"))
                told = f"begins as {name}, but is not in line {line}"
                raise UnreadableInputError(told) from error
    try:
        return content.decode(), UTF_8
    except UnicodeDecodeError:
        return codecs.charmap_decode(content, "strict", WINDOWS_1252)[0], OTHER


def read_table(text: str, delimiter: str | None = None) -> Table:
    """The table in `text`, whose cells are parted by `delimiter`, without it as the text says.

    The names are the first line with cells. Raises UnreadableInputError.
    """
    if "\0" in text:
        line = _line_at(text[: text.index("\0")])
        raise UnreadableInputError(f"holds the character NUL in line {line}, which cannot be kept")
    text, above = text.removeprefix("\ufeff"), 0
    if not delimiter:
        if said := SAID.match(text):
            text, delimiter, above = text[said.end() :], said[2], 1
        delimiter = delimiter or _delimiter_of(text)
    records = _records(text, delimiter, above)
    head = next(records, None)
    names = [spreadsheets.text_in(cell) for cell in head.cells] if head else []
    return Table(head, names, _under(head, records) if head else iter(()))


def write_table(table: Table) -> str:
    """`table` as text to be read with commas; its records keep their numbers in a spreadsheet."""
    text = io.StringIO(newline="")
    writer, row = csv.writer(text), 0
    for record in chain([table.head] if table.head else [], table.records):
        writer.writerows([[]] * (record.row - row - 1))
        writer.writerow(record.cells)
        row = record.row
    return text.getvalue()


def _delimiter_of(text):
    """What parts the cells: by which the next line has as many as the first, and that has most."""
    counts = {sign: _first_counts(text, sign) for sign in DELIMITERS}
    if max(first for first, *_ in counts.values()) == 1:  # a title, or the one name
        return max(DELIMITERS, key=lambda sign: max(counts[sign]))
    return max(DELIMITERS, key=lambda sign: _fit(*counts[sign][:2]))


def _fit(first, second=0):
    """How well a delimiter fits that makes so many cells of the first two lines, to compare."""
    return first == second > 1, first


def _first_counts(text, delimiter):
    """How many cells each of the first lines has that have any, at least one number."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [len(cells) for cells in islice(filter(None, lines), LOOKED_AT)] or [0]
    except csv.Error:
        return [0]


def _records(text, delimiter, above):
    """The lines that have cells, below as many lines as `above` says."""
    spaced = f'{delimiter} "' in text
    lines = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=spaced
    )
    ended = above
    try:
        for row, cells in enumerate(lines, start=1):
            if any(cell.strip() for cell in cells):
                yield Record(ended + 1, row, cells)
            ended = above + lines.line_num
    except csv.Error as error:
        line = above + lines.line_num
        raise UnreadableInputError(f"is no CSV in line {line}: {error}") from error


def _under(head, records):
    """`records`, of which none has a cell under no name of `head`."""
    named = _filled(head.cells)
    for record in records:
        if outside := _filled(record.cells) - named:
            raise _nameless(head, record, min(outside))
        yield record


def _nameless(head, record, at):
    count = len(_filled(record.cells))
    if len(_filled(head.cells)) == 1 < count:
        return UnreadableInputError(
            "has no names over its columns: the names must be in the first line; line "
            f"{head.line} has one cell, line {record.line} has {apnumber(count)}"
        )
    return UnreadableInputError(
        f"has a cell in line {record.line} in column {at + 1}, which has no name "
        f"in line {head.line}"
    )


def _filled(cells):
    return {at for at, cell in enumerate(cells) if cell.strip()}


def _line_at(text_before):
    return len(END_OF_LINE.findall(text_before)) + 1
