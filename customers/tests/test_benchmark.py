"""The benchmark: what it reads of CPU, what it measures and on which rows, what it writes."""

import os
import threading
import time
from pathlib import Path

import psycopg
import pytest

from customers.tests.conftest import needs_postgresql
from deploy.checks import __main__ as command
from deploy.checks import benchmark, measure, report
from deploy.checks.measure import CpuUnknownError, Result, load, read_clocks, spent

OLD, NEW = (7, "10:00"), (7, "11:00")  # the same pid, given twice


def test_a_connection_that_began_in_a_spell_counts_whole():
    assert spent({OLD: 2.0}, {OLD: 2.5, (8, "11:00"): 0.25}) == 0.75


@pytest.mark.parametrize("after", [{}, {NEW: 9.0}, {(8, "11:00"): 9.0}])
def test_a_connection_that_ended_in_a_spell_leaves_its_cpu_unknown(after):
    with pytest.raises(CpuUnknownError, match="ended in it"):
        spent({OLD: 2.0}, after)


@pytest.mark.parametrize("clocks", [{}, {OLD: 2.0}])
def test_a_spell_in_which_no_cpu_was_read_counts_for_nothing(clocks):
    with pytest.raises(CpuUnknownError, match="no CPU at all"):
        spent(clocks, clocks)


def burn():
    while time.thread_time() < 0.05:
        pass


def test_a_thread_that_has_ended_is_still_counted():
    me = (os.getpid(), None)
    before = read_clocks([me])
    thread = threading.Thread(target=burn)
    thread.start()
    thread.join()
    assert spent(before, read_clocks([me])) >= 0.05


def test_a_process_that_has_ended_has_no_clock():
    assert read_clocks([(2**22 + 1, None)]) == {}  # no pid is as large


class Scripted:
    """A server whose clocks show one after the other of what is given."""

    name = "ours"

    def __init__(self, *shown):
        self.shown = list(shown)

    def clocks(self):
        return {(1, None): float(10 - len(self.shown))}, self.shown.pop(0)


@pytest.fixture
def instant_spells(monkeypatch):
    monkeypatch.setattr(measure, "_send_for", lambda *given: ([0.1, 0.1], 0.2))


@pytest.mark.usefixtures("instant_spells")
def test_a_spell_in_which_a_connection_ended_is_measured_again():
    server = Scripted({OLD: 2.0}, {}, {NEW: 1.0}, {NEW: 1.5})
    assert load(server, iter([]), 1, 0.2).database == 250


@pytest.mark.usefixtures("instant_spells")
def test_a_server_that_cannot_be_measured_is_refused_by_name():
    server = Scripted(*[{OLD: 2.0}, {}] * measure.TRIES)
    with pytest.raises(RuntimeError, match=r"No spell of 5 on ours .* connection ended in it\."):
        load(server, iter([]), 1, 0.2)


@pytest.mark.parametrize("cost", [0.0, 0.00001, 0.1, 900.0])
def test_a_chart_is_drawn_of_whatever_was_measured(cost):
    results = {("W1 retrieve one", "ours", 1): Result([0.1], 0.1, cost, 0.0)}
    chart = report.chart(results, 2000)
    assert f">{1000 * cost:.2f}</text>" in chart
    assert 'width="-' not in chart


def found(seconds):
    return Result([0.1], 0.1, seconds, 0.0)


@pytest.fixture
def written(monkeypatch):
    """Lets the command measure without a server; what it measured and which pages it wrote."""
    happened = {"pages": []}

    def compare(url, *, chosen, names, **options):
        happened.update(chosen=chosen, names=names)
        costs = {"ours": 0.003, "floor": 0.002, "stock": 0.009}
        results = {
            (workload, name, connections): found(costs[name] * connections)
            for workload in chosen
            for connections in (1, 8)
            for name in names
        }
        return results, "Notes."

    monkeypatch.setenv("DATABASE_URL", "postgres://nobody@nowhere/nothing")
    monkeypatch.setattr(benchmark, "compare", compare)
    monkeypatch.setattr(Path, "write_text", lambda self, text: happened["pages"].append(self.name))
    return happened


def run(*words):
    return command.measure(command.arguments(["benchmark", *words]))


def test_a_part_is_measured_alone_and_no_page_is_written_of_it(written):
    text = run("--only", "W6,W1")
    assert written["chosen"] == ["W1 retrieve one", "W6 create"]
    assert written["names"] == ["ours", "floor", "stock"]
    assert written["pages"] == []
    assert "| W6 create |" in text


def test_ours_alone_is_no_page_either(written):
    text = run("--only-ours")
    assert written["names"] == ["ours"]
    assert len(written["chosen"]) == 8
    assert written["pages"] == []
    assert text.endswith("Notes.")


def test_the_whole_is_written_down_and_ends_with_ratios_to_sql_by_hand(written):
    text = run()
    assert written["pages"] == ["benchmark.md", "benchmark.svg", "README.md"]
    same = "W1 1.50, W2 1.50, W3 1.50, W4a 1.50, W4b 1.50, W5 1.50, W6 1.50, W7 1.50"
    lines = [f"÷ by hand, 1 at a time: {same}", f"÷ by hand, 8 at a time: {same}"]
    assert text.splitlines()[-2:] == lines


@needs_postgresql
def test_what_a_run_writes_is_gone_before_the_next(monkeypatch):
    url, size = os.environ["DATABASE_URL"], os.getpid()  # no other test's
    name = f"clientele_benchmark_{size}"
    monkeypatch.setattr(benchmark, "database", lambda url, size: "kept")
    kept = benchmark.create(url, name)
    try:
        with psycopg.connect(kept) as connection:
            connection.execute("CREATE TABLE customers AS SELECT 1 AS id")
        for _ in range(2):
            with benchmark.copied(url, size) as copy, psycopg.connect(copy) as connection:
                assert connection.execute("SELECT id FROM customers").fetchall() == [(1,)]
                assert connection.execute(WORKERS).fetchone() == ("0",)
                connection.execute("INSERT INTO customers VALUES (2)")
                connection.commit()
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(copy)
    finally:
        benchmark.drop(url, name)


WORKERS = "SHOW max_parallel_workers_per_gather"
