"""Files of customers that staff bring: which column is what, and what is wrong in them."""

import csv
import io
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from customers.jobs import imports
from customers.models import Import, Upload
from customers.services import spreadsheets
from customers.services.imports import UnreadableInputError, read

COLUMNS = {  # what a column may be; a password is nobody's to bring but the customer's
    "email": "E-mail",
    "reference": "Reference",
    "reference_origin": "Reference origin",
    "customer_group_id": "Customer group's id",
    "_add_tags": "Tags to add (a,b)",
    "_remove_tags": "Tags to remove (a,b)",
    "shopper_reference": "Shopper reference",
    "profile_id": "Profile id",
    "tax_exemption_code": "Tax exemption code",
}
KNOWN_AS = {"e-mail": "email", "mail": "email", "tags": "_add_tags", "group": "customer_group_id"}
KEPT_FOR = timedelta(hours=1)


def keep(content, *, mode, user):
    """Keep `content`, the bytes of a CSV file, for `user`; return the Upload.

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


def columns_of(upload):
    """The names in the first line of an upload."""
    return next(csv.reader(io.StringIO(upload.text, newline="")))


def rows_of(upload, meaning):
    """The rows of an upload as an import takes them, by their numbers in a spreadsheet.

    `meaning` maps columns to attributes; cells of others are left out, and so are empty rows.
    """
    lines = csv.reader(io.StringIO(upload.text, newline=""))
    names = next(lines)
    found = {}
    for number, cells in enumerate(lines, start=2):
        if any(cells):
            pairs = zip(names, cells, strict=False)
            named = [(meaning.get(name), spreadsheets.plain(cell)) for name, cell in pairs if cell]
            found[number] = {name: cell for name, cell in named if name}
    return found


def guess(columns):
    """What each of `columns` is by its name: attributes, each once, by column."""
    found = {}
    for column in columns:
        name = column.strip().lower().replace(" ", "_")
        name = KNOWN_AS.get(name, name)
        if name in COLUMNS and name not in found.values():
            found[column] = name
    return found


def begin(upload, meaning, *, actor):
    """Begin the import of an upload, which is gone with it; return the Import.

    Rows in which something is wrong are left out. Raises UnreadableInputError and TooManyJobsError,
    and Upload.DoesNotExist when it has been begun already.
    """
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload.pk)
        found = rows_of(upload, meaning)  # without those who have been forgotten meanwhile
        upload.delete()
        return imports.begin(
            "customers",
            list(found.values()),
            mode=upload.mode,
            actor=actor,
            skip_errors=True,
            numbers=list(found),
        )


def delete_expired(now):
    """Delete what nobody went on with."""
    Upload.objects.filter(created_at__lt=now - KEPT_FOR).delete()
