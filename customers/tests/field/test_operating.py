"""Copies of an installation, and its own tables."""

import pytest

pytestmark = pytest.mark.thorough


def test_the_installation_that_was_copied_goes_on(restored):
    first, copy, server, _ = restored
    first.work()
    assert len(server.received) == 1
    assert "ada@example.com" in first.mailed
    done = copy.manage("export_customers", str(copy.folder / "x.csv"))
    assert done.returncode == 0, done.stderr
    assert "ada@example.com" in (copy.folder / "x.csv").read_text()


def test_the_service_starts_on_its_own_tables(installation):
    made = installation("own")
    assert made.manage("migrate", "--verbosity", "0").returncode == 0
    assert made.manage("work", "--once").returncode == 0
    told = made.shell("from django.test import Client; print(Client().get('/readyz').status_code)")
    assert told.strip().splitlines()[-1] == "200"
