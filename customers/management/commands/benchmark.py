import os
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

from customers.benchmarks import run
from customers.management.base import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Measure what requests cost, beside a stock Django REST framework JSON:API and SQL "
        "written by hand, on databases of their own on the PostgreSQL server of DATABASE_URL, "
        "whose role must be a superuser. Writes docs/benchmark.md and .svg and the table in "
        "README.md, or with --growth docs/growth.md. Needs Linux."
    )

    def add_arguments(self, parser):
        parser.add_argument("--customers", type=int, default=100_000, help="10000 or more")
        parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
        help = "gunicorn is to be installed first: .venv/bin/pip install gunicorn"
        parser.add_argument(
            "--server", choices=["granian", "gunicorn"], default="granian", help=help
        )
        parser.add_argument("--only-ours", action="store_true", help="start no other server")
        parser.add_argument(
            "--growth", action="store_true", help="ours alone, at 10,000 and 1,000,000 customers"
        )

    def handle(self, *, customers, seconds, server, only_ours, growth, **options):
        if find_spec(server) is None:
            raise CommandError(f"Install {server} first: .venv/bin/pip install {server}")
        if settings.SQLITE or customers < 10_000:
            raise CommandError("Set DATABASE_URL to PostgreSQL, and take 10000 customers or more.")
        url, docs = os.environ["DATABASE_URL"], Path(settings.BASE_DIR) / "docs"
        docs.mkdir(exist_ok=True)
        if growth:
            text, _ = run.grow(url, sizes=[10_000, 1_000_000], seconds=seconds, kind=server)
            (docs / "growth.md").write_text(f"{text}\n")
        else:
            names = ["ours"] if only_ours else list(run.MODULES)
            found = run.compare(url, size=customers, seconds=seconds, kind=server, names=names)
            table, latencies, chart, notes = found
            text = f"{table}\n\n{notes}"
            (docs / "benchmark.md").write_text(f"{text}\n\n{latencies}\n")
            (docs / "benchmark.svg").write_text(chart)
            if not only_ours:
                _put_into(Path(settings.BASE_DIR) / "README.md", text)
        self.stdout.write(text)


def _put_into(path, table):
    """Replace what stands between the two marks in the file at `path`."""
    before, mark, rest = path.read_text().partition("<!-- benchmark -->\n")
    _, end, after = rest.partition("<!-- end of benchmark -->")
    path.write_text(f"{before}{mark}{table}\n{end}{after}")
