"""Files of customers that staff bring: which column is what, and what is wrong in them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.text import capfirst

from customers.db.declarations import declared
from customers.jobs import imports
from customers.jobs.import_inputs import METADATA
from customers.models import Customer, Import, Resource, Upload
from customers.services.actors import Actor
from customers.services.csv_files import UnreadableInputError, decode, read_table, write_table
from customers.services.import_cells import cell_values, spelled
from customers.services.imports import Rows, cells_of, check_import_size

KEPT_FOR = timedelta(hours=1)


def store_upload(content: bytes, *, mode: str, user: User) -> tuple[Upload, str]:
    """Store `content`, the bytes of a CSV file, for `user`; the Upload, and how it was read.

    Raises UnreadableInputError, with a message that says where and why.
    """
    if len(content) > settings.MAX_UPLOAD_BYTES:
        raise UnreadableInputError(f"has more than {settings.MAX_UPLOAD_BYTES} bytes")
    text, encoding = decode(content)
    table = read_table(text)
    records = [*table.records]
    check_import_size(len(records))
    text = write_table(replace(table, records=iter(records)))
    return Upload.objects.create(mode=mode, user=user, text=text), encoding


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


def columns_of(upload: Upload) -> dict[int, str]:
    """What the columns of an upload are called that have a name, by their places."""
    return {at: name for at, name in enumerate(_table(upload.text).names) if name}


def cells_in(upload: Upload, column_mapping: Mapping[int, str]) -> dict[int, dict[str, str]]:
    """The texts in the rows of an upload, by their numbers in a spreadsheet.

    `column_mapping` maps places of columns to attributes; other cells are left out.
    """
    records = _table(upload.text).records
    return {record.row: cells_of(record, column_mapping) for record in records}


def _table(text):
    return read_table(text, ",")


def choices_for(column: str) -> dict[str, str]:
    """As `attributes`, for a column of this name: metadata.size may be that member of metadata."""
    outer, dot, member = spelled(column).partition(".")
    own = {f"{outer}.{member}": f"Metadata: {member}"} if dot and outer == METADATA else {}
    return {**attributes(), **own}


def guess_mapping(columns: Mapping[int, str]) -> dict[int, str]:
    """What each of `columns` is by its name: attributes, each once, by place."""
    found: dict[int, str] = {}
    for at, column in columns.items():
        name = spelled(column)
        if name in choices_for(name) and name not in found.values():
            found[at] = name
    return found


def values_in(rows: Iterable[Mapping[str, str]]) -> Rows:
    """What is written of `rows` of texts, as an import takes it."""
    return [cell_values(row, "customers") for row in rows]


def begin_upload_import(
    upload: Upload, column_mapping: Mapping[int, str], *, actor: Actor | None
) -> Import:
    """Begin the import of an upload, which is gone with it; return the Import.

    Rows in which something is wrong are left out. Raises UnreadableInputError and TooManyJobsError,
    and Upload.DoesNotExist when it has been begun already.
    """
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload.pk)
        found = cells_in(upload, column_mapping)  # without those who have been forgotten meanwhile
        upload.delete()
        return imports.begin_import(
            "customers",
            values_in(found.values()),
            mode=upload.mode,
            actor=actor,
            skip_errors=True,
            numbers=list(found),
        )


def delete_expired_uploads(now: datetime) -> None:
    """Delete what nobody went on with."""
    Upload.objects.filter(created_at__lt=now - KEPT_FOR).delete()
