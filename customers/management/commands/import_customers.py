import time
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from tqdm import tqdm

from customers.jobs import imports
from customers.management.base import OperatorCommand
from customers.models import Import, Mode
from customers.services import jobs, principals, strict_json
from customers.services.csv_files import UTF_8, UnreadableInputError, decode
from customers.services.imports import TYPES, TooManyJobsError

PAUSE = 0.2  # seconds


class Command(OperatorCommand):
    help = (
        "Create or update customers from a file of CSV or JSON, or the rows of another type with "
        "--type. Customers who exist already, by e-mail address, are updated. An import that is "
        "stopped is continued by the worker (manage.py work), or with --resume."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("file", nargs="?", metavar="FILE", help="ends in .csv or .json")
        what.add_argument("--resume", metavar="ID", help="continue the import with this id")
        parser.add_argument("--mode", choices=Mode.values, default="test")
        parser.add_argument("--type", choices=TYPES, default="customers", dest="kind")
        parser.add_argument(
            "--skip-errors", action="store_true", help="continue when more than a tenth fails"
        )

    def handle(
        self,
        *,
        file: str | None,
        resume: str | None,
        mode: str,
        kind: str,
        skip_errors: bool,
        **options: Any,
    ) -> None:
        job = self.resumed(resume) if resume else self.begun(file or "", mode, kind, skip_errors)
        self.stdout.write(f"Import {job.pk}.")
        rows = Import.objects.filter(pk=job.pk)
        with tqdm(total=job.inputs_size, initial=job.position, unit=" rows", disable=None) as bar:
            while job.status in Import.OPEN:
                if not imports.do_import_part(rows):
                    time.sleep(PAUSE)  # the worker is at it, or a part that failed is put off
                job.refresh_from_db()
                bar.update(job.position - bar.n)
        for key, errors in job.errors_log.items():
            for name, messages in errors.items():
                self.stderr.write(f"{key}: {name} {'; '.join(messages)}")
        summary = f"{job.processed_count} rows done, {job.errors_count} refused"
        if job.status != Import.Status.COMPLETED:
            raise CommandError(f"Interrupted: {summary}. Fix the file, or use --skip-errors.")
        self.stdout.write(f"Completed: {summary}.")

    def begun(self, file: str, mode: str, kind: str, skip_errors: bool) -> Import:
        path = Path(file)
        format = path.suffix.removeprefix(".").lower()
        if format not in Import.Format.values:
            raise CommandError("The file's name must end in .csv or .json.")
        try:
            return imports.begin_import(
                kind,
                self.content_of(path, format),
                mode=mode,
                actor=principals.operator(mode).actor,
                format=format,
                skip_errors=skip_errors,
            )
        except OSError as error:
            raise CommandError(f"{file} could not be read: {error}.") from error
        except strict_json.InvalidJsonError as error:
            raise CommandError(error.about(file)) from error
        except UnreadableInputError as error:
            raise CommandError(f"{file} {error}.") from error
        except TooManyJobsError as error:
            raise CommandError(f"The mode {error}.") from error

    def content_of(self, path: Path, format: str) -> object:
        """What the file at `path` holds, in JSON, or as text, which says how it was read.

        Raises OSError, InvalidJsonError and UnreadableInputError.
        """
        content = path.read_bytes()
        if format == Import.Format.JSON:
            return strict_json.read_strict_json(
                content.removeprefix(BOM_UTF8)
            )  # RFC 8259 section 8.1
        text, encoding = decode(content)
        if encoding != UTF_8:
            self.stdout.write(f"{path} was read as {encoding}.")
        return text

    @transaction.atomic
    def resumed(self, pk: str) -> Import:
        try:
            job = Import.objects.select_for_update().with_id(pk)
        except Import.DoesNotExist as error:
            raise CommandError("There is no import with this id.") from error
        if job.status == Import.Status.INTERRUPTED:
            jobs.resume(job)
        return job
