"""The command line of the checks: `.venv/bin/python -m deploy.checks CHECK --help`."""

import argparse
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from deploy.checks import benchmark, endurance, report, resilience, workloads
from deploy.checks.harness import ROOT

BENCHMARK = (
    "Measure what requests cost, beside a stock Django REST framework JSON:API and SQL written by "
    "hand, on databases of their own on the PostgreSQL server of DATABASE_URL, whose role must be "
    "a superuser. Writes docs/benchmark.md and .svg and the table in README.md, or with --growth "
    "docs/growth.md. Needs Linux."
)
RESILIENCE = (
    "Show what the service does when what it stands on fails or grows, with PostgreSQL clusters "
    "in a temporary folder (Debian's postgresql, for pgbouncer Debian's pgbouncer too). Exits "
    "with 1 when something is not as it must be."
)
ENDURANCE = (
    "Show that nothing is lost: run the service with a PostgreSQL cluster in a temporary folder, "
    "kill -9 its web workers, its worker processes, its database and all of them under write "
    "load, then its workers during an import of 10,000 customers, and compare what is left with "
    "a ledger of what was acknowledged. It takes about five minutes; your own database and "
    "processes are not touched."
)


def arguments(words: list[str]) -> argparse.Namespace:
    """What is asked for. Exits with 2 and a sentence when it cannot be done."""
    parser = argparse.ArgumentParser("python -m deploy.checks")
    checks = parser.add_subparsers(dest="check", required=True)
    measured = checks.add_parser("benchmark", help="what requests cost", description=BENCHMARK)
    _add_benchmark_options(measured)
    shown = checks.add_parser("resilience", help="outages, a stop, …", description=RESILIENCE)
    known = list(resilience.CHECKS)
    shown.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(known)}")
    killed = checks.add_parser("endurance", help="kill -9 under load", description=ENDURANCE)
    killed.add_argument("--seconds", type=int, default=120, help="of killing under write load")
    asked = parser.parse_args(words)
    if asked.check == "benchmark":
        _refuse_unmeasurable(measured, asked)
    elif asked.check == "resilience" and (unknown := set(asked.names) - set(known)):
        shown.error(f"There is no {', '.join(unknown)}; there is {', '.join(known)}.")
    return asked


def _add_benchmark_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--customers", type=int, default=100_000, help="10000 or more")
    add("--seconds", type=float, default=3, help="of each measurement")
    help = "gunicorn is to be installed first: .venv/bin/pip install gunicorn"
    add("--server", choices=["granian", "gunicorn"], default="granian", help=help)
    add("--only-ours", action="store_true", help="start no other server, and write no page")
    part = parser.add_mutually_exclusive_group()
    help = f"some of {','.join(workloads.NAMES)}; no page is written"
    part.add_argument("--only", type=_workloads, metavar="W1,W6", help=help)
    help = "ours alone, at 10,000 and 1,000,000 customers"
    part.add_argument("--growth", action="store_true", help=help)


def _workloads(text: str) -> list[str]:
    """The names of the workloads in a comma list. Raises ArgumentTypeError."""
    known, labels = workloads.NAMES, text.split(",")
    if unknown := [label for label in labels if label not in known]:
        raise argparse.ArgumentTypeError(
            f"There is no {', '.join(unknown)}; there is {', '.join(known)}."
        )
    return [name for label, name in known.items() if label in labels]


def _refuse_unmeasurable(parser: argparse.ArgumentParser, asked: argparse.Namespace) -> None:
    if find_spec(asked.server) is None:
        parser.error(f"Install {asked.server} first: .venv/bin/pip install {asked.server}")
    scheme = urlsplit(os.environ.get("DATABASE_URL", "")).scheme
    if scheme not in ("postgres", "postgresql", "psql", "pgsql") or asked.customers < 10_000:
        parser.error("Set DATABASE_URL to PostgreSQL, and take 10000 customers or more.")


def measure(asked: argparse.Namespace) -> str:
    """Run the benchmark and write its pages, unless it is a part of it; what it found."""
    url = os.environ["DATABASE_URL"]
    if asked.growth:
        text = benchmark.grow(
            url, sizes=[10_000, 1_000_000], seconds=asked.seconds, kind=asked.server
        )
        (ROOT / "docs" / "growth.md").write_text(f"{text}\n")
        return text
    results, notes = benchmark.compare(
        url,
        size=asked.customers,
        seconds=asked.seconds,
        kind=asked.server,
        names=["ours"] if asked.only_ours else list(benchmark.MODULES),
        chosen=asked.only or list(workloads.NAMES.values()),
    )
    page = workloads.far_page(asked.customers)
    text = f"{report.table(results, page)}\n\n{notes}"
    if not (asked.only or asked.only_ours):
        _write_pages(text, results, page)
    return f"{text}\n\n{report.ratios(results)}".rstrip()


def _write_pages(text: str, results: report.Results, page: int) -> None:
    docs = ROOT / "docs"
    (docs / "benchmark.md").write_text(f"{text}\n\n{report.latencies(results, page)}\n")
    (docs / "benchmark.svg").write_text(report.chart(results, page))
    _put_into(ROOT / "README.md", text)


def _put_into(path: Path, table: str) -> None:
    """Replace what stands between the two marks in the file at `path`."""
    before, mark, rest = path.read_text().partition("<!-- benchmark -->\n")
    _, end, after = rest.partition("<!-- end of benchmark -->")
    path.write_text(f"{before}{mark}{table}\n{end}{after}")


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))
    asked = arguments(sys.argv[1:])
    if asked.check == "benchmark":
        print(measure(asked))
    elif asked.check == "resilience":
        sys.exit(0 if resilience.check(asked.names) else 1)
    elif endurance.run(asked.seconds, print):
        print("The ledger balances.")
    else:
        sys.exit("The ledger does not balance.")


if __name__ == "__main__":
    main()
