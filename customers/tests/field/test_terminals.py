"""Commands with a terminal, and without."""

import io
import sys

import pytest
from django.core.management import call_command

from customers.tests.factories import make_customer

pytestmark = pytest.mark.thorough


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("name", ["x.csv", "x.json"])
def test_an_export_by_cron_writes_no_bars(tmp_path, capsys, name):
    make_customer()
    call_command("export_customers", str(tmp_path / name))
    assert capsys.readouterr().err == ""


def test_an_import_by_cron_writes_no_bars(tmp_path, capsys):
    (tmp_path / "x.csv").write_text("email\nada@example.com\n")
    call_command("import_customers", str(tmp_path / "x.csv"))
    assert capsys.readouterr().err == ""


def test_the_errors_of_an_import_by_cron_are_still_written(tmp_path, capsys):
    (tmp_path / "x.csv").write_text("email\nnobody\n")
    call_command("import_customers", str(tmp_path / "x.csv"), "--skip-errors")
    assert capsys.readouterr().err == "nobody: email is not an e-mail address\n"


@pytest.mark.parametrize("command", ["export_customers", "import_customers"])
def test_on_a_terminal_there_are_bars(tmp_path, monkeypatch, command):
    make_customer()
    path = tmp_path / "x.csv"
    path.write_text("email\nada@example.com\n")
    monkeypatch.setattr(sys, "stderr", Terminal())
    call_command(command, str(path))
    assert "100%" in sys.stderr.getvalue()
