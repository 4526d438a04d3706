"""Exports: what is chosen, in a file, without secrets and without formulas."""

import csv
import gzip
import io
import json
import time
import unicodedata
from datetime import timedelta

import pytest
from django.core import signing
from django.core.management import CommandError, call_command
from django.utils import timezone

from customers.jobs import exports, imports
from customers.models import Customer, Export, ExportPart
from customers.resources import export_checks
from customers.services import spreadsheets
from customers.services.imports import read_inputs
from customers.services.jobs import interrupt
from customers.tests.conftest import error_of
from customers.tests.factories import (
    make_customer,
    make_export,
    make_group,
    make_import,
    make_reset,
    make_tag,
)


def run(api, **members):
    """The attributes of the finished export of `members`, and its file's text."""
    made = api.create("exports", {"resource_type": "customers", **members})
    assert made.status_code == 201, made.content
    while exports.do_export_part():
        pass
    pk = made.json()["data"]["id"]
    attributes = api.get(f"/api/exports/{pk}").json()["data"]["attributes"]
    answer = api.client.get(attributes["attachment_url"].removeprefix("http://127.0.0.1:8000"))
    assert answer["Content-Type"] == "application/gzip"
    return attributes, gzip.decompress(b"".join(answer.streaming_content)).decode()


def test_what_the_filters_choose_is_written_with_what_is_included(api, monkeypatch):
    monkeypatch.setattr(exports, "PART", 2)
    group, vip = make_group(), make_tag(name="vip")
    made = [
        make_customer(email=f"{n}@example.com", customer_group=group, password="argon2$x")
        for n in range(5)
    ]
    made[0].tags.add(vip)
    make_customer(email="other@example.org")
    make_customer(email="live@example.com", mode="live")
    attributes, text = run(
        api, filters={"email_end": "@example.com"}, includes=["customer_group", "tags"]
    )
    assert (attributes["status"], attributes["progress"]) == ("completed", 100)
    assert (attributes["records_count"], attributes["processed_count"]) == (5, 5)
    records = json.loads(text)
    assert [record["id"] for record in records] == [customer.pk for customer in made]
    first = records[0]
    assert (first["customer_group_id"], first["customer_group"]["name"]) == (group.pk, group.name)
    assert [tag["name"] for tag in first["tags"]] == ["vip"]
    assert "password" not in first
    assert "argon2" not in text


@pytest.mark.parametrize("format", ["json", "csv"])
def test_what_is_hidden_is_in_no_file_though_no_fields_are_chosen(api, format):
    customer = make_customer(tax_exemption_code="TX-1", password="argon2$x")
    reset = make_reset(customer=customer)
    shown = api.get(f"/api/customers/{customer.pk}").json()["data"]["attributes"]
    assert shown.keys() >= {"tax_exemption_code", "jwt_custom_claim"}
    hidden = {"password", "tax_exemption_code", "jwt_custom_claim", "reset_password_token"}
    _, text = run(api, format=format)
    (record,) = rows_in(text, format)
    assert record.keys() == {*shown, "id", "customer_group_id"} - hidden
    assert "TX-1" not in text
    assert "argon2" not in text
    _, text = run(
        api, format=format, resource_type="customer_password_resets", includes=["customer"]
    )
    (record,) = rows_in(text, format)
    assert record["id"] == reset.pk
    assert "reset_password_at" in record
    assert "reset_password_token" not in record
    included = record["customer"]
    included = included if format == "json" else json.loads(included)
    assert included["email"] == customer.email
    assert not included.keys() & hidden


def rows_in(text, format):
    if format == "json":
        return json.loads(text)
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_csv_is_defused_and_comes_back_by_an_import_as_it_was(api):
    make_customer(email="ada@example.com", reference="=HYPERLINK(1)", metadata={"a": 1})
    _, text = run(api, format="csv")
    (row,) = rows_in(text, "csv")
    assert (row["reference"], row["metadata"]) == ("'=HYPERLINK(1)", '{"a":1}')
    assert (row["has_password"], row["total_orders_count"]) == ("false", "0")
    again = f"email,reference\nada@example.com,{row['reference']}\n"
    make_import(given=again, format="csv")
    imports.do_import_part()
    assert Customer.objects.get().reference == "=HYPERLINK(1)"


SIGNS = [
    sign for sign in map(chr, range(0x10000)) if unicodedata.normalize("NFKC", sign)[0] in "=+-@"
]


@pytest.mark.parametrize("before", ["", " ", "\t", "\r", "\n", "\r\n ", "\xa0", "\u3000", "\ufeff"])
def test_a_sign_of_any_width_after_any_white_space_begins_no_formula(before):
    assert {
        "\uff1d",
        "\uff0b",
        "\uff0d",
        "\uff20",
        "\ufe66",
        "\ufe62",
        "\ufe63",
        "\ufe6b",
        "=",
        "+",
        "-",
        "@",
    } <= {*SIGNS}
    for sign in SIGNS:
        text = f"{before}{sign}SUM(1)"
        assert spreadsheets.defused(text) == f"'{text}"
        assert spreadsheets.plain(f"'{text}") == text
        assert spreadsheets.table([{"a": text}], ["a"], with_names=False).decode() in (
            f"'{text}\r\n",
            f'"\'{text}"\r\n',
        )


