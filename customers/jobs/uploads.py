"""Files of customers that staff bring: which column is what, and what is wrong in them."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.text import capfirst

from customers.db.declarations import declared
from customers.jobs import imports
from customers.models import Customer, Import, Resource, Upload
from customers.services import spreadsheets
from customers.services.actors import Actor
from customers.services.imports import UnreadableInputError, read

KNOWN_AS = {"e-mail": "email", "mail": "email", "tags": "_add_tags", "group": "customer_group_id"}
KEPT_FOR = timedelta(hours=1)


def store(content: bytes, *, mode: str, user: User) -> Upload:
    """Store `content`, the bytes of a CSV file, for `user`; return the Upload.

    Raises UnreadableInputError, with a message that says where and why.
    """
    if len(content) > settings.MAX_UPLOAD_BYTES:
        raise UnreadableInputError(f"has more than {settings.MAX_UPLOAD_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableInputError(f"is not in UTF-8 in line {line}") from error
    read(text, Import.Format.CSV)
    return Upload.objects.create(mode=mode, user=user, text=text)


@cache
def attributes() -> dict[str, str]:
    """What a column may be: attributes of customers, and what they are called.

    A password is nobody's to bring but the customer's.
    """
    common: list[tuple[str, str]] = []
    own: list[tuple[str, str]] = []
    for field, said in declared(Customer).values():
        if said.imported or (said.imported is None and field.editable and not field.many_to_many):
            label = capfirst(field.verbose_name) + ("'s id" if field.is_relation else "")
            inherited = field.name in {one.name for one in Resource._meta.fields}
            (common if inherited else own).append((field.attname, label))
    tags = {"_add_tags": "Tags to add (a,b)", "_remove_tags": "Tags to remove (a,b)"}
    return {**dict(own), **dict(common), **tags}


def columns_of(upload: Upload) -> list[str]:
    """The names in the first line of an upload."""
    return next(csv.reader(io.StringIO(upload.text, newline="")))


def rows_of(upload: Upload, column_mapping: Mapping[str, str]) -> dict[int, dict[str, str]]:
    """The rows of an upload as an import takes them, by their numbers in a spreadsheet.

    `column_mapping` maps columns to attributes; other cells are left out, and so are empty rows.
    """
    lines = csv.reader(io.StringIO(upload.text, newline=""))
    names = next(lines)
    found = {}
    for number, cells in enumerate(lines, start=2):
        if any(cells):
            pairs = zip(names, cells, strict=False)
            named = [
                (column_mapping.get(name), spreadsheets.plain(cell)) for name, cell in pairs if cell
            ]
            found[number] = {name: cell for name, cell in named if name}
    return found


def guess_mapping(columns: Iterable[str]) -> dict[str, str]:
    """What each of `columns` is by its name: attributes, each once, by column."""
    found: dict[str, str] = {}
    for column in columns:
        name = column.strip().lower().replace(" ", "_")
        name = KNOWN_AS.get(name, name)
        if name in attributes() and name not in found.values():
            found[column] = name
    return found


def begin(upload: Upload, column_mapping: Mapping[str, str], *, actor: Actor | None) -> Import:
    """Begin the import of an upload, which is gone with it; return the Import.

    Rows in which something is wrong are left out. Raises UnreadableInputError and TooManyJobsError,
    and Upload.DoesNotExist when it has been begun already.
    """
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload.pk)
        found = rows_of(upload, column_mapping)  # without those who have been forgotten meanwhile
        upload.delete()
        return imports.begin(
            "customers",
            list(found.values()),
            mode=upload.mode,
            actor=actor,
            skip_errors=True,
            numbers=list(found),
        )


def delete_expired(now: datetime) -> None:
    """Delete what nobody went on with."""
    Upload.objects.filter(created_at__lt=now - KEPT_FOR).delete()
