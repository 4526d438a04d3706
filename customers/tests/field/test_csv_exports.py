"""Files of customers that spreadsheets open."""

import pytest
from django.core.management import call_command

from customers.models import Import
from customers.resources import export_checks, operations
from customers.services import imports
from customers.tests.factories import ADDRESS, make_customer, make_row
from customers.tests.field.doors import (
    CUSTOMERS,
    by_api,
    by_console,
    references,
    shown,
    upload,
)


def exported(client, customers):
    chosen = {"_selected_action": [one.pk for one in customers], "confirmed": len(customers)}
    return client.post(CUSTOMERS, {"action": "export_csv", "index": 0, **chosen})


def test_the_consoles_export_says_that_it_is_in_utf_8(admin_client):
    answer = exported(admin_client, [make_customer(email="żółw@example.com")])
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.content.decode("utf-8-sig").splitlines()[1].split(",")[1] == "żółw@example.com"


def test_the_consoles_file_of_errors_says_that_it_is_in_utf_8(admin_client):
    progress = by_console(admin_client, "email,reference\nżółw,R-1\n")
    answer = admin_client.get(f"{progress}errors.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "żółw" in answer.content.decode("utf-8-sig")


def test_the_consoles_export_in_the_background_says_that_it_is_in_utf_8(admin_client, monkeypatch):
    monkeypatch.setattr("customers.jobs.bulk.AT_ONCE", 1)
    customers = [make_customer(email="żółw@example.com"), make_customer()]
    progress = exported(admin_client, customers)["Location"]
    call_command("work", "--once")
    answer = admin_client.get(f"{progress}customers.csv")
    content = b"".join(answer.streaming_content)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\xef\xbb\xbf") == 1
    assert "żółw" in content.decode("utf-8-sig")


def test_the_commands_export_begins_with_the_mark_of_utf_8(tmp_path):
    make_customer(email="żółw@example.com")
    call_command("export_customers", str(tmp_path / "c.csv"))
    content = (tmp_path / "c.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert "żółw" in content.decode("utf-8-sig")


@pytest.mark.thorough
def test_a_file_that_is_nothing_that_can_be_read_is_refused_with_a_sentence(admin_client):
    answer = upload(admin_client, b"\x00\x01\x02\x03" * 40)
    assert "The file" in shown(answer)
    assert not Import.objects.exists()


VALID = {
    "addresses": {**ADDRESS, "lat": 52.5, "lng": -13.0, "business": True},
    "customers": {"email": "ada@example.com", "reference": "'=1+1"},
}


@pytest.mark.parametrize("resource_type", sorted({*imports.TYPES} & {*export_checks.TYPES}))
def test_an_import_reads_an_export_back_and_changes_nothing(resource_type, tmp_path):
    values = {"metadata": {"size": "M", "a": [1]}, **VALID.get(resource_type, {})}
    made = make_row(operations.model_of(resource_type), full=True, **values)
    path = tmp_path / "rows.csv"
    call_command("export_customers", str(path), "--type", resource_type)
    before = list(type(made).objects.values())
    call_command("import_customers", str(path), "--type", resource_type)
    job = Import.objects.get()
    assert (job.status, job.processed_count, job.refusals) == ("completed", len(before), [])
    assert list(type(made).objects.values()) == before


def test_what_nobody_writes_is_refused_where_it_differs():
    ada = make_customer(email="ada@example.com")
    names = "id;email;status;total_orders_count;has_password;reference"
    assert by_api(f"{names}\n{ada.pk};ada@example.com;prospect;0;false;R-1\n").status_code == 201
    assert Import.objects.get().refusals == []
    assert references() == {"ada@example.com": "R-1"}
    assert by_api(f"{names}\n{ada.pk};ada@example.com;repeat;0;true;R-2\n").status_code == 201
    job = Import.objects.latest("id")
    assert (job.processed_count, job.errors_count) == (0, 1)
    assert references() == {"ada@example.com": "R-1"}
