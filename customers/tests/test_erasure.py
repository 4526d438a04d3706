"""A person is planted through every door that keeps a text, forgotten, and looked for in a dump."""

import gzip
import ipaddress
import json
import threading
import time
from contextlib import closing
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session as StaffSession
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models, transaction
from django.test import Client
from django.utils import timezone

from customers.db.declarations import Erase, declaration_of
from customers.db.fields import IdField
from customers.jobs import (
    deliveries,
    exports,
    imports,
    mails,
    merging,
    uploads,
    webhook_dispatcher,
    worker,
)
from customers.jobs.persons import rows_of_customer
from customers.jobs.quotes import Quotes
from customers.models import (
    Address,
    Attachment,
    Customer,
    CustomerSubscription,
    Event,
    EventCallback,
    EventStore,
    Export,
    ExportPart,
    IdempotentAnswer,
    Import,
    ImportInputs,
    QueuedMail,
    Resource,
    Return,
    Segment,
    Upload,
    customer_paths,
    owned_rows,
)
from customers.services import sessions
from customers.tests.conftest import Api, error_of, needs_postgresql, waiting_for_locks
from customers.tests.factories import ONE, make_customer
from customers.tests.receivers import receiver
from customers.tests.test_anonymization import everything, forget

pytestmark = pytest.mark.thorough

LIST = "/admin/customers/customer/"
NOW, ONCE, DOUBLE = "ada.king@example.com", "Countess@Example.org", "augusta@example.net"
OTHER = "x.ada.king@example.com"  # somebody else's, which ends alike
MARKS = [
    *(NOW, ONCE, DOUBLE),
    *("augusta", "kinglovel", "12 ockham park", "9 ashley combe", "surrey lodge"),
    *("+44 20 7946 1815", "442079461815", "7946 1852"),
    *("profile-ada-1815", "shopper-ada-1815", "exempt-ada", "ref-ada", "pm_ada", "cus_ada"),
    *("note-ada", "meta-ada", "list-ada", "sku-ada", "topic-ada", "filled-ada"),
]

# Columns of others' tables that quote nobody; those of our own say so themselves.
QUOTES_NOBODY = {
    "auth_group": "name",
    "auth_permission": "name codename",
    "auth_user": "password username first_name last_name email",  # staff
    "django_admin_log": "object_id object_repr",
    "django_content_type": "app_label model",
    "django_session": "session_key",
    "otp_static_staticdevice": "name",
    "otp_static_statictoken": "token",
    "otp_totp_totpdevice": "name key",
}


def columns():
    """Every column of every table that can hold a text: pairs of a model and a field."""
    texts = (models.CharField, models.TextField, models.JSONField, models.BinaryField)
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            plain = not (field.is_relation or field.choices or isinstance(field, IdField))
            if plain and isinstance(field, texts):
                yield model, field


def dump():
    """What each column holds, as one text each, by table and column."""
    found = {}
    for model, field in columns():
        values = model._base_manager.values_list(field.attname, flat=True)
        texts = [_text(model, value) for value in values if value is not None]
        text = "\n".join(texts).replace(OTHER, "somebody else")
        found[f"{model._meta.db_table}.{field.column}"] = text.casefold()
    return found


def _text(model, value):
    if model is StaffSession:
        return json.dumps(StaffSession(session_data=value).get_decoded(), ensure_ascii=False)
    if isinstance(value, bytes | memoryview):
        content = bytes(value)
        return (gzip.decompress(content) if model is ExportPart else content).decode()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def quoting():
    """The columns in which one of the marks is."""
    return {name for name, text in dump().items() if any(mark.casefold() in text for mark in MARKS)}


def place(**values):
    found = {"first_name": "Augusta", "last_name": "Kinglovel", "line_1": "12 Ockham Park"}
    found |= {"line_2": "Surrey Lodge", "company": "Kinglovel & Sons", "city": "note-ada City"}
    found |= {"zip_code": "note-ada", "state_code": "note-ada", "country_code": "GB"}
    found |= {"phone": "+44 20 7946 1815", "email": NOW, "notes": "note-ada"}
    return {**found, "billing_info": "exempt-ada", **OWN, **values}


