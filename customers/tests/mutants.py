"""Breaks each rule of the list in mutants_list.py and looks whether a test fails.

    .venv/bin/python -m customers.tests.mutants [--only TEXT] [--jobs NUMBER]

It works on copies of the tree in a temporary folder, on the database of DATABASE_URL (test
databases of its own, one for each process), and ends with 1 when a rule can be broken without
a test failing, when its text is not found exactly once, and when what is broken does not even
run. Ctrl+C ends it, and tells what has been found by then.
"""

import argparse
import compileall
import os
import py_compile
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from xml.etree import ElementTree

import psycopg
from psycopg import sql
from tqdm import tqdm

from customers.tests.mutants_list import RULES, misses

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".venv", ".git", "var", "node_modules", "__pycache__", "*.pyc")
LONGEST = 600  # seconds that the tests of one rule may take
NO_RUN = ("SyntaxError", "IndentationError", "ImportError", "ModuleNotFoundError", "NameError")
ALL_PASSED, SOME_FAILED = 0, 1  # exit codes of pytest
NEWLINE = "\n"

KILLED, SURVIVED, STALE = "killed by", "SURVIVED", "NOT FOUND ONCE"
DOES_NOT_RUN, HANGS, SKIPPED = "DOES NOT RUN", "HANGS", "needs PostgreSQL"
FINE = {KILLED, SKIPPED}


@dataclass(frozen=True)
class Verdict:
    """What became of a broken rule; `told` is the test that failed, or what is wrong."""

    rule: object
    kind: str
    told: str = ""

    def __str__(self):
        return f"{self.kind} {self.told}".strip()


class Copy:
    """A copy of the tree in `folder`, with the environment and the database of process `number`."""

    def __init__(self, folder, number, stop):
        self.tree, self.stop = folder / f"tree{number}", stop
        self.report = folder / f"report{number}.xml"
        shutil.copytree(ROOT, self.tree, ignore=LEFT_OUT)
        # A pyc checked by time would hide what is broken within a second, by a text as long.
        checked = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(self.tree, quiet=1, invalidation_mode=checked)
        self.environment = {**os.environ, "TEST_SQLITE_FILE": str(folder / f"test{number}.sqlite3")}
        if on_postgresql():
            url = urlsplit(os.environ["DATABASE_URL"])
            self.server = urlunsplit(url._replace(path="/postgres"))
            self.database = f"{url.path[1:]}_mutants{number}"
            self.environment["DATABASE_URL"] = urlunsplit(url._replace(path=f"/{self.database}"))

    def forget(self):
        """Drop the database that the tests were made to keep."""
        if on_postgresql():
            with psycopg.connect(self.server, autocommit=True) as server:
                name = sql.Identifier(f"test_{self.database}")
                server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def run(self, tests, *options):
        """Run `tests`, as Rule has them; return pytest's exit code, None when it took too long."""
        self.report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", f"--rootdir={self.tree}", "-n", "0", *options]
        command += [
            "--reuse-db",
            "-m",
            "not browser and not measured",
            f"--junitxml={self.report}",
            *(f"customers/tests/{test}" for test in tests),
        ]
        with subprocess.Popen(
            command,
            cwd=self.tree,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl+C is ours to pass on
        ) as process:
            try:
                until = time.monotonic() + LONGEST
                while time.monotonic() < until and not self.stop.is_set():
                    with suppress(subprocess.TimeoutExpired):
                        return process.wait(timeout=0.2)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        return None

    def complaints(self):
        """The tests of the last run that went wrong: how ("failure" or "error"), which, and why."""
        if not self.report.exists():
            return [("error", "", "no report")]
        return [
            (one.tag, case.get("name"), one.get("message", ""))
            for case in ElementTree.parse(self.report).iter("testcase")  # noqa: S314 our own file
            for one in case
            if one.tag in ("failure", "error")
        ]

    def judge(self, rule):
        """Break `rule`, run the tests that reach it, and put it right again."""
        path = self.tree / rule.file
        whole = path.read_text()
        path.write_text(whole.replace(rule.text, rule.broken))
        try:
            code = self.run(rule.tests, "-x", "--no-migrations")
        finally:
            path.write_text(whole)
        return verdict_on(rule, code, self.complaints())


