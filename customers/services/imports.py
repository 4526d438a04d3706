"""What an import is given: which types, read from JSON or CSV, and kept until it is done."""

import hashlib
from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from customers.models import Import, ImportInputs, models_by_type
from customers.services import import_cells, spreadsheets
from customers.services.csv_files import Record, UnreadableInputError, read_table
from customers.services.transactions import advisory_lock

TYPES = sorted(name for name, model in models_by_type().items() if model.importable)
MOST_OPEN = 10  # imports of one mode at once
SECRET = "password"  # noqa: S105 the one input that is encrypted while it waits

Rows = list[dict[str, Any]]


class TooManyJobsError(Exception):
    """As many imports as may be are under way."""

    def __str__(self) -> str:
        return f"has {MOST_OPEN} jobs under way; wait until one is done"


def read_inputs(given: object, format: str, resource_type: str) -> Rows:
    """The list of objects that `given`, such a list or a text of CSV, holds of a type.

    Raises UnreadableInputError.
    """
    rows = _read_csv(given, resource_type) if format == Import.Format.CSV else given
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnreadableInputError("must be a list of objects")
    check_import_size(len(rows))
    return rows


def check_import_size(count: int) -> None:
    """Raise UnreadableInputError unless an import may have `count` inputs."""
    if not 1 <= count <= settings.MAX_IMPORT_INPUTS:
        raise UnreadableInputError(f"must be 1 to {settings.MAX_IMPORT_INPUTS}")


def _read_csv(text, resource_type):
    if not isinstance(text, str):
        raise UnreadableInputError("must be a text of CSV")
    table = read_table(text)
    names = _names_of(table, resource_type)
    records = islice(table.records, settings.MAX_IMPORT_INPUTS + 1)
    return [import_cells.cell_values(cells_of(record, names), resource_type) for record in records]


def _names_of(table, resource_type):
    """What each column is, by its place. Raises UnreadableInputError where two are one."""
    names: dict[int, str] = {}
    for at, column in enumerate(table.names):
        name = import_cells.meant_name(column, resource_type)
        if name in names.values():
            first = next(place for place, other in names.items() if other == name)
            raise UnreadableInputError(
                f"must begin with a line of names, each once: {name} is columns {first + 1} "
                f"and {at + 1}"
            )
        if name:
            names[at] = name
    return names


def cells_of(record: Record, names: Mapping[int, str]) -> dict[str, str]:
    """What the cells of `record` hold that are not empty, by the `names` of their places."""
    cells = {name: record.cells[at] for at, name in names.items() if at < len(record.cells)}
    texts = {
        name: cell if name == SECRET else spreadsheets.text_in(cell) for name, cell in cells.items()
    }
    return {name: text for name, text in texts.items() if text}


def validate_inputs(values: dict[str, Any], *, mode: str) -> Rows:
    """The rows of the new import that `values` describe, if one may be begun in `mode`.

    Raises ValidationError by member.
    """
    try:
        format = values.get("format", Import.Format.JSON)
        kind = values.get("resource_type", TYPES[0])  # one that is none is refused anyway
        rows = read_inputs(values["inputs"], format, kind)
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


def store_inputs(job: Import, rows: Rows, numbers: list[int] | None = None) -> None:
    """Keep `rows`, of `read_inputs`, for the new `job`; `numbers` are theirs, else 1, 2, 3 …"""
    for row in rows:
        if isinstance(row.get(SECRET), str):
            row[SECRET] = _sealed(row[SECRET])
    ImportInputs.objects.create(job=job, rows=rows, numbers=numbers)


def looks_secret(name: str) -> bool:
    """Whether an input with this `name`, which clients choose, is left out of what is shown."""
    return any(secret in name for secret in ("password", "token", "secret"))


@cache
def _key() -> OctKey:
    return OctKey.import_key(hashlib.sha256(f"imports\0{settings.SECRET_KEY}".encode()).digest())


def _sealed(text: str) -> str:
    """`text` encrypted (RFC 7516), for the time that it waits in the database."""
    return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, text, _key())


def opened(sealed: str) -> str:
    """The text that `store_inputs` sealed. Raises UnreadableInputError."""
    try:
        return (jwe.decrypt_compact(sealed, _key()).plaintext or b"").decode()
    except JoseError as error:
        raise UnreadableInputError("cannot be read since the SECRET_KEY was changed") from error