OWN = {"reference": "ref-ada", "reference_origin": "ref-ada", "metadata": {"note": "meta-ada"}}


def made(response):
    assert response.status_code == 201, response.content
    data = response.json()["data"]
    return {"type": data["type"], "id": data["id"]}


@pytest.fixture
def ada(api, admin_client, admin_user, client, settings):
    """A customer who is quoted wherever a door can put it; gives the customer."""
    found = _own_rows(api)
    _by_others(api, found)
    _in_the_console(admin_client, client, found)
    _told(api, settings, found)
    shop = Api(kind="sales_channel").application
    sessions.start(shop, found, scope="market:all", custom_claim={"note": "note-ada"})
    return found


def _own_rows(api):
    members = {"email": ONCE, "profile_id": "profile-ada-1815", **OWN}
    members |= {"shopper_reference": "shopper-ada-1815", "tax_exemption_code": "exempt-ada"}
    me = made(api.create("customers", {**members, "password": "correct horse battery"}))
    mine = {"customer": me}
    assert api.update("customers", me["id"], {"email": NOW}).status_code == 200
    double = made(api.create("customers", {"email": DOUBLE, **OWN}))
    wallet = {"payment_source_token": "pm_ada_1815", "customer_token": "cus_ada_1815"}
    made(api.create("customer_payment_sources", {**wallet, **OWN}, mine))
    made(api.create("customer_subscriptions", {"reference": "topic-ada", "customer_email": DOUBLE}))
    merging.merge(me["id"], double["id"], mode="test", actor=None)
    homes = [made(api.create("addresses", place())) for _ in range(3)]
    # an earlier address, of which the audit log alone knows
    old = made(api.create("addresses", place(line_1="9 Ashley Combe", phone="+44 20 7946 1852")))
    entry = made(api.create("customer_addresses", OWN, {**mine, "address": old}))
    assert api.delete(f"/api/customer_addresses/{entry['id']}").status_code == 204
    assert api.delete(f"/api/addresses/{old['id']}").status_code == 204
    made(api.create("addresses", place()))  # which nobody ever held
    made(api.create("customer_addresses", OWN, {**mine, "address": homes[0]}))
    made(api.create("customer_subscriptions", {**OWN, "customer_email": NOW}))
    made(api.create("customer_password_resets", {**OWN, "customer_email": NOW}))
    wishes = {"name": "list-ada", "description": "note-ada", "sku_code_regex": "sku-ada"}
    wishes |= {"image_url": "https://example.com/note-ada", "manual": False}
    wishes = made(api.create("sku_lists", {**wishes, **OWN}, mine))
    made(api.create("sku_list_items", {"sku_code": "sku-ada", **OWN}, {"sku_list": wishes}))
    places = {"shipping_address": homes[1], "billing_address": homes[0]}
    order = made(
        api.create("orders", {**OWN, "coupon_code": "PROFILE-ADA-1815"}, {**mine, **places})
    )
    repeated = {"frequency": "weekly", "options": {"note": "note-ada"}, **OWN}
    made(api.create("order_subscriptions", repeated, {"source_order": order}))
    assert api.update("orders", order["id"], {"_place": True}).status_code == 200
    returned = made(api.create("returns", OWN, {"order": order}))
    Return.objects.filter(pk=returned["id"]).update(
        origin_address=homes[2]["id"], destination_address=homes[1]["id"]
    )
    for target in (me, order, returned, wishes):
        note = {"name": "note-ada", "description": "note-ada"}
        note |= {"url": "https://example.com/note-ada"}
        made(api.create("attachments", {**note, **OWN}, {"attachable": target}))
    for event in Event.objects.filter(resource_id__in=[me["id"], order["id"]]):
        assert api.update("events", event.pk, OWN).status_code == 200
    return Customer.objects.get(pk=me["id"])


