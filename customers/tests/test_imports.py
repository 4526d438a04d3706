"""Imports: many rows by the rules of one, done once however often they are begun."""

import gzip
import io
import json
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import DataError
from django.utils import timezone
from joserfc.jwk import OctKey

from customers.jobs import import_parts, imports, lifecycle
from customers.models import (
    Address,
    Customer,
    CustomerAddress,
    CustomerSubscription,
    Event,
    EventStore,
    Import,
    ImportInputs,
)
from customers.services.imports import MOST_OPEN
from customers.services.jobs import resume
from customers.tests.conftest import Api, error_of, in_threads, needs_postgresql
from customers.tests.factories import ADDRESS, make_customer, make_group, make_import, make_tag


def run(given, resource_type="customers", **options):
    """The import of `given`, done."""
    job = make_import(resource_type=resource_type, given=given, **options)
    while imports.do_import_part(Import.objects.filter(pk=job.pk)):
        pass
    job.refresh_from_db()
    return job


def counts(job):
    return job.status, job.processed_count, job.errors_count


def test_customers_are_made_by_the_api_with_their_log_and_events(api):
    inputs = [{"email": "ada@example.com", "reference": "A1"}, {"email": "bob@example.com"}]
    members = {"resource_type": "customers", "inputs": inputs}
    made = api.create("imports", members).json()["data"]
    assert made["attributes"]["status"] == "pending"
    assert made["attributes"]["inputs_size"] == 2
    assert "inputs" not in made["attributes"]
    while imports.do_import_part():
        pass
    done = api.get(f"/api/imports/{made['id']}", include="events").json()
    attributes = done["data"]["attributes"]
    assert attributes["status"] == "completed"
    assert (attributes["processed_count"], attributes["errors_count"]) == (2, 0)
    assert attributes["started_at"] <= attributes["completed_at"]
    names = [event["attributes"]["name"] for event in done["included"]]
    assert names == ["imports.create", "imports.start", "imports.complete"]
    ada = Customer.objects.get(email="ada@example.com")
    assert (ada.reference, ada.mode, ada.created_at) == ("A1", "test", ada.updated_at)
    log = EventStore.objects.get(resource_id=ada.pk)
    assert log.who["application"]["id"] == api.application.pk
    assert log.payload["email"] == {"from": None, "to": "ada@example.com"}
    event = Event.objects.get(resource_id=ada.pk)
    assert (event.name, event.undispatched) == ("customers.create", False)
    assert not ImportInputs.objects.exists()


@pytest.mark.parametrize("called", [True, False])
def test_webhooks_are_called_for_an_import_where_the_setting_says_so(settings, called):
    settings.IMPORTS_TRIGGER_WEBHOOKS = called
    run([{"email": "ada@example.com"}, {"email": "bob@example.com", "_add_tags": "vip"}])
    found = Event.objects.filter(name="customers.create").values_list("undispatched", flat=True)
    assert list(found) == [called, called]


def test_whom_an_input_names_is_changed_and_twice_in_one_file_is_once():
    ada, bob = make_customer(email="Ada@example.com"), make_customer(email="bob@example.com")
    job = run(
        [
            {"email": "ada@EXAMPLE.com", "reference": "A1"},
            {"id": bob.pk, "email": "robert@example.com"},
            {"email": "cy@example.com"},
            {"email": "CY@example.com", "reference": "C1"},
        ]
    )
    assert counts(job) == ("completed", 4, 0)
    assert Customer.objects.count() == 3
    ada.refresh_from_db()
    bob.refresh_from_db()
    assert (ada.reference, bob.email) == ("A1", "robert@example.com")
    assert Customer.objects.get(email_key="cy@example.com").reference == "C1"


def test_csv_names_related_rows_by_columns_and_a_formula_is_text():
    group, vip = make_group(code="staff"), make_tag(name="vip")
    make_tag(name="eu")
    text = (
        "\ufeffemail,reference,customer_group_id,tags.name,password\r\n"
        f'ada@example.com,\'=1+1,{group.pk},"VIP,eu",correct horse battery\r\n'
        f"bob@example.com,,,{vip.name},\r\n\r\n"
    )
    job = run(text, format="csv")
    assert counts(job) == ("completed", 2, 0)
    ada, bob = Customer.objects.order_by("email")
    assert (ada.reference, ada.customer_group) == ("=1+1", group)
    assert sorted(map(str, ada.tags.all())) == ["eu", "vip"]
    assert (ada.has_password, bob.has_password) == (True, False)
    assert (bob.reference, list(bob.tags.all())) == (None, [vip])


