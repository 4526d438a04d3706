"""Customers from a file and into one, by staff."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.jobs import bulk, worker
from customers.models import Customer, EventStore, Export, Import, Upload
from customers.tests.factories import make_customer, make_group, make_tag

LIST = "/admin/customers/customer/"
UPLOAD = f"{LIST}import/"
GOOD = "E-Mail,Reference,Tags,Colour\nada@example.com,R-1,vip,red\n\nbob@example.com,'=R-2,,blue\n"
BAD = f"{GOOD}no address,R-3,,\ncarl@example.com,R-4,{'x' * 300},\nADA@example.com,{'y' * 300},,\n"


def bring(client, text):
    content = text if isinstance(text, bytes) else text.encode()
    return client.post(UPLOAD, {"file": SimpleUploadedFile("customers.csv", content)})


def answers(page, **changes):
    """What the preview's form sends, unchanged but for `changes`."""
    form = page.context["form"]
    return {name: form[name].value() or "" for name in form.fields} | changes


def test_a_file_is_looked_at_before_anything_is_written(admin_client, admin_user):
    make_tag(name="vip")
    where = bring(admin_client, GOOD)["Location"]
    page = admin_client.get(where)
    assert answers(page) == {
        "column0": "email",
        "column1": "reference",
        "column2": "_add_tags",
        "column3": "",
    }
    assert "2 customers" in page.content.decode()
    assert "No errors were found." in page.content.decode()
    assert not (Customer.objects.exists())
    assert not (Import.objects.exists())
    assert not (EventStore.objects.exists())
    progress = admin_client.post(where, answers(page, go="import"))["Location"]
    assert not Customer.objects.exists()
    assert not Upload.objects.exists()
    assert "0 of 2 rows" in admin_client.get(progress).content.decode()
    worker.run_once()
    assert "2 created or updated, 0 skipped" in admin_client.get(progress).content.decode()
    ada, bob = Customer.objects.order_by("email")
    assert (ada.reference, [tag.name for tag in ada.tags.all()]) == ("R-1", ["vip"])
    assert (bob.reference, bob.mode) == ("=R-2", "test")
    entry = EventStore.objects.get(resource_id=bob.pk)
    assert entry.who["owner"]["id"] == str(admin_user.pk)
    assert LogEntry.objects.get().change_message == "Began the import of 2 customers."


def test_an_import_is_stopped_and_goes_on_by_a_button(admin_client, client):
    where = bring(admin_client, GOOD)["Location"]
    page = admin_client.post(where, answers(admin_client.get(where), go="import"))["Location"]
    assert "Stop the import" in admin_client.get(page).content.decode()
    assert admin_client.post(page, {"move": "interrupt"}).status_code == 302
    worker.run_once()
    shown = admin_client.get(page).content.decode()
    assert "Interrupted: 0 of 2 rows." in shown
    assert ">Resume<" in shown
    assert not Customer.objects.exists()
    assert admin_client.post(page, {"move": "jump"}).status_code == 400
    again = admin_client.post(page, {"move": "interrupt"}, follow=True).content.decode()
    assert "The import has moved on meanwhile." in again
    client.force_login(User.objects.create_user("grace", is_staff=True))
    assert client.post(page, {"move": "resume"}).status_code == 403
    assert Import.objects.get().status == "interrupted"
    admin_client.post(page, {"move": "resume"})
    worker.run_once()
    shown = admin_client.get(page).content.decode()
    assert "2 created or updated, 0 skipped" in shown
    assert 'name="move"' not in shown
    pk = Import.objects.get().pk
    sentences = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
    assert list(sentences)[1:] == [f"Stopped the import {pk}.", f"Resumed the import {pk}."]
    entries = EventStore.objects.filter(resource_id=pk, event="update").order_by("pk")
    statuses = [entry.payload["status"]["to"] for entry in entries]
    assert statuses == ["interrupted", "pending"]
    assert {entry.who["owner"]["type"] for entry in entries} == {"User"}


def test_errors_are_shown_by_row_and_column_and_told_in_a_file(admin_client):
    make_tag(name="vip")
    where = bring(admin_client, BAD)["Location"]
    page = admin_client.get(where)
    told = [(row, column, value[:10]) for row, column, _, value in page.context["told"]]
    assert told == [
        (5, "E-Mail", "no address"),
        (6, "Tags", "x" * 10),
        (7, "Reference", "y" * 10),
    ]
    assert not Customer.objects.exists()
    progress = admin_client.post(where, answers(page, go="import"))["Location"]
    worker.run_once()
    assert Customer.objects.count() == 3
    lines = list(
        csv.reader(
            io.StringIO(admin_client.get(f"{progress}errors.csv").content.decode("utf-8-sig"))
        )
    )
    assert lines[0] == ["row", "customer", "column", "error"]
    assert [line[:3] for line in lines[1:]] == [
        ["5", "no address", "email"],
        ["6", "carl@example.com", "_add_tags"],
        ["7", "ADA@example.com", "reference"],
    ]