def _by_others(api, ada):
    """Rows of others, jobs and references that quote her."""
    bob = made(api.create("customers", {"email": "bob@example.com", "reference": NOW}))
    text = f"Sister of Augusta Kinglovel ({NOW}, +44 (20) 7946-1815; profile-ada-1815)."
    note = {"name": f"Mail to {NOW}", "description": text, "url": f"https://example.com/{NOW}"}
    made(api.create("attachments", {**note, "reference": NOW}, {"attachable": bob}))
    made(api.create("customer_groups", {"name": "Wholesale", "reference": NOW}))
    made(api.create("webhooks", {"topic": "returns.ship", "callback_url": "https://192.0.32.10/",
                                 "reference": NOW}))  # fmt: skip
    rows = [
        {"email": NOW.upper(), "metadata": {}},
        {"email": OTHER},  # somebody else
        {"email": "new@example.com", "profile_id": "profile-ada-1815"},
    ]
    made(api.create("imports", {"resource_type": "customers", "inputs": rows, "reference": NOW,
                                "reference_origin": ONCE}))  # fmt: skip
    csv = f"address.first_name,address.last_name,customer.email\nAugusta,Kinglovel,{DOUBLE}\n"
    waiting = {"resource_type": "customer_addresses", "format": "csv", "inputs": csv}
    made(api.create("imports", waiting))
    refused = {"resource_type": "customers", "inputs": [{"email": NOW, "status": "x"}]}
    done = made(api.create("imports", {**refused, "skip_errors": True}))
    while imports.do_import_part(Import.objects.filter(pk=done["id"])):
        pass
    asked = {"resource_type": "customers", "reference": NOW, "reference_origin": ONCE}
    done = made(api.create("exports", {**asked, "filters": {"email_eq": NOW}}))
    while exports.do_export_part(Export.objects.filter(pk=done["id"])):
        pass
    made(api.create("exports", {**asked, "filters": {"email_eq": NOW}}))
    failed = Export.objects.create(resource_type="customers", records_count=1, status="failed")
    failed.errors_log = {"base": {"email": f"{NOW} is no date"}}
    failed.save()


def _in_the_console(admin_client, client, ada):
    for name, filters in {
        "Just her": [["email_eq", NOW]],
        f"About {NOW}": [["status_eq", "repeat"]],
        "Some": [["email_in", f"bob@example.com,{ONCE}"]],
        "Named": [["customer_addresses_address_last_name_eq", "Kinglovel"]],
        "Others": [["email_eq", OTHER]],
    }.items():
        form = {"name": name[:40], "filters": json.dumps(filters)}
        assert admin_client.post("/admin/segments/", form).status_code == 302
    text = f"email,reference\n{NOW},note-ada\nbob@example.com,B-1\n"
    file = SimpleUploadedFile("customers.csv", text.encode(), "text/csv")
    assert admin_client.post(f"{LIST}import/", {"file": file}).status_code == 302
    assert admin_client.get(LIST, {"q": NOW}).status_code == 200
    assert admin_client.get("/admin/command-palette/", {"q": NOW}).status_code == 200
    note = {"text": f"note-ada {NOW}"}
    assert admin_client.post(f"/admin/customers/{ada.pk}/note/", note).status_code == 302
    form = {"email": NOW, **OWN, "metadata": json.dumps(OWN["metadata"])}
    codes = ("shopper_reference", "profile_id", "tax_exemption_code")
    form |= {name: getattr(ada, name) for name in codes}
    assert admin_client.post(f"{LIST}{ada.pk}/change/", form).status_code == 302
    session = admin_client.session  # a message too long for the cookie
    told = ["__json_message", 0, 25, f"The customer “{NOW}” was changed successfully."]
    session["_messages"] = json.dumps([told])
    session.save()
    entry = {"username": NOW, "password": "wrong"}
    address = f"/admin/login/?next={LIST}%3Fq%3D{NOW.replace('@', '%40')}"
    assert client.post(address, entry).status_code == 200
    forgot = Client().post("/test/password/forgot", {"email": NOW.upper()})
    assert forgot.status_code == 302
    mails.request_reset(DOUBLE, mode="test")