@pytest.mark.parametrize("text", ["\tada", "\rada", "\nada"])
def test_a_cell_that_begins_with_a_tab_or_the_end_of_a_line_is_text(text):
    assert spreadsheets.defused(text) == f"'{text}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "'",
        "'ada'",
        "'=1",
        "''=1",
        "' =1",
        "a=1",
        " a",
        "\uff21\uff1d",
        "1-2",
        "\u2019=1",
    ],
)
def test_every_text_comes_back_as_it_was(text):
    assert spreadsheets.plain(spreadsheets.defused(text)) == text


def test_no_name_of_a_column_is_a_formula_and_all_come_back():
    rows = [{"=cmd|' /C calc'!A0": "\uff1d1", "email": "ada@example.com"}]
    text = spreadsheets.table(rows, list(rows[0])).decode()
    assert text == "'=cmd|' /C calc'!A0,email\r\n'\uff1d1,ada@example.com\r\n"
    assert read_inputs(text, "csv", "customers") == rows


def test_fields_say_what_is_written_of_a_row_and_of_what_it_includes(api):
    group, vip = make_group(code="A"), make_tag(name="vip")
    ada = make_customer(email="ada@example.com", customer_group=group)
    ada.tags.add(vip)
    fields = ["customers.email", "customer_group_id", "customers.customer_group.code", "tags.*"]
    attributes, text = run(api, fields=fields, jwt_filters=True)
    assert (attributes["fields"], attributes["jwt_filters"]) == (fields, True)
    (record,) = json.loads(text)
    (tag,) = record.pop("tags")
    assert record == {
        "email": "ada@example.com",
        "customer_group_id": group.pk,
        "customer_group": {"code": "A"},
    }
    assert (tag["id"], tag["name"]) == (vip.pk, "vip")
    _, text = run(api, fields=["email"], includes=["tags"])
    assert json.loads(text) == [{"email": "ada@example.com", "tags": [tag]}]
    _, text = run(api, fields=["customers.id", "email"], format="csv")
    assert text == f"\ufeffid,email\r\n{ada.pk},ada@example.com\r\n"


def test_dry_data_has_neither_ids_nor_times_nor_blanks(api):
    make_customer(email="ada@example.com")
    _, text = run(api, dry_data=True)
    (record,) = json.loads(text)
    assert record["email"] == "ada@example.com"
    assert not record.keys() & {"id", "created_at", "updated_at", "reference", "metadata"}


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"resource_type": "webhooks"}, "resource_type"),
        ({"resource_type": "shoes"}, "resource_type"),
        ({"filters": {"email_eq": "nobody@example.com"}}, "resource_type"),
        ({"filters": {"password_start": "argon2"}}, "filters"),
        ({"filters": {"shoes": 1}}, "filters"),
        ({"filters": []}, "filters"),
        ({"filters": {"email_eq": None}}, "filters"),
        ({"filters": {f"reference_eq{'_' * n}": "a" for n in range(300)}}, "filters"),
        ({"filters": {"email_cont": "a"}, "includes": ["shoes"]}, "includes"),
        ({"includes": ["shoes"]}, "includes"),
        ({"includes": ["event_stores"]}, "includes"),
        ({"includes": "tags"}, "includes"),
        ({"fields": ["email", "shoes"]}, "fields"),
        ({"fields": ["customers.password"]}, "fields"),
        ({"fields": ["customers.tax_exemption_code"]}, "fields"),
        ({"fields": ["shoes.size"]}, "fields"),
        ({"fields": ["event_stores.*"]}, "fields"),
        ({"fields": ["tags.shoes"]}, "fields"),
        ({"fields": [""]}, "fields"),
        ({"fields": [".", "..email"]}, "fields"),
        ({"fields": "email"}, "fields"),
        ({"status": "completed"}, "status"),
    ],
)
def test_an_export_that_cannot_be_is_refused(api, members, pointer):
    make_customer()
    response = api.create("exports", {"resource_type": "customers", **members})
    assert response.status_code in (400, 422)
    assert response.json()["errors"][0]["source"]["pointer"] == f"/data/attributes/{pointer}"
    assert not Export.objects.exists()


