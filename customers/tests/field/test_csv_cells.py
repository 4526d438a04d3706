"""Cells of files of customers: what belongs to a value and what does not."""

import csv
import io

import pytest
from django.core.management import call_command

from customers.models import Customer
from customers.tests.factories import make_customer
from customers.tests.field.doors import (
    brought,
    by_command,
    every_door,
    references,
)

pytestmark = pytest.mark.thorough


@every_door
def test_spaces_within_a_cell_are_a_part_of_it(door, admin_client, tmp_path):
    brought(door, "email,reference\nada@example.com,R  9\u00a0b\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": "R  9\u00a0b"}


@every_door
@pytest.mark.parametrize("text", ["'s-Hertogenbosch", "O'Neil", "'"])
def test_an_apostrophe_before_a_letter_is_a_part_of_the_text(door, text, admin_client, tmp_path):
    brought(door, f"email,reference\nada@example.com,{text}\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": text}


@pytest.mark.parametrize("text", ["'72", "''72", "72", "=1+1", "'=1+1", "'s"])
def test_what_was_exported_is_imported_as_it_was(text, tmp_path):
    make_customer(email="ada@example.com", reference=text)
    path = tmp_path / "customers.csv"
    call_command("export_customers", str(path))
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))
    Customer.objects.update(reference=None)
    out = io.StringIO(newline="")
    lines = csv.DictWriter(out, ["email", "reference"], extrasaction="ignore")
    lines.writeheader()
    lines.writerows(rows)
    assert by_command(tmp_path, out.getvalue()) == ""
    assert references() == {"ada@example.com": text}