def _told(api, settings, ada):
    """A call about somebody else that brings her along, by way of their group."""
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    group = made(api.create("customer_groups", {"name": "Family"}))
    assert api.update("customers", ada.pk, {}, {"customer_group": group}).status_code == 200
    deliveries.fan_out()
    with receiver(422) as server:
        webhook = {"topic": "customers.create", "callback_url": server.url}
        webhook["include_resources"] = ["customer_group.customers"]
        made(api.create("webhooks", webhook))
        made(api.create("customers", {"email": "eve@example.com"}, {"customer_group": group}))
        assert webhook_dispatcher.deliver_all() == 1
    assert NOW in server.received[0][1].decode()
    EventCallback.objects.update(response_message=f"{NOW} is unknown here")


def quotes_nobody():
    """The columns that are said to hold nothing of a person, whoever fills them."""
    found = {f"{table}.{name}" for table, text in QUOTES_NOBODY.items() for name in text.split()}
    for model, field in columns():
        said = declaration_of(field)
        if said and said.erase is Erase.KEEP:
            found.add(f"{model._meta.db_table}.{field.column}")
    return found


def out_of_reach():
    """The columns of ours that no door lets quote a person: secrets, and what every type has.

    Of a type that is nobody's, references which are an address are found by an index.
    """
    for model, field in columns():
        said = declaration_of(field)
        inherited = field.name in {one.name for one in Resource._meta.fields}
        own = model in (Customer, Address, *customer_paths())
        if said and (said.secret or (inherited and not own)):
            yield f"{model._meta.db_table}.{field.column}"


def fill(ada):
    """Write a mark into the columns of her rows in which no door has left one."""
    marked = quoting()
    for model, field in columns():
        said = declaration_of(field)
        is_personal = said and said.erase in (Erase.CLEAR, Erase.REDACT, Erase.DELETE)
        is_hers = model is Customer or model in customer_paths()
        is_marked = f"{model._meta.db_table}.{field.column}" in marked
        if is_personal and is_hers and not (said.secret or is_marked):
            rows = _rows_of(model, ada)
            if not rows:
                ONE[model._meta.db_table](customer=ada)
            rows.update(**{field.name: sample(field)})


def _rows_of(model, ada):
    return Customer.objects.filter(pk=ada.pk) if model is Customer else owned_rows(model, ada)


def sample(field):
    return {"filled-ada": "filled-ada"} if isinstance(field, models.JSONField) else "filled-ada"


def test_of_a_person_forgotten_nothing_is_found_in_any_column(ada):
    fill(ada)
    before, never = quoting(), quotes_nobody()
    every = {f"{model._meta.db_table}.{field.column}" for model, field in columns()}
    missing = every - before - never - {*out_of_reach()}
    assert sorted(missing) == [], "plant a quote, or say why it has none"
    assert never - every == set()
    assert never & before == set()
    forget(ada)
    left = {
        name: [mark for mark in MARKS if mark.casefold() in text]
        for name, text in dump().items()
        if any(mark.casefold() in text for mark in MARKS)
    }
    assert left == {}
    lines = [line for line in everything() if any(m.casefold() in line.casefold() for m in MARKS)]
    assert [line for line in lines if OTHER not in line] == []
    others_have_stayed()


def others_have_stayed():
    segments = dict(Segment.objects.values_list("name", "filters"))
    assert segments.pop("Some") == [["email_in", "bob@example.com"]]
    assert segments.pop("Others") == [["email_eq", OTHER]]
    assert list(segments.values()) == [[["status_eq", "repeat"]]]
    assert all(name.startswith("Segment ") for name in segments)
    lines = Upload.objects.get().text.splitlines()
    assert lines == ["email,reference", "", "bob@example.com,B-1"]
    rows = {tuple(map(json.dumps, inputs.rows)) for inputs in ImportInputs.objects.all()}
    assert ("{}", json.dumps({"email": OTHER}), "{}") in rows
    note = Attachment.objects.get()
    assert note.description == "Sister of Anonymized (Anonymized, Anonymized; Anonymized)."
    assert (note.name, note.url, note.reference) == ("Mail to Anonymized", None, None)
    assert note.customer.email == "bob@example.com"
    assert EventStore.objects.get(resource_id=note.pk).payload["customer_id"]["to"]
    assert Customer.objects.filter(email="bob@example.com", reference=None).exists()
    assert not QueuedMail.objects.exists()
    assert LogEntry.objects.filter(change_message="Saved “Others”.").count() == 1
    assert LogEntry.objects.filter(change_message="Saved “About Anonymized”.").count() == 1


