"""How the benchmark reads what requests cost, and draws it."""

import os
import threading
import time

import pytest

from deploy.checks import measure, report
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