def test_the_errors_of_rows_that_are_alike_or_have_no_address_are_told_apart(admin_client):
    text = "email,reference\nbad,\n\nbad,R\nada@example.com,\n,R-1\n=bad,\n"
    where = bring(admin_client, text)["Location"]
    page = admin_client.get(where)
    progress = admin_client.post(where, answers(page, go="import"))["Location"]
    worker.run_once()
    errors = admin_client.get(f"{progress}errors.csv").content.decode().splitlines()
    assert errors[1:] == [
        "2,bad,email,is not an e-mail address",
        "4,bad,email,is not an e-mail address",
        "6,,email,can't be blank",
        "7,'=bad,email,is not an e-mail address",
    ]
    assert [row for row, *_ in page.context["told"]] == [2, 4, 6, 7]
    assert set(Import.objects.get().errors_log) == {"bad", "input 4", "=bad"}


def test_the_page_of_an_import_that_was_given_up_says_so(admin_client):
    where = bring(admin_client, GOOD)["Location"]
    page = admin_client.post(where, answers(admin_client.get(where), go="import"))["Location"]
    job = Import.objects.get()
    job.give_up(timezone.now())
    job.save()
    assert "The import failed on our side several times" in admin_client.get(page).content.decode()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("email\n", "must be 1 to"),
        ('email\n"a\n', "is no CSV in line"),
        (b"\xef\xbb\xbfemail\n\xff@example.com\n", "begins as UTF-8, but is not in line 2"),
        ("email\nA\0\n", "holds the character NUL"),
        ("email\n" + "x" * 2000, "has more than 1024 bytes"),
        ("", "The file is empty."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence(admin_client, settings, text, told):
    settings.MAX_UPLOAD_BYTES = 1024
    page = bring(admin_client, text)
    assert page.status_code == 200
    assert told in page.content.decode()
    assert not Upload.objects.exists()


def test_columns_must_be_told_apart_and_hold_the_address(admin_client):
    where = bring(admin_client, "who,mail2,password\nada,ada@example.com,secret123\n")["Location"]
    page = admin_client.get(where)
    assert "Choose the column that has the e-mail address." in page.content.decode()
    assert 'value="password"' not in page.content.decode()
    for wrong in ({"column0": "email", "column1": "email"}, {"column0": "password"}):
        page = admin_client.post(where, {"column1": "", "column2": "", "go": "import", **wrong})
        assert page.context["form"].errors
    assert not Import.objects.exists()
    sent = {"column0": "reference", "column1": "email", "column2": "", "go": "import"}
    assert admin_client.post(where, sent).status_code == 302


def test_a_file_is_its_bringers_in_its_mode_alone(admin_client, client):
    where = bring(admin_client, GOOD)["Location"]
    progress = admin_client.post(bring(admin_client, GOOD)["Location"], {})
    other = User.objects.create_superuser("other")
    client.force_login(other)
    assert client.get(where).status_code == 404
    job = Import.objects.create(resource_type="customers", mode="live", inputs_size=1)
    for page in (f"{LIST}imports/{job.pk}/", f"{LIST}imports/{job.pk}/errors.csv"):
        assert admin_client.get(page).status_code == 404
    admin_client.post("/admin/mode/", {"mode": "live"})
    assert admin_client.get(where).status_code == 404
    assert admin_client.post(where, {"go": "import"}).status_code == 404
    assert progress.status_code == 200


def test_a_file_that_nobody_went_on_with_is_gone_after_an_hour(admin_client):
    bring(admin_client, GOOD)
    Upload.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    bring(admin_client, GOOD)
    new = Upload.objects.latest("created_at")
    worker.delete_expired_rows()
    assert Upload.objects.get() == new


def test_imports_and_exports_need_their_permissions(client):
    customer = make_customer()
    user = User.objects.create_user("grace", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_customer"))
    client.force_login(user)
    job = Import.objects.create(resource_type="customers", inputs_size=1)
    for page in (UPLOAD, f"{UPLOAD}x/", f"{LIST}imports/{job.pk}/"):
        assert client.get(page).status_code == 403
    assert bring(client, GOOD).status_code == 403
    sent = {"action": "export_csv", "index": 0, "confirmed": 1, "_selected_action": [customer.pk]}
    assert "text/csv" not in client.post(LIST, sent)["Content-Type"]
    shown = client.get(LIST).content.decode()
    assert "Import" not in shown
    assert "export_csv" not in shown
    assert not Upload.objects.exists()


def export(client, customers, **sent):
    chosen = {"_selected_action": [customer.pk for customer in customers]}
    return client.post(LIST, {"action": "export_csv", "index": 0, **chosen, **sent})


def test_an_export_holds_what_was_selected_and_no_formula(admin_client):
    group = make_group(name="=cmd|' /C calc'!A0")
    ada = make_customer(email="+ada@example.com", reference="@SUM(1)", customer_group=group)
    ada.tags.add(make_tag(name="vip"), make_tag(name="b"))
    make_customer()
    make_customer(mode="live")
    assert "Export 1 customer" in export(admin_client, [ada]).content.decode()
    answer = export(admin_client, [ada], confirmed="1")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    names, line = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    row = dict(zip(names, line, strict=True))
    assert (row["email"], row["reference"]) == ("'+ada@example.com", "'@SUM(1)")
    assert (row["customer_group"], row["tags"]) == ("'=cmd|' /C calc'!A0", "b,vip")
    assert "password" not in names
    answer = export(admin_client, [ada], confirmed="2", select_across="1")
    assert len(answer.content.decode().splitlines()) == 3
    log = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
    assert list(log) == ["Exported 1 customer.", "Exported 2 customers."]


@pytest.mark.parametrize(
    "query",
    [
        "?filter[q][reference_eq]=R",
        "?filter[q][reference_eq]=R&q=ada",
        "?filter[q][tags_name_eq]=vip&filter[q][tags_name_eq]=new",
    ],
)
def test_an_export_too_large_to_wait_for_goes_on_in_the_background(
    admin_client, client, monkeypatch, query
):
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    tags = [make_tag(name="vip"), make_tag(name="new")]
    for number in range(3):
        make_customer(email=f"ada{number}@example.com", reference="R").tags.add(*tags)
    make_customer(email="ada@example.com").tags.add(tags[0])
    make_customer(email="ada@example.com", reference="R", mode="live")
    sent = {"action": "export_csv", "index": 0, "select_across": "1", "_selected_action": ["x"]}
    assert "in the background" in admin_client.post(f"{LIST}{query}", sent).content.decode()
    assert not Export.objects.exists()
    progress = admin_client.post(f"{LIST}{query}", {**sent, "confirmed": "3"})["Location"]
    job = Export.objects.get()
    told = f"Began the export {job.pk} of 3 customers."
    assert LogEntry.objects.get().change_message == told
    assert "Pending: 0 of 3 customers." in admin_client.get(progress).content.decode()
    assert admin_client.get(f"{progress}customers.csv").status_code == 404
    worker.run_once()
    assert "Download the file" in admin_client.get(progress).content.decode()
    file = b"".join(admin_client.get(f"{progress}customers.csv").streaming_content)
    rows = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))
    assert [row["email"] for row in rows] == [f"ada{number}@example.com" for number in range(3)]
    assert rows[0].keys() >= {"id", "has_password", "status", "customer_group", "tags"}
    admin_client.post("/admin/mode/", {"mode": "live"})
    client.force_login(User.objects.create_user("grace", is_staff=True))
    for page in (progress, f"{progress}customers.csv"):
        assert admin_client.get(page).status_code == 404
        assert client.get(page).status_code == 403


def test_an_export_of_more_than_there_may_be_is_refused_with_a_sentence(admin_client, settings):
    settings.MAX_EXPORT_RECORDS = 1
    customers = [make_customer(), make_customer()]
    refused = export(admin_client, customers, confirmed="2").content.decode()
    assert "An export is limited to 1 customer. Filter the list first." in refused
    assert not LogEntry.objects.exists()


def test_more_customers_cost_an_export_no_more_queries(admin_client):
    counts, customers = [], [make_customer(customer_group=make_group())]
    for _ in range(2):
        total = str(len(customers))
        with CaptureQueriesContext(connection) as queries:
            assert export(admin_client, customers, confirmed=total).content
        counts.append(len(queries))
        customers += [make_customer(customer_group=make_group()) for _ in range(5)]
    assert counts[0] == counts[1]
