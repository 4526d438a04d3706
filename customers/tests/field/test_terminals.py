"""Commands that run on a terminal."""

import io
import sys

import pytest
from django.core.management import call_command

from customers.tests.factories import make_customer


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("command", ["export_customers", "import_customers"])
def test_on_a_terminal_there_are_bars(tmp_path, monkeypatch, command):
    make_customer()
    path = tmp_path / "x.csv"
    path.write_text("email\nada@example.com\n")
    monkeypatch.setattr(sys, "stderr", Terminal())
    call_command(command, str(path))
    assert "100%" in sys.stderr.getvalue()