def test_an_export_has_so_many_records_and_so_many_are_open_at_once(api, settings, monkeypatch):
    monkeypatch.setattr(export_checks, "MOST_OPEN", 2)
    source = {"pointer": "/data/attributes/resource_type"}
    for _ in range(2):
        make_customer()
        assert api.create("exports", {"resource_type": "customers"}).status_code == 201
    more = api.create("exports", {"resource_type": "customers"})
    error = error_of(more, 422, "VALIDATION_ERROR", source)
    assert error["meta"]["error"] == "too_many"
    exports.do_export_part()
    settings.MAX_EXPORT_RECORDS = 1
    error = error_of(
        api.create("exports", {"resource_type": "customers"}), 422, "VALIDATION_ERROR", source
    )
    assert "selects 2 records; it must be 1 to 1" in error["detail"]
    assert Export.objects.count() == 2
    only = {"resource_type": "customers", "filters": {"id_eq": Customer.objects.first().pk}}
    assert api.create("exports", only).status_code == 201


def test_it_is_interrupted_and_goes_on_where_it_stopped(api, monkeypatch):
    monkeypatch.setattr(exports, "PART", 2)
    for _ in range(4):
        make_customer()
    job = make_export()
    exports.do_export_part()
    assert api.update("exports", job.pk, {"_interrupt": True}).status_code == 200
    assert exports.do_export_part() is None
    shown = api.get(f"/api/exports/{job.pk}").json()["data"]["attributes"]
    assert (shown["status"], shown["progress"], shown["attachment_url"]) == (
        "interrupted",
        40,
        None,
    )
    api.update("exports", job.pk, {"_start": True})
    while exports.do_export_part():
        pass
    job.refresh_from_db()
    text = gzip.decompress(b"".join(exports.export_content(job)))
    assert len({record["id"] for record in json.loads(text)}) == 5


def test_a_link_is_for_five_minutes_and_for_one_file(api, client, monkeypatch):
    attributes, _ = run(api, filters={"id_eq": make_customer().pk})
    path = attributes["attachment_url"].removeprefix("http://127.0.0.1:8000")
    for wrong in (f"{path}x", "/api/exports/files/x"):
        error_of(client.get(wrong), 404, "RECORD_NOT_FOUND")
    stored = "private, no-store"
    for age, status in ((290, 200), (310, 404)):
        made = signing.b62_encode(int(time.time()) - age)
        monkeypatch.setattr(signing.TimestampSigner, "timestamp", lambda self, made=made: made)
        link = Export.objects.get().attachment_url.removeprefix("http://127.0.0.1:8000")
        answer = client.get(link)
        assert (answer.status_code, answer.get("Cache-Control")) == (status, stored)
    Export.objects.update(has_file=False)
    error_of(client.get(path), 404, "RECORD_NOT_FOUND")


def test_files_are_forgotten_with_a_person(api):
    run(api, filters={"id_eq": make_customer().pk})
    exports.forget_exports("live", bool)
    assert ExportPart.objects.exists()
    exports.forget_exports("test", bool)
    assert not ExportPart.objects.exists()
    done = Export.objects.get()
    assert (done.filters, done.attachment_url) == ({}, None)


def test_what_is_under_way_begins_again_with_its_filters_when_a_person_is_forgotten(
    api, monkeypatch
):
    monkeypatch.setattr(exports, "PART", 1)
    kept = [make_customer(email=f"vip-{n}@example.com") for n in range(2)]
    ada = make_customer(email="ada@example.com")
    both = [make_export(filters={"email_start": "vip-"}), make_export(filters={"id_in": [ada.pk]})]
    exports.do_export_part(Export.objects.filter(pk=both[0].pk))
    exports.forget_exports("test", lambda value: ada.pk in str(value))
    while exports.do_export_part():
        pass
    for job in both:
        job.refresh_from_db()
    assert [job.status for job in both] == ["completed", "failed"]
    text = gzip.decompress(b"".join(exports.export_content(both[0])))
    assert [record["id"] for record in json.loads(text)] == [customer.pk for customer in kept]
    assert both[1].filters == {}


def test_a_file_goes_after_a_week_whatever_became_of_its_export(api, monkeypatch):
    monkeypatch.setattr(exports, "PART", 1)
    make_customer()
    job = make_export()
    exports.do_export_part()
    interrupt(job)
    exports.delete_expired_exports(timezone.now() + exports.KEPT - timedelta(minutes=1))
    assert ExportPart.objects.exists()
    exports.delete_expired_exports(timezone.now() + exports.KEPT + timedelta(minutes=1))
    assert not ExportPart.objects.exists()
    job.refresh_from_db()
    assert (job.last_id, job.processed_count) == ("", 0)


def test_the_command_writes_a_file(tmp_path):
    make_customer(email="ada@example.com")
    path, out = tmp_path / "customers.csv", io.StringIO()
    call_command("export_customers", str(path), stdout=out)
    assert out.getvalue() == f"1 rows are in {path}.\n"
    assert "ada@example.com" in path.read_text()
    with pytest.raises(CommandError, match="selects 0 records"):
        call_command("export_customers", str(path), mode="live")
    with pytest.raises(CommandError, match=r"must end in \.csv or \.json"):
        call_command("export_customers", str(tmp_path / "customers.txt"))
