import gzip
import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from customers.models import Export, Mode
from customers.services import exports, principals, wire


class Command(BaseCommand):
    help = (
        "Write customers, or the rows of another type with --type, to a file of CSV or JSON. "
        '--filters takes those of filter[q] as JSON, such as \'{"email_end": "@example.com"}\'.'
    )

    def add_arguments(self, parser):
        parser.add_argument("file", metavar="FILE", help="ends in .csv or .json")
        parser.add_argument("--mode", choices=Mode.values, default="test")
        parser.add_argument("--type", choices=exports.TYPES, default="customers", dest="kind")
        parser.add_argument("--filters", type=json.loads, default={}, metavar="JSON")

    def handle(self, *, file, mode, kind, filters, **options):
        path = Path(file)
        format = path.suffix.removeprefix(".").lower()
        if format not in Export.Format.values:
            raise CommandError("The file's name must end in .csv or .json.")
        try:
            who = principals.operator(mode).who
            job = exports.begin(kind, mode=mode, who=who, format=format, filters=filters)
        except (wire.Refused, exports.Impossible) as error:
            raise CommandError(f"The export {error}.") from error
        jobs = Export.objects.filter(pk=job.pk)
        with tqdm(total=job.records_count, unit=" rows") as bar:
            while job.status in Export.OPEN:
                exports.step(jobs)
                job.refresh_from_db()
                bar.update(job.processed_count - bar.n)
        with path.open("wb") as out:
            for part in exports.content_of(job):
                out.write(gzip.decompress(part))
        self.stdout.write(f"{job.processed_count} rows are in {path}.")