@pytest.fixture
def rows_of_ada():
    from customers.tests.factories import make_full_customer

    ada = make_full_customer(email="ada@example.com")
    return ada, rows_of_customer(ada)


def test_every_text_of_every_row_that_hangs_on_a_person_is_emptied(rows_of_ada):
    """A new column, or a new type, is filled here, too, and fails unless it is emptied."""
    ada, rows = rows_of_ada
    filled = set()
    for row in [ada, *(row for found in rows.values() for row in found)]:
        table, values = row._meta.db_table, {}
        for field in row._meta.concrete_fields:
            text = isinstance(field, models.CharField | models.TextField | models.JSONField)
            if not text or field.choices or field.is_relation or isinstance(field, IdField):
                continue
            said = declaration_of(field)
            if said and said.erase not in (Erase.KEEP, Erase.SCRUB) and field.name != "email":
                values[field.name] = sample(field)
        type(row).objects.filter(pk=row.pk).update(**values)
        filled.add(table)
    related = {relation.related_model for relation in Customer._meta.related_objects}
    own = {model._meta.db_table for model in related if hasattr(model, "mode")}
    assert own - {"queued_mails"} <= filled
    Customer.objects.filter(pk=ada.pk).update(email_key="filled-ada@x.y")
    ada.refresh_from_db()
    forget(ada)
    assert {name for name, text in dump().items() if "filled-ada" in text} == set()


def test_what_hangs_on_a_person_goes_but_for_orders_and_what_they_need(rows_of_ada):
    ada, rows = rows_of_ada
    forget(ada)
    left = {
        name
        for name, found in rows.items()
        for row in found
        if type(row).objects.filter(pk=row.pk).exists()
    }
    assert left == {"orders", "order_subscriptions", "returns", "addresses"}
    assert rows.keys() > left | {"customer_addresses", "sku_lists", "sku_list_items"}


def test_an_answer_that_is_given_again_tells_nobody_who_was_forgotten(api):
    ada = make_customer(email=NOW)
    kept = {"customer_email": NOW, "reference": "news"}
    document = {"data": {"type": "customer_subscriptions", "attributes": kept}}

    def send(key, path="/api/customer_subscriptions", sent=document):
        body = json.dumps(sent)
        return api.client.post(
            path, body, "application/vnd.api+json", headers={"idempotency-key": key}
        )

    first = send("one")
    assert first.status_code == 201
    assert send("one").json() == first.json()
    me = {"data": {"type": "customers", "attributes": {"email": "bob@example.com"}}}
    assert send("two", "/api/customers", me).status_code == 201
    group = made(api.create("customer_groups", {"name": "Family"}))
    Customer.objects.filter(pk=ada.pk).update(customer_group=group["id"])
    eve = {"data": {"type": "customers", "attributes": {"email": "eve@example.com"},
                    "relationships": {"customer_group": {"data": group}}}}  # fmt: skip
    path = "/api/customers?include=customer_group.customers"
    assert NOW in send("three", path, eve).content.decode()
    forget(ada)
    assert IdempotentAnswer.objects.filter(answer="").count() == 1
    for response in (send("one"), send("three", path, eve)):
        error_of(response, 423, "LOCKED")
    assert send("two", "/api/customers", me).status_code == 201
    assert not CustomerSubscription.objects.exists()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ada.king@example.com", True),
        ("Write to ADA.King@Example.com.", True),
        ("'ada.king@example.com'", True),
        ("-ada.king@example.com;", True),
        ("x.ada.king@example.com", False),
        ("ada.king@example.com.au", False),
        ("ada.king@example.community", False),
        ("+44 20 7946 1815", True),
        ("tel:+44(20)7946-1815", True),
        ("442079461815", True),
        ("44207946181512", False),
        ("Augusta Kinglovel", True),
        ("Kinglovel, Augusta", True),
        ("Augusta", False),
        ("Kinglovel", False),
        ("shopper-ada-1815", True),
        ("shopper-ada-18153", False),
        ({"a": [{"b": "ada.king@example.com"}]}, True),
        ({"ada.king@example.com": 1}, True),
        ({"first_name": "Augusta", "last_name": "kinglovel"}, True),
        ({"first_name": "Augusta", "last_name": "Leigh"}, False),
        ({"address.first_name": "Augusta", "address.last_name": "Kinglovel"}, True),
        ([None, 1, True, 2.5], False),
    ],
)
def test_what_quotes_a_person_and_what_does_not(text, found):
    quotes = Quotes()
    quotes.learn_email("Ada.King@example.com")
    quotes.learn({"first_name": "Augusta", "last_name": "Kinglovel", "phone": "+44 20 7946 1815"})
    quotes.learn({"shopper_reference": "shopper-ada-1815", "reference": "imported"})
    assert quotes.is_in(text) is found
    assert not Quotes().is_in(text)


