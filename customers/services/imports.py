"""What an import is given: which types, read from JSON or CSV, and kept until it is done."""

import csv
import hashlib
import io
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from customers.models import Import, ImportInputs
from customers.services import spreadsheets
from customers.services.transactions import advisory_lock

TYPES = [
    "addresses",
    "customer_addresses",
    "customer_payment_sources",
    "customer_subscriptions",
    "customers",
    "orders",
    "sku_list_items",
    "sku_lists",
    "tags",
]
MOST_OPEN = 10  # imports of one mode at once
SECRET = "password"  # noqa: S105 the one input that is encrypted while it waits

Rows = list[dict[str, Any]]


class UnreadableInputError(Exception):
    """The inputs cannot be read; the message says where and why."""


class TooManyJobsError(Exception):
    """As many imports as may be are under way."""

    def __str__(self) -> str:
        return f"has {MOST_OPEN} jobs under way; wait until one is done"


def read(given: object, format: str) -> Rows:
    """The list of objects that `given`, such a list or a text of CSV, holds.

    Raises UnreadableInputError.
    """
    rows = _read_csv(given) if format == Import.Format.CSV else given
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnreadableInputError("must be a list of objects")
    if not 1 <= len(rows) <= settings.MAX_IMPORT_INPUTS:
        raise UnreadableInputError(f"must be 1 to {settings.MAX_IMPORT_INPUTS}")
    return rows


def _read_csv(text: object) -> Rows:
    if not isinstance(text, str):
        raise UnreadableInputError("must be a text of CSV")
    if "\0" in text:
        raise UnreadableInputError("holds the character NUL, which cannot be kept")
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        names = [spreadsheets.plain(name) for name in next(lines, [])]
        if len(set(names)) < len(names) or "" in names:
            raise UnreadableInputError("must begin with a line of names, each once")
        rows = []
        for cells in lines:
            if len(cells) > len(names):
                raise UnreadableInputError(f"has too many cells in line {lines.line_num}")
            pairs = zip(names, cells, strict=False)
            row = {name: spreadsheets.plain(cell) for name, cell in pairs if cell != ""}
            if row:
                rows.append(row)
    except csv.Error as error:
        raise UnreadableInputError(f"is no CSV in line {lines.line_num}: {error}") from error
    return rows


def validate_inputs(values: dict[str, Any], *, mode: str) -> Rows:
    """The rows of the new import that `values` describe, if one may be begun in `mode`.

    Raises ValidationError by member.
    """
    try:
        rows = read(values["inputs"], values.get("format", Import.Format.JSON))
        check_open(mode)
    except UnreadableInputError as error:
        raise ValidationError({"inputs": ValidationError(str(error), "invalid")}) from error
    except TooManyJobsError as error:
        raise ValidationError({"resource_type": ValidationError(str(error), "too_many")}) from error
    return rows


def check_open(mode: str) -> None:
    """Raise TooManyJobsError when no other import may be begun in `mode`, in this transaction."""
    advisory_lock(f"imports of {mode}")
    if Import.objects.in_mode(mode).filter(status__in=Import.OPEN).count() >= MOST_OPEN:
        raise TooManyJobsError


def store(job: Import, rows: Rows, numbers: list[int] | None = None) -> None:
    """Keep `rows`, of `read`, for the new `job`; `numbers` are theirs, without them 1, 2, 3 …"""
    for row in rows:
        if isinstance(row.get(SECRET), str):
            row[SECRET] = _sealed(row[SECRET])
    ImportInputs.objects.create(job=job, rows=rows, numbers=numbers)


@cache
def _key() -> OctKey:
    return OctKey.import_key(hashlib.sha256(f"imports\0{settings.SECRET_KEY}".encode()).digest())


def _sealed(text: str) -> str:
    """`text` encrypted (RFC 7516), for the time that it waits in the database."""
    return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, text, _key())


def opened(sealed: str) -> str:
    """The text that `store` sealed. Raises UnreadableInputError."""
    try:
        return (jwe.decrypt_compact(sealed, _key()).plaintext or b"").decode()
    except JoseError as error:
        raise UnreadableInputError("cannot be read since the SECRET_KEY was changed") from error