def verdict_on(rule, code, complaints):
    """What the end of its tests says of a broken rule: pytest's exit code, and what went wrong."""
    if code is None:
        return Verdict(rule, HANGS)
    if code == ALL_PASSED:
        return Verdict(rule, SURVIVED)
    how, name, why = (complaints or [("error", "", f"pytest ended with {code}")])[0]
    if code != SOME_FAILED or how == "error" or why.startswith(NO_RUN):
        return Verdict(rule, DOES_NOT_RUN, why.partition("\n")[0][:90])
    return Verdict(rule, KILLED, name.partition("[")[0])


def words_of(rule):
    """What --only looks for a text in, in lower case."""
    return f"{rule.sentence} {rule.file}{' postgresql' * rule.postgresql}".lower()


def on_postgresql():
    return os.environ.get("DATABASE_URL", "").startswith("postgres")


def begin(rules, copies):
    """Make the databases, and run all tests of `rules` unbroken. Ends the program if one fails."""
    tests = sorted({test for rule in rules for test in rule.tests})
    shares = [tests[number :: len(copies)] or tests[:1] for number in range(len(copies))]
    print(f"Running the {len(tests)} tests of {len(rules)} rules unbroken.", flush=True)
    with ThreadPoolExecutor(len(copies)) as pool:
        codes = pool.map(lambda copy, share: copy.run(share, "--create-db"), copies, shares)
    if set(codes) != {ALL_PASSED}:
        found = [one for copy in copies for one in copy.complaints()]
        told = [f"{name}: {why.partition(NEWLINE)[0]}" for _, name, why in found]
        sys.exit("\n".join(["The tests fail before anything is broken:", *told]))


def verdicts(rules, copies):
    """The Verdict on each of `rules` as it is found, each copy with one rule at a time."""
    free = list(copies)  # as many as there are threads

    def judge(rule):
        copy = free.pop()
        try:
            return copy.judge(rule)
        finally:
            free.append(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        waiting = [pool.submit(judge, rule) for rule in rules]
        try:
            yield from (done.result() for done in as_completed(waiting))
        finally:
            for one in waiting:
                one.cancel()


def table(found, rules):
    """Lines of rule, file and verdict, in the order of `rules`, those that are not fine last."""
    place = {rule: at for at, rule in enumerate(rules)}
    rows = sorted(found, key=lambda one: (one.kind not in FINE, place[one.rule]))
    width = max((len(one.rule.sentence) for one in rows), default=0)
    files = max((len(one.rule.file) for one in rows), default=0)
    for one in rows:
        yield f"{one.rule.sentence:{width}}  {one.rule.file:{files}}  {one}"
    counts = Counter(one.kind.removesuffix(" by") for one in rows)
    yield f"{len(rows)} rules: {', '.join(f'{count} {kind}' for kind, count in counts.items())}"


def work(rules, jobs):
    """The Verdict on each of `rules`, of as many as there are until Ctrl+C."""
    found, stop = [], threading.Event()

    def end(*_):
        stop.set()  # what runs ends first, and whoever waits for it with it
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, end)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, suppress(KeyboardInterrupt):
        copies = [Copy(Path(folder), number, stop) for number in range(min(jobs, len(rules)))]
        try:
            begin(rules, copies)
            for one in tqdm(verdicts(rules, copies), total=len(rules), unit="rule"):
                found.append(one)
                if one.kind not in FINE:
                    tqdm.write(f"{one.rule.sentence}: {one}")
        finally:
            for copy in copies:
                copy.forget()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--only",
        metavar="TEXT",
        default="",
        help="rules whose sentence or file has TEXT; PostgreSQL for those that run there alone",
    )
    parser.add_argument("--jobs", metavar="NUMBER", type=int, default=os.cpu_count())
    given = parser.parse_args()
    rules = [rule for rule in RULES if given.only.lower() in words_of(rule)]
    if not rules:
        parser.error(f"No rule holds {given.only}.")
    found = [Verdict(rule, STALE, wrong) for rule in rules if (wrong := misses(rule, ROOT))]
    skipped = [rule for rule in rules if rule.postgresql and not on_postgresql()]
    found += [Verdict(rule, SKIPPED) for rule in skipped]
    left = [rule for rule in rules if rule not in {one.rule for one in found}]
    if left:
        found += work(left, given.jobs)
    print("\n".join(table(found, RULES)))
    sys.exit(any(one.kind not in FINE for one in found) or len(found) < len(rules))


if __name__ == "__main__":
    main()