@pytest.mark.parametrize(
    ("row", "about"),
    [
        ({"email": "Ada.King@Example.com"}, True),
        ({"first_name": "Augusta", "last_name": "Kinglovel"}, True),
        ({"customer.email": "eve@x.org", "address.phone": "+44 20 7946 1815"}, False),
        ({"E-Mail": "eve@x.org", "first_name": "Augusta", "last_name": "Kinglovel"}, False),
        ({"E-Mail": "eve@x.org", "note": "for ada.king@example.com"}, True),
        ({"email": "eve@x.org", "shopper_reference": "shopper-ada-1815"}, True),
    ],
)
def test_a_row_of_somebody_elses_may_have_the_same_name_and_telephone(row, about):
    quotes = Quotes()
    quotes.learn_email("Ada.King@example.com")
    quotes.learn({"first_name": "Augusta", "last_name": "Kinglovel", "phone": "+44 20 7946 1815"})
    quotes.learn({"shopper_reference": "shopper-ada-1815"})
    assert quotes.is_about(row) is about


def test_a_file_opened_before_is_imported_without_who_was_forgotten_since(admin_user):
    ada = make_customer(email=NOW)
    text = f"email,reference\n{NOW},A-1\nbob@example.com,B-1\n"
    upload, _ = uploads.store_upload(text.encode(), mode="test", user=admin_user)
    forget(ada)
    job = uploads.begin_upload_import(upload, {0: "email", 1: "reference"}, actor=None)
    assert job.stored_inputs.rows == [{"email": "bob@example.com", "reference": "B-1"}]
    assert job.stored_inputs.numbers == [3]
    with pytest.raises(Upload.DoesNotExist):
        uploads.begin_upload_import(upload, {0: "email"}, actor=None)
    assert Import.objects.count() == 1


def test_a_session_of_staff_is_deleted_when_it_is_over(admin_client):
    over = StaffSession.objects.create(
        session_key="over", session_data="", expire_date=timezone.now() - timedelta(seconds=1)
    )
    worker.delete_expired_rows()
    assert not StaffSession.objects.filter(pk=over.pk).exists()
    assert StaffSession.objects.count() == 1
    assert admin_client.get("/admin/").status_code == 200


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_an_export_that_is_begun_meanwhile_waits_and_reads_what_is_left():
    ada = make_customer(email=NOW)
    with transaction.atomic():
        forget(ada)
        beginning = threading.Thread(target=_begin_export)
        beginning.start()
        until = time.monotonic() + 30
        while not waiting_for_locks() and time.monotonic() < until:
            time.sleep(0.02)
        waited = waiting_for_locks()
    beginning.join()
    assert waited == 1
    job = Export.objects.get()
    while exports.do_export_part():
        pass
    job.refresh_from_db()
    written = gzip.decompress(b"".join(exports.export_content(job))).decode()
    assert f"{ada.pk}@anonymized.invalid" in written
    assert NOW not in written


def _begin_export():
    with closing(connection):
        exports.begin_export("customers", mode="test", actor=None)
