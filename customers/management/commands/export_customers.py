import argparse
import gzip
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from customers.jobs import exports
from customers.management.base import OperatorCommand
from customers.models import Export, Mode
from customers.resources import operations
from customers.resources.export_checks import TYPES, ExportRefusedError
from customers.services import principals

PAUSE = 0.2  # seconds


def filters_of(text: str) -> dict[str, Any]:
    """The filters that `text` spells in JSON. Raises ArgumentTypeError."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError('write a JSON object, as in {"email_end": "@example.com"}')
    return found


class Command(OperatorCommand):
    help = (
        "Write customers, or the rows of another type with --type, to a file of CSV or JSON. "
        '--filters takes those of filter[q] as JSON, such as \'{"email_end": "@example.com"}\'.'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="ends in .csv or .json")
        parser.add_argument("--mode", choices=Mode.values, default="test")
        parser.add_argument("--type", choices=TYPES, default="customers", dest="kind")
        parser.add_argument("--filters", type=filters_of, default={}, metavar="JSON")

    def handle(
        self, *, file: str, mode: str, kind: str, filters: dict[str, Any], **options: Any
    ) -> None:
        path = Path(file)
        format = path.suffix.removeprefix(".").lower()
        if format not in Export.Format.values:
            raise CommandError("The file's name must end in .csv or .json.")
        try:
            if path.is_dir():
                raise CommandError(f"{path} is a folder; name a file.")
            with TemporaryDirectory(dir=path.parent) as folder:  # what is there stays until the end
                draft = Path(folder) / path.name
                job = self.export(kind, mode, format, filters)
                with draft.open("wb") as out:
                    for part in exports.export_content(job):
                        out.write(gzip.decompress(part))
                draft.replace(path)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{job.processed_count} rows are in {path}.")

    def export(self, kind: str, mode: str, format: str, filters: dict[str, Any]) -> Export:
        """The finished export. Raises CommandError where there is none."""
        try:
            actor = principals.operator(mode).actor
            job = exports.begin_export(kind, mode=mode, actor=actor, format=format, filters=filters)
        except operations.WriteRefusedError as error:
            reasons = "; ".join(text.rstrip(".") for _, text in error.errors)
            raise CommandError(f"The filters are refused: {reasons}.") from error
        except ExportRefusedError as error:
            raise CommandError(f"The export {error}.") from error
        jobs = Export.objects.filter(pk=job.pk)
        with tqdm(total=job.records_count, unit=" rows", disable=None) as bar:
            while job.status in Export.OPEN:
                if not exports.do_export_part(jobs):
                    time.sleep(PAUSE)  # the worker is at it, or a part that failed is put off
                job.refresh_from_db()
                bar.update(job.processed_count - bar.n)
        if job.status != Export.Status.COMPLETED:
            raise CommandError(f"The export was {job.status}; nothing was written.")
        return job