def test_a_password_waits_encrypted():
    job = make_import(given=[{"email": "ada@example.com", "password": "correct horse battery"}])
    assert "correct horse" not in str(job.stored_inputs.rows)


@pytest.mark.parametrize("format", ["json", "csv"])
def test_the_inputs_can_be_had_without_secrets_until_it_is_done(api, client, format):
    rows = [{"email": "ada@example.com", "password": "a secret"}, {"reference": "=1+1"}]
    text = "email,password,reference\nada@example.com,a secret,\n,,'=1+1\n"
    members = {"resource_type": "customers", "inputs": rows if format == "json" else text}
    made = api.create("imports", {**members, "format": format}).json()["data"]

    def link():
        shown = api.get(f"/api/imports/{made['id']}").json()["data"]["attributes"]
        return shown["attachment_url"] and urlsplit(shown["attachment_url"]).path

    path = link()
    answer = client.get(path)
    assert (answer["Content-Type"], answer["Cache-Control"]) == (
        "application/gzip",
        "private, no-store",
    )
    file = gzip.decompress(b"".join(answer.streaming_content)).decode()
    if format == "csv":
        assert file == "\ufeffemail,reference\r\nada@example.com,\r\n,'=1+1\r\n"
    else:
        assert json.loads(file) == [{"email": "ada@example.com"}, {"reference": "=1+1"}]
    error_of(client.get(path.replace("imports", "exports")), 404, "RECORD_NOT_FOUND")
    error_of(client.get(f"{path}x"), 404, "RECORD_NOT_FOUND")
    Import.objects.update(skip_errors=True)
    while imports.do_import_part():
        pass
    assert link() is None
    error_of(client.get(path), 404, "RECORD_NOT_FOUND")


def test_addresses_and_subscriptions_of_customers_are_brought_in():
    make_customer(email="ada@example.com")
    whole = {"customer.email": "ada@example.com"}
    whole |= {f"address.{name}": value for name, value in ADDRESS.items()}
    assert counts(run([whole], "customer_addresses")) == ("completed", 1, 0)
    assert CustomerAddress.objects.get().address == Address.objects.get()
    bad = {**whole, "address.city": ""}
    job = run([bad], "customer_addresses", skip_errors=True)
    assert counts(job) == ("completed", 0, 1)
    assert Address.objects.count() == 1
    subscription = {"customer_email": "ada@example.com", "reference": "news"}
    for metadata in ({"a": 1}, {"a": 2}):
        job = run([{**subscription, "metadata": metadata}], "customer_subscriptions")
    assert CustomerSubscription.objects.count() == 1


def test_what_is_refused_is_told_by_its_key_and_the_rest_is_done(api):
    good = [{"email": f"good{n}@example.com"} for n in range(18)]
    bad = [{"email": "no address"}, {"email": "ada@example.com", "status": "repeat"}]
    job = run([*good[:9], *bad, *good[9:]])
    assert counts(job) == ("completed", 18, 2)
    assert job.errors_log == {
        "no address": {"email": ["is not an e-mail address"]},
        "ada@example.com": {"status": ["status is not allowed."]},
    }
    assert api.delete(f"/api/imports/{job.pk}").status_code == 204
    for entry in EventStore.objects.filter(resource_id=job.pk):
        assert "ada@" not in str(entry.payload)


def test_more_than_a_tenth_of_errors_interrupts_it_unless_they_are_skipped():
    inputs = [{"email": f"{n}@example.com"} for n in range(20)]
    for number in (3, 5, 7, 9):
        inputs[number] = {"email": f"bad {number}"}
    job = run(inputs)
    assert counts(job) == ("interrupted", 5, 3)
    assert job.interrupted_at
    assert Customer.objects.count() == 5
    assert Event.objects.filter(name="imports.interrupt").count() == 1
    again = run(inputs, skip_errors=True)
    assert counts(again) == ("completed", 16, 4)
    assert Customer.objects.count() == 16


