"""What operators run."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.core import mail
from django.core.management import CommandError, call_command, load_command_class
from django.db import connection
from django.test.utils import CaptureQueriesContext
from joserfc import jws

from customers.models import (
    Address,
    Application,
    BulkAct,
    BulkChunk,
    Counter,
    Customer,
    CustomerGroup,
    CustomerPasswordReset,
    CustomerPaymentSource,
    Delivery,
    Event,
    EventCallback,
    EventStore,
    Export,
    ExportPart,
    IdempotentAnswer,
    Import,
    ImportInputs,
    Order,
    OrderSubscription,
    QueuedMail,
    RestoredCopy,
    RevokedToken,
    Segment,
    Session,
    SkuList,
    StaffPreference,
    Tag,
    Timeline,
    Upload,
    Webhook,
    WorkerHeartbeat,
)
from customers.services import signing_keys
from customers.services.passwords import hash_password, verify_password
from customers.tests.conftest import Api
from customers.tests.factories import make_customer, make_import, make_reset

UNTOLD = (
    Delivery,
    EventCallback,
    Export,
    ExportPart,
    Import,
    ImportInputs,
    Webhook,
    BulkAct,
    BulkChunk,
    Counter,
    CustomerPasswordReset,
    EventStore,
    IdempotentAnswer,
    QueuedMail,
    Timeline,
    RestoredCopy,
    RevokedToken,
    Segment,
    Session,
    StaffPreference,
    Upload,
    WorkerHeartbeat,
)


@pytest.mark.thorough
def test_demo_makes_the_same_people_every_time(capsys):
    stories = []
    for mode in ("test", "live"):
        call_command("demo", customers=30, mode=mode)
        assert f"There are 30 demonstration customers ({mode})." in capsys.readouterr().out
        people = Customer.objects.in_mode(mode).order_by("reference")
        orders = Order.objects.in_mode(mode).order_by("number")
        stories.append(
            [
                *people.values_list("email", "metadata", "status", "customer_group__code"),
                *orders.values_list("number", "status", "total_amount_cents", "customer__email"),
            ]
        )
    assert len(stories[0]) > 60
    assert stories[0] == stories[1]
    assert (CustomerGroup.objects.count(), Tag.objects.count()) == (8, 14)


def test_demo_adds_only_what_is_missing_and_touches_nothing_else():
    mine = Customer.objects.create(email="mine@example.com")
    call_command("demo", customers=5)
    first = set(Customer.objects.values_list("pk", flat=True))
    call_command("demo", customers=8)
    call_command("demo", customers=3)
    assert Customer.objects.count() == 9
    assert first | {mine.pk} <= set(Customer.objects.values_list("pk", flat=True))


def test_demo_customers_have_groups_tags_and_dates_that_their_ids_follow():
    call_command("demo", customers=60, mode="live")
    customers = Customer.objects.in_mode("live").order_by("id")
    assert customers.count() == 60
    assert customers.filter(tags__isnull=False).exists()
    assert customers.filter(customer_group=None).exists()
    assert customers.filter(password=None).exists()
    dates = list(customers.values_list("created_at", flat=True))
    assert dates == sorted(dates)


@pytest.mark.thorough
def test_demo_tells_stories_that_hold_together(api):
    call_command("demo", customers=80)
    for model in apps.get_app_config("customers").get_models():
        assert model.objects.exists() or model in UNTOLD, model
    for customer in Customer.objects.all():
        assert customer.total_orders_count == customer.orders.exclude(placed_at=None).count()
        assert customer.status == customer.status_for_order_count
        topics = Event.objects.filter(resource_id=customer.pk).values_list("name", flat=True)
        wanted = ["customers.create", "customers.acquired", "customers.repeat"]
        assert list(topics) == wanted[: 1 + min(customer.total_orders_count, 2)]
    for model in (Address, CustomerPaymentSource, Order, OrderSubscription, SkuList):
        for row in model.objects.all():
            row.full_clean()
    include = "orders,customer_addresses.address,returns,sku_lists.sku_list_items"
    assert api.get("/api/customers", include=include).status_code == 200


def test_create_application_shows_a_secret_once(capsys, client):
    call_command("create_application", "Order system", mode="live")
    shown = dict(line.split(":") for line in capsys.readouterr().out.splitlines() if ":" in line)
    application = Application.objects.get()
    assert (application.name, application.kind, application.mode) == (
        "Order system",
        "integration",
        "live",
    )
    response = client.post(
        "/oauth/token",
        {"grant_type": "client_credentials", **{k: v.strip() for k, v in shown.items()}},
        content_type="application/json",
    )
    assert response.status_code == 200


@pytest.mark.parametrize("options", [{"mode": "prod"}, {"kind": "robot"}])
def test_create_application_refuses_what_it_does_not_know(options):
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("create_application", "X", *(f"--{k}={v}" for k, v in options.items()))
    assert not Application.objects.exists()


def test_quickstart_prints_secrets_once_and_leaves_what_is_there(capsys):
    call_command("quickstart", no_server=True)
    first = capsys.readouterr().out
    assert "CLIENT_SECRET=" in first
    assert "user staff   password " in first
    call_command("quickstart", no_server=True)
    assert "CLIENT_SECRET=" not in capsys.readouterr().out
    assert (Application.objects.count(), Customer.objects.count()) == (2, 200)


def test_quickstart_begins_again_with_the_address_that_links_lead_to(monkeypatch):
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    monkeypatch.setattr(os, "execve", lambda *given: sys.exit(given[2]["PUBLIC_URL"]))
    for address, url in (("127.0.0.1:8123", "127.0.0.1:8123"), ("0.0.0.0:80", "127.0.0.1:80")):
        with pytest.raises(SystemExit, match=f"^http://{url}$"):
            call_command("quickstart", address)
    with pytest.raises(CommandError, match=r"such as 127\.0\.0\.1:8000"):
        call_command("quickstart", "nonsense")
    assert not Application.objects.exists()


def test_quickstart_says_what_other_commands_need(monkeypatch, settings):
    monkeypatch.setenv("PUBLIC_URL", "http://127.0.0.1:8123")
    settings.PUBLIC_URL = "http://127.0.0.1:8123"
    make_customer()
    said = run("quickstart", "127.0.0.1:8123", "--no-server")
    assert "Admin  http://127.0.0.1:8123/admin/" in said
    assert "export PUBLIC_URL=http://127.0.0.1:8123\n" in said


# Access


PASSWORD = "correct horse battery"


@pytest.fixture
def ada():
    return make_customer(email="Ada@example.com", password=hash_password(PASSWORD))


def run(*arguments, **options):
    """What a command says."""
    said = io.StringIO()
    call_command(*arguments, stdout=said, **options)
    return said.getvalue()


def test_a_sales_channel_has_no_secret(client):
    said = run("create_application", "Shop", kind="sales_channel")
    assert "client_secret" not in said
    application = Application.objects.get()
    assert (application.kind, application.secret_digest) == ("sales_channel", None)
    with pytest.raises(CommandError, match="Only an integration has a role"):
        run("create_application", "Shop", "--kind=sales_channel", "--read-only")
    run("create_application", "Report", "--read-only")
    assert Application.objects.filter(role="read_only", kind="integration").count() == 1


@pytest.mark.parametrize("name", ["", " ", "x" * 256, "two\nlines", "\udce9"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(CommandError, match="A name must be 1 to 255 printable characters"):
        run("create_application", name)
    assert not Application.objects.exists()


def test_applications_are_listed_without_secrets():
    assert "create_application" in run("list_applications")
    made = run("create_application", "Order system", mode="live")
    run("create_application", "Shop", kind="sales_channel")
    run("create_application", "Report", "--read-only")
    said = run("list_applications")
    kinds = [line.split()[:2] for line in said.splitlines()]
    assert kinds == [["live", "integration"], ["test", "sales_channel"], ["test", "read_only"]]
    assert made.split("client_secret:")[1].strip() not in said
    assert "Order system" not in run("list_applications", mode="test")


def test_a_reset_link_is_mailed(ada, client):
    said = run("reset_customer_password", "ADA@example.com")
    assert said == f"A link was sent to customer {ada.pk}.\n"
    assert mail.outbox[0].to == ["Ada@example.com"]
    assert Event.objects.get().name == "customer_password_resets.create"


def test_a_reset_link_is_shown_and_works(ada, client):
    link = run("reset_customer_password", "ada@example.com", "--print-link").strip()
    assert mail.outbox == []
    form = client.get(link.removeprefix("http://127.0.0.1:8000"))["Location"]
    words = {"password": "a wholly new sentence", "again": "a wholly new sentence"}
    assert client.post(form, words).status_code == 302
    assert verify_password(words["password"], Customer.objects.get().password)


def test_a_mail_that_cannot_be_sent_is_told_with_what_to_do(ada, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    with pytest.raises(CommandError, match=r"Check EMAIL_URL, or use --print-link\."):
        run("reset_customer_password", "ada@example.com")
    assert not CustomerPasswordReset.objects.exists()


def typed(monkeypatch, *answers):
    waiting = list(answers)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: waiting.pop(0))


def test_a_password_is_typed_twice(ada, monkeypatch):
    as_ada = Api(customer=ada)
    typed(monkeypatch, "a wholly new sentence", "a wholly new sentence")
    assert "has a new password" in run("reset_customer_password", "ada@example.com", "--set")
    assert verify_password("a wholly new sentence", Customer.objects.get().password)
    assert as_ada.get("/api/customers").status_code == 401
    (line,) = EventStore.objects.filter(resource_id=ada.pk).values_list("who", flat=True)
    assert line["owner"]["type"] == "Operator"


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (["one sentence", "another one"], "do not match; nothing was changed"),
        (["short", "short"], r"is too short \(minimum is 8 characters\); nothing was changed"),
    ],
)
def test_a_password_that_is_not_accepted_changes_nothing(ada, monkeypatch, answers, told):
    typed(monkeypatch, *answers)
    with pytest.raises(CommandError, match=told):
        run("reset_customer_password", "ada@example.com", "--set")
    assert verify_password(PASSWORD, Customer.objects.get().password)


def test_a_password_is_not_read_from_a_pipe(ada):
    with pytest.raises(CommandError, match="use --print-link"):
        run("reset_customer_password", "ada@example.com", "--set")


@pytest.mark.parametrize("arguments", [["--print-link", "--set"], ["--expire", "--set"]])
def test_one_way_at_a_time(ada, arguments):
    with pytest.raises(CommandError, match="not allowed with"):
        run("reset_customer_password", "ada@example.com", *arguments)


def test_open_resets_and_sessions_are_expired(ada):
    as_ada, reset = Api(customer=ada), make_reset(customer=ada)
    run("reset_customer_password", "ada@example.com", "--expire")
    assert as_ada.get("/api/customers").status_code == 401
    assert CustomerPasswordReset.objects.get(pk=reset.pk).token_digest is None
    assert verify_password(PASSWORD, Customer.objects.get().password)


@pytest.mark.parametrize("command", ["reset_customer_password", "revoke_tokens"])
def test_an_address_that_nobody_or_two_have_is_refused_with_what_to_do(ada, command):
    with pytest.raises(CommandError, match="No customer has this address"):
        run(command, "nobody@example.com")
    with pytest.raises(CommandError, match="No live customer has this address"):
        run(command, "ada@example.com", mode="live")
    twin = make_customer(email="ada@example.com", mode="live")
    with pytest.raises(CommandError, match="Add --mode test or --mode live"):
        run(command, "ada@example.com")
    assert twin.pk in run(command, "ada@example.com", mode="live")


def test_a_customers_or_an_applications_tokens_are_revoked(ada, api):
    as_ada = Api(customer=ada)
    run("revoke_tokens", "ada@example.com")
    assert as_ada.get("/api/customers").status_code == 401
    assert api.get("/api/customers").status_code == 200
    assert "All tokens of Tests were revoked" in run(
        "revoke_tokens", application=api.application.client_id
    )
    assert api.get("/api/customers").status_code == 401
    with pytest.raises(CommandError, match="list_applications"):
        run("revoke_tokens", application="unknown")
    for arguments in ([], ["ada@example.com", f"--application={api.application.client_id}"]):
        with pytest.raises(CommandError, match="Name either"):
            run("revoke_tokens", *arguments)


def test_a_new_key_signs_and_older_ones_verify_until_they_are_dropped(
    client, api, settings, tmp_path, monkeypatch
):
    monkeypatch.setattr(signing_keys, "LOOK_EVERY", 0)
    settings.DATA_DIR = tmp_path
    old = Api()
    assert "older keys deleted: 0" in run("rotate_signing_key")
    new = Api()
    header = [jws.extract_compact(a.token.encode()).headers()["kid"] for a in (old, new)]
    assert header[0] != header[1]
    published = [key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]]
    assert published == [header[1], header[0]]
    assert [a.get("/api/customers").status_code for a in (old, new)] == [200, 200]
    assert "older keys deleted: 2" in run("rotate_signing_key", "--drop-old")
    assert [a.get("/api/customers").status_code for a in (old, new)] == [401, 401]
    assert Api().get("/api/customers").status_code == 200


def test_a_key_is_dropped_when_no_token_can_be_of_it_any_more(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    for _ in range(3):
        run("rotate_signing_key")
    *_, newer, newest = sorted((tmp_path / "keys").iterdir())
    for path in (tmp_path / "keys").iterdir():
        age = time.time() - settings.REFRESH_TOKEN_LIFETIME - (60 if path != newest else -60)
        os.utime(path, (age, age))
    assert "older keys deleted: 1" in run("rotate_signing_key")  # the one that `newer` replaced
    assert sorted((tmp_path / "keys").iterdir())[:2] == [newer, newest]


COMMANDS = {
    path.stem
    for path in (Path(django_settings.BASE_DIR) / "customers/management/commands").glob("[!_]*.py")
} - {"test"}  # which hands all arguments on


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_each_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        load_command_class("customers", command).run_from_argv(["manage.py", command, "--help"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert len(said) > 400
    assert "Exits with 0 when" in said


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_arguments_that_are_no_text_are_refused(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        load_command_class("customers", command).run_from_argv(["manage.py", command, "\udce9"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "The arguments must be UTF-8; nothing was done.\n"


def test_the_worker_does_what_is_due_once():
    QueuedMail.objects.create(mode="test", kind="password_reset", email="nobody@example.com")
    assert run("work", "--once") == "Done; bulk_chunks: 0, mails: 1, webhooks: 0, parts: 0.\n"


@pytest.mark.thorough
def test_the_worker_stops_when_it_is_told_to(tmp_path):
    manage = Path(django_settings.BASE_DIR) / "manage.py"
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)}
    worker = subprocess.Popen(
        [sys.executable, "-u", manage, "work"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # it says that it waits for the tables
        text=True,
    )
    assert worker.stdout.readline() == "Working; Ctrl+C stops.\n"
    worker.terminate()
    assert worker.communicate(timeout=60)[0] == "Stopped.\n"
    assert worker.returncode == 0


# Files


def test_an_export_looks_at_the_file_first_and_spoils_none(tmp_path):
    make_customer()
    kept = tmp_path / "kept.csv"
    kept.write_text("before")
    for path in (tmp_path / "none" / "x.csv", kept / "x.csv"):
        with pytest.raises(CommandError, match=r"x\.csv cannot be written: .+\.$"):
            call_command("export_customers", str(path))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(CommandError, match=r"folder\.csv is a folder"):
        call_command("export_customers", str(tmp_path / "folder.csv"))
    assert not Export.objects.exists()
    with pytest.raises(CommandError, match="selects 0 records"):
        call_command("export_customers", str(kept), "--mode=live")
    assert kept.read_text() == "before"
    call_command("export_customers", str(kept))
    assert kept.read_bytes().startswith(b"\xef\xbb\xbfid,")
    assert {path.name for path in tmp_path.iterdir()} == {"folder.csv", "kept.csv"}


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ("[]", "write a JSON object"),
        ("null", "write a JSON object"),
        ('"x"', "write a JSON object"),
        ("{", "write a JSON object"),
        (r'{"email_eq": "\ud800"}', "write a JSON object"),
        ('{"a": 1}', r"^The filters are refused: a ends in no known predicate\.$"),
        ('{"created_at_gt": "x"}', "'x' cannot be compared"),
    ],
)
def test_an_export_refuses_filters_that_are_none(tmp_path, filters, told):
    make_customer()
    with pytest.raises(CommandError, match=told):
        call_command("export_customers", str(tmp_path / "x.json"), f"--filters={filters}")
    assert not Export.objects.exists()
    assert list(tmp_path.iterdir()) == []


def test_an_import_that_was_interrupted_goes_on(tmp_path, capsys):
    job = make_import(given=[{"email": "ada@example.com"}], resource_type="customers")
    Import.objects.update(status="interrupted")
    with CaptureQueriesContext(connection) as queries:
        assert "Completed: 1 rows done" in run("import_customers", resume=job.pk)
    if connection.features.has_select_for_update:
        (read,) = [q["sql"] for q in queries if q["sql"].startswith("SELECT")][:1]
        assert read.endswith("FOR UPDATE")
    with pytest.raises(CommandError, match="no import with this id"):
        run("import_customers", resume="x")