def test_it_is_interrupted_and_goes_on_where_it_stopped(api, monkeypatch):
    monkeypatch.setattr(import_parts, "PART", 4)
    job = make_import(given=[{"email": f"{n}@example.com"} for n in range(10)])
    imports.do_import_part()
    stopped = api.update("imports", job.pk, {"_interrupt": True}).json()["data"]["attributes"]
    assert (stopped["status"], stopped["processed_count"]) == ("interrupted", 4)
    assert imports.do_import_part() is None
    again = api.update("imports", job.pk, {"_interrupt": True})
    error_of(again, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/_interrupt"})
    assert api.update("imports", job.pk, {"_start": True}).status_code == 200
    while imports.do_import_part():
        pass
    for move in ("_start", "_interrupt"):  # of what has ended
        source = {"pointer": f"/data/attributes/{move}"}
        error_of(api.update("imports", job.pk, {move: True}), 422, "VALIDATION_ERROR", source)
    job.refresh_from_db()
    assert counts(job) == ("completed", 10, 0)
    assert Customer.objects.count() == 10


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"resource_type": "shoes"}, "resource_type"),
        ({"resource_type": "webhooks"}, "resource_type"),
        ({"inputs": []}, "inputs"),
        ({"inputs": [1]}, "inputs"),
        ({"inputs": {"email": "a"}}, "inputs"),
        ({"inputs": "email\na@example.com"}, "inputs"),
        ({"format": "csv"}, "inputs"),
        ({"format": "csv", "inputs": "email,email\na,b"}, "inputs"),
        ({"format": "csv", "inputs": "email\na,b"}, "inputs"),
        ({"format": "csv", "inputs": 'email\n"a'}, "inputs"),
        ({"format": "xml"}, "format"),
        ({"inputs": [{"email": "a"}] * 31}, "inputs"),
        ({"status": "completed"}, "status"),
    ],
)
def test_an_import_that_cannot_be_is_refused(api, settings, members, pointer):
    settings.MAX_IMPORT_INPUTS = 30
    given = {"resource_type": "customers", "inputs": [{"email": "a@example.com"}], **members}
    response = api.create("imports", given)
    assert response.status_code in (400, 422)
    assert response.json()["errors"][0]["source"]["pointer"] == f"/data/attributes/{pointer}"
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    "row",
    [
        {"email": 1},
        {"email": None},
        {},
        {"id": "none"},
        {"id": 7},
        {"id": {"a": 1}},
        {"email": "a@example.com", "tags": "vip"},
        {"email": "a@example.com", "tags": [{"id": {"a": 1}}]},
        {"email": "a@example.com", "customer_group": "staff"},
        {"email": "a@example.com", "customer_group": {"id": 7}},
        {"email": "a@example.com", "customer_group": {"type": 7, "id": "x"}},
        {"email": "a@example.com", "shoes.size": "7"},
        {"email": "a@example.com", "customer_group_id": "none"},
        {"email": "a@example.com", "reference": "x" * 300},
        {"email": "a@example.com", "password": {"a": 1}},
        {"email": "a@example.com", "metadata": "{"},
        {"email": "a@example.com", "": 1},
        {"email": "a@example.com", "_add_tags": ["vip"]},
    ],
)
def test_an_odd_input_is_an_error_and_makes_nothing(row):
    job = run([row], skip_errors=True)
    assert counts(job) == ("completed", 0, 1)
    assert not Customer.objects.exists()


def test_a_part_ends_when_others_would_wait_too_long_for_it(monkeypatch):
    monkeypatch.setattr(import_parts, "LONGEST_PART", 0)
    rows = [{"email": f"{n}@example.com", "password": "correct horse"} for n in range(3)]
    job = make_import(given=rows)
    for done in (1, 2, 3):
        assert imports.do_import_part().processed_count == done
    job.refresh_from_db()
    assert job.status == "completed"


def test_a_part_that_fails_holds_up_no_other_import_and_is_given_up(monkeypatch, caplog):
    broken, sound = make_import(given=[{"email": "ada@example.com"}]), make_import()
    real = import_parts.ImportPart.run

    def run_part(part):
        if part.job.pk == broken.pk:
            raise DataError("ada@example.com")
        real(part)

    monkeypatch.setattr(import_parts.ImportPart, "run", run_part)
    for failures in range(1, lifecycle.MOST_FAILURES + 1):
        Import.objects.update(next_attempt_at=None)
        started = timezone.now()
        while imports.do_import_part():
            pass
        broken.refresh_from_db()
        assert broken.failures == failures
        wait = lifecycle.FIRST_RETRY * 2 ** (failures - 1)
        assert 0.9 * wait < broken.next_attempt_at - started < wait + timedelta(seconds=25)
    sound.refresh_from_db()
    assert (sound.status, broken.status) == ("completed", "interrupted")
    assert broken.errors_log["base"]["base"]
    assert Event.objects.filter(resource_id=broken.pk, name="imports.interrupt").count() == 1
    assert "ada@" not in caplog.text
    monkeypatch.setattr(import_parts.ImportPart, "run", real)
    resume(broken)
    assert imports.do_import_part().status == "completed"


def test_a_password_that_another_key_encrypted_is_an_error_of_its_row(monkeypatch):
    job = make_import(given=[{"email": "ada@example.com", "password": "correct horse"}])
    other = OctKey.import_key(b"k" * 32)
    monkeypatch.setattr("customers.services.imports._key", lambda: other)
    imports.do_import_part()
    job.refresh_from_db()
    assert job.errors_log == {
        "ada@example.com": {"password": ["cannot be read since the SECRET_KEY was changed"]}
    }


@needs_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["imports", "exports"])
def test_of_sixteen_that_are_begun_at_once_ten_are(kind):
    api, inputs = Api(), [{"email": "ada@example.com"}]
    make_customer()
    members = {"resource_type": "customers", **({"inputs": inputs} if kind == "imports" else {})}
    answers = in_threads(16, lambda _: api.create(kind, members))
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [422] * 6


def test_only_so_many_are_under_way_at_once(api):
    for _ in range(MOST_OPEN):
        make_import()
    members = {"resource_type": "customers", "inputs": [{"email": "a@example.com"}]}
    error_of(
        api.create("imports", members),
        422,
        "VALIDATION_ERROR",
        {"pointer": "/data/attributes/resource_type"},
    )
    assert Import.objects.count() == MOST_OPEN


def test_new_rows_belong_to_the_parent_that_the_import_names(api, live_api):
    ada, bob = make_customer(), make_customer()
    members = {"resource_type": "customer_payment_sources", "parent_resource_id": ada.pk}
    own = {"payment_source_token": "pm_2", "customer_id": bob.pk}
    inputs = [{"payment_source_token": "pm_1"}, own]
    made = api.create("imports", {**members, "inputs": inputs}).json()["data"]
    assert made["attributes"]["parent_resource_id"] == ada.pk
    assert imports.do_import_part().status == "completed"
    assert [one.payment_source_token for one in ada.customer_payment_sources.all()] == ["pm_1"]
    assert [one.payment_source_token for one in bob.customer_payment_sources.all()] == ["pm_2"]
    found = api.get("/api/imports", **{"filter[q][parent_resource_id_eq]": ada.pk}).json()["data"]
    assert [one["id"] for one in found] == [made["id"]]
    changed = api.update("imports", made["id"], {"parent_resource_id": bob.pk})
    error_of(changed, 400, "PARAM_NOT_ALLOWED", {"pointer": "/data/attributes/parent_resource_id"})
    live_api.create("imports", {**members, "inputs": inputs[:1]})
    job = imports.do_import_part()
    assert (job.status, job.processed_count, job.errors_count) == ("interrupted", 0, 1)


def test_an_import_may_be_larger_than_other_requests(api, settings):
    settings.MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    inputs = [{"email": f"{n}@example.com"} for n in range(200)]
    members = {"resource_type": "customers", "inputs": inputs}
    assert api.create("imports", members).status_code == 201
    settings.MAX_IMPORT_BYTES = 2000
    error_of(api.create("imports", members), 413, "CONTENT_TOO_LARGE")


def test_the_command_imports_a_file_and_tells_what_was_refused(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("email\nada@example.com\n" + "".join(f"{n}@example.com\n" for n in range(20)))
    out = io.StringIO()
    call_command("import_customers", str(path), stdout=out, mode="live")
    assert out.getvalue().endswith("Completed: 21 rows done, 0 refused.\n")
    assert Customer.objects.in_mode("live").count() == 21
    actor = EventStore.objects.filter(resource_type="customers").first().who
    assert actor["owner"]["type"] == "Operator"
    path.write_text("email\nnonsense\n")
    err = io.StringIO()
    with pytest.raises(CommandError, match="Interrupted: 0 rows done, 1 refused"):
        call_command("import_customers", str(path), stdout=out, stderr=err)
    assert err.getvalue() == "nonsense: email is not an e-mail address\n"
    with pytest.raises(CommandError, match=r"must end in \.csv or \.json"):
        call_command("import_customers", str(tmp_path / "customers.txt"))
    with pytest.raises(CommandError, match="could not be read"):
        call_command("import_customers", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="no import with this id"):
        call_command("import_customers", resume="x")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.json", b'[{"email": "\\ud800"}]', "holds half of a surrogate pair"),
        ("a.json", b'[{"email": "\\u0000"}]', "holds the character NUL"),
        ("a.json", b'[{"metadata": NaN}]', "NaN is not a JSON number"),
        ("a.json", b"[" * 50_000, "is nested deeper than"),
        ("a.json", b"[", "is not JSON"),
        ("a.json", b"\xff", "is not UTF-8"),
        ("a.csv", b"email\nA\0\n", "holds the character NUL"),
        ("a.csv", b"\xef\xbb\xbfemail\n\xff\n", "begins as UTF-8, but is not in line 2"),
    ],
)
def test_the_command_refuses_a_file_that_cannot_be_kept(tmp_path, name, content, told):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CommandError, match=told):
        call_command("import_customers", str(path))
    assert not Import.objects.exists()
