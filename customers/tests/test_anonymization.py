"""Forgetting a person: after a delay, everywhere, and without losing an order."""

import io
import json

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.utils import timezone

from customers.jobs import anonymization, deliveries, merging
from customers.models import (
    Address,
    Attachment,
    Customer,
    Event,
    EventStore,
    Order,
    QueuedMail,
    Return,
    Segment,
    TransitionError,
)
from customers.services.anonymization import request_anonymization
from customers.tests.conftest import Api, error_of
from customers.tests.factories import (
    ADDRESS,
    link,
    make_address,
    make_customer,
    make_event_callback,
    make_full_customer,
    make_import,
    make_tag,
    make_webhook,
)

MARK = "zebulon"


def everything():
    """Every value of every row of every table, as one text, with the name of its table."""
    text = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 our own tables
            text += [f"{table}: {row}" for row in cursor.fetchall()]
    return text


def tables_with(mark):
    return {line.partition(":")[0] for line in everything() if mark in line.lower()}


def forget(customer):
    """Request the anonymization of `customer`, and do it at once."""
    request_anonymization(customer, actor=None)
    Customer.objects.filter(pk=customer.pk).update(anonymize_at=timezone.now())
    assert anonymization.anonymize_next() == customer
    customer.refresh_from_db()
    return customer


def place(**values):
    found = {**ADDRESS, "first_name": "Zebulon", "line_1": "1 Zebulon Way", "notes": "zebulon"}
    return {**found, "reference": "zebulon", "metadata": {"a": "zebulon"}, **values}


@pytest.fixture
def zebulon(api, admin_user):
    """A customer whose name is written wherever a person's name can be."""
    own = {"reference": "zebulon", "reference_origin": "zebulon", "metadata": {"a": "zebulon"}}
    members = {"email": "old.zebulon@example.com", "password": "correct zebulon", **own}
    members |= {"tax_exemption_code": "zebulon", "shopper_reference": "zebulon", **own}
    pk = api.create("customers", members).json()["data"]["id"]
    make_tag(name="zebulon")
    api.update("customers", pk, {"email": "Zebulon@example.com", "_add_tags": "zebulon"})
    me = {"customer": {"type": "customers", "id": pk}}
    homes = [api.create("addresses", place()).json()["data"] for _ in range(6)]
    home, sent, old, back, left, first = ({"type": "addresses", "id": one["id"]} for one in homes)
    for where in (home, left, old):
        entry = api.create("customer_addresses", {**own}, {**me, "address": where}).json()["data"]
        if where != home:
            api.delete(f"/api/customer_addresses/{entry['id']}")
    api.delete(f"/api/addresses/{old['id']}")
    wallet = {"payment_source_token": "pm_zebulon_1234", **own}
    api.create("customer_payment_sources", wallet, me)
    api.create("customer_subscriptions", {"customer_email": "zebulon@example.com", **own})
    api.create("customer_password_resets", {"customer_email": "zebulon@example.com", **own})
    list_ = api.create("sku_lists", {"name": "zebulon", **own}, me).json()["data"]
    wishes = {"sku_list": {"type": "sku_lists", "id": list_["id"]}}
    api.create("sku_list_items", {"sku_code": "zebulon", **own}, wishes)
    order = api.create("orders", own, {**me, "shipping_address": first, "billing_address": home})
    order = {"type": "orders", "id": order.json()["data"]["id"]}
    api.update("orders", order["id"], {}, {"shipping_address": sent})
    api.update("orders", order["id"], {"_place": True, "_add_tags": "zebulon"})
    repeated = {"frequency": "weekly", "options": {"note": "for zebulon"}, **own}
    repeating = api.create("order_subscriptions", repeated, {"source_order": order})
    assert repeating.status_code == 201, repeating.content
    returned = api.create("returns", own, {"order": order}).json()["data"]
    Return.objects.filter(pk=returned["id"]).update(origin_address=back["id"])
    for target in ({"type": "customers", "id": pk}, order):
        note = {"name": "zebulon", "description": "zebulon", "url": "https://example.com/zebulon"}
        api.create("attachments", {**note, **own}, {"attachable": target})
    found = Customer.objects.get(pk=pk)
    make_event_callback(event=Event.objects.filter(resource_id=pk).first(), payload={"a": MARK})
    make_import(given=[{"email": "ZEBULON@example.com"}, {"email": "old.zebulon@example.com"}])
    refused = make_import()
    refused.errors_log = {"zebulon@example.com": {"reference": ["is too long"]}}
    refused.refusals = [[1, "zebulon@example.com", "reference", "is too long"]]
    refused.save()
    nested = {"customer": {"email": "zebulon@example.com"}, "address": {"first_name": "Zebulon"}}
    flat = {"customer_id": pk, "address.first_name": "Zebulon"}
    make_import(resource_type="customer_addresses", given=[nested, flat])
    QueuedMail.objects.create(mode="test", kind="password_reset", email="zebulon@Example.com")
    kind = ContentType.objects.get_for_model(Customer)
    LogEntry.objects.create(
        user=admin_user, content_type=kind, object_id=pk, object_repr="zebulon", action_flag=2
    )
    return found


def test_nothing_of_the_person_is_left_in_the_whole_database(api, zebulon):
    before = tables_with(MARK)
    assert before >= {
        "addresses",
        "attachments",
        "customer_addresses",
        "customer_payment_sources",
        "customer_subscriptions",
        "customers",
        "django_admin_log",
        "event_callbacks",
        "event_stores",
        "import_inputs",
        "imports",
        "orders",
        "order_subscriptions",
        "queued_mails",
        "sku_list_items",
        "sku_lists",
    }
    numbers = list(Order.objects.values_list("number", "status", "customer_id"))
    forget(zebulon)
    left = tables_with(MARK)
    assert left == {"tags"}, [line for line in everything() if MARK in line.lower()]
    assert list(Order.objects.values_list("number", "status", "customer_id")) == numbers
    order = Order.objects.get()
    assert order.shipping_address.country_code == "GB"
    assert zebulon.email == f"{zebulon.pk}@anonymized.invalid"
    assert (zebulon.password, zebulon.total_orders_count, zebulon.status) == (None, 1, "acquired")
    assert zebulon.anonymization_status == "completed"


def test_a_request_waits_and_can_be_cancelled(api):
    customer = make_customer(email="ada@example.com")
    answer = api.update("customers", customer.pk, {"_request_anonymization": True})
    attributes = answer.json()["data"]["attributes"]
    assert attributes["anonymization_status"] == "requested"
    info = attributes["anonymization_info"]
    assert (info["status"], info["requester"]["id"]) == ("requested", api.application.pk)
    assert anonymization.anonymize_next() is None
    again = api.update("customers", customer.pk, {"_request_anonymization": True})
    error_of(again, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/_request_anonymization"})
    answer = api.update("customers", customer.pk, {"_cancel_anonymization": True})
    assert answer.json()["data"]["attributes"]["anonymization_status"] == "cancelled"
    assert Event.objects.get().name == "customers.anonymization_cancelled"
    Customer.objects.filter(pk=customer.pk).exclude(anonymize_at=None).update(
        anonymize_at=timezone.now()
    )
    assert anonymization.anonymize_next() is None
    again = api.update("customers", customer.pk, {"_cancel_anonymization": True})
    error_of(again, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/_cancel_anonymization"})
    customer.refresh_from_db()
    assert customer.email == "ada@example.com"


def test_what_cannot_be_done_has_failed_after_so_many_attempts(api, caplog):
    customer = make_customer(email="ada@example.com")
    request_anonymization(customer, actor=None)
    make_customer(email=f"{customer.pk}@anonymized.invalid")  # the address that would be given
    for attempt in range(anonymization.MOST_ATTEMPTS):
        started = timezone.now()
        Customer.objects.filter(pk=customer.pk).update(anonymize_at=started)
        with pytest.raises(IntegrityError):
            anonymization.anonymize_next()
        assert anonymization.anonymize_next() is None  # there is a pause
        customer.refresh_from_db()
        assert (customer.email, customer.anonymization_status) == ("ada@example.com", "requested")
        wait = anonymization.FIRST_RETRY * 2**attempt
        assert 0.9 * wait < customer.anonymize_at - started < 1.5 * wait
    assert not Event.objects.filter(resource_id=customer.pk).exists()
    Customer.objects.filter(pk=customer.pk).update(anonymize_at=timezone.now())
    assert anonymization.anonymize_next() == customer
    assert anonymization.anonymize_next() is None
    shown = api.get(f"/api/customers/{customer.pk}").json()["data"]["attributes"]
    assert (shown["email"], shown["anonymization_status"]) == ("ada@example.com", "failed")
    assert shown["anonymization_info"]["status"] == "failed"
    assert shown["anonymization_info"]["failed_at"]
    assert Event.objects.get(resource_id=customer.pk).name == "customers.anonymization_failed"
    assert "ada@" not in caplog.text
    Customer.objects.filter(email__endswith="@anonymized.invalid").delete()
    customer.refresh_from_db()
    assert forget(customer).anonymization_status == "completed"


def test_it_is_told_when_it_begins_and_when_it_is_done(settings):
    make_webhook(topic="customers.anonymization_completed", callback_url="http://127.0.0.1:9/")
    customer = forget(make_full_customer())
    names = Event.objects.filter(resource_id=customer.pk).order_by("id")
    assert [event.name for event in names][-2:] == [
        "customers.anonymization_started",
        "customers.anonymization_completed",
    ]
    assert deliveries.fan_out() > 0
    assert "email" in EventStore.objects.filter(resource_id=customer.pk)[0].payload
    with pytest.raises(TransitionError):
        request_anonymization(customer, actor=None)


def test_nobody_but_integrations_may_ask_for_it_or_for_the_document(guest_api):
    customer = make_customer(password="argon2$x")
    owner = Api(customer=customer)
    for name in ("_request_anonymization", "_cancel_anonymization"):
        answer = owner.update("customers", customer.pk, {name: True})
        error_of(answer, 400, "PARAM_NOT_ALLOWED", {"pointer": f"/data/attributes/{name}"})
    reader = Api(role="read_only")
    answer = reader.update("customers", customer.pk, {"_request_anonymization": True})
    error_of(answer, 401, "UNAUTHORIZED")
    for channel in (owner, guest_api):
        path = f"/api/customers/{customer.pk}/personal_data"
        error_of(channel.get(path), 401, "UNAUTHORIZED")
    customer.refresh_from_db()
    assert customer.anonymization_status is None


def test_an_address_that_somebody_else_holds_too_stays_theirs():
    shared = make_address(first_name="Bob")
    bob, ada = make_customer(), make_customer()
    for customer in (bob, ada):
        customer.customer_addresses.create(address=shared)
    order = Order.objects.create(customer=ada, shipping_address=shared)
    forget(ada)
    shared.refresh_from_db()
    order.refresh_from_db()
    assert shared.first_name == "Bob"
    assert order.shipping_address != shared
    assert order.shipping_address.first_name == "Anonymized"
    assert list(bob.customer_addresses.values_list("address", flat=True)) == [shared.pk]
    assert Address.objects.count() == 2


def test_an_address_that_somebody_elses_order_has_stays_theirs():
    shared = make_address(first_name="Bob")
    bob, ada = make_customer(), make_customer()
    order = Order.objects.create(customer=bob, shipping_address=shared)
    ada.customer_addresses.create(address=shared)
    own = Order.objects.create(customer=ada, billing_address=shared)
    forget(ada)
    order.refresh_from_db()
    own.refresh_from_db()
    assert order.shipping_address.first_name == "Bob"
    assert own.billing_address.first_name == "Anonymized"


def test_an_address_that_has_become_somebody_elses_is_theirs_with_its_log(api):
    ada, bob = make_customer(), make_customer()
    pk = api.create("addresses", {**ADDRESS, "first_name": "Bob"}).json()["data"]["id"]
    place = {"type": "addresses", "id": pk}
    owned = {"customer": link(ada), "address": place}
    entry = api.create("customer_addresses", {}, owned).json()["data"]["id"]
    assert api.delete(f"/api/customer_addresses/{entry}").status_code == 204
    api.create("customer_addresses", {}, {"customer": link(bob), "address": place})
    forget(ada)
    assert Address.objects.get().first_name == "Bob"
    told = EventStore.objects.get(resource_id=pk, event="create").payload
    assert told["first_name"] == {"from": None, "to": "Bob"}
    assert list(bob.customer_addresses.values_list("address", flat=True)) == [pk]


def test_an_address_that_was_theirs_once_and_is_somebody_elses_now_stays(api):
    ada, bob = make_customer(), make_customer()
    made = api.create("addresses", {**ADDRESS, "notes": "Bob's"}).json()["data"]["id"]
    home = {"address": {"type": "addresses", "id": made}}
    entry = api.create("customer_addresses", {}, {"customer": link(ada), **home}).json()["data"]
    assert api.delete(f"/api/customer_addresses/{entry['id']}").status_code == 204
    assert api.create("customer_addresses", {}, {"customer": link(bob), **home}).status_code == 201
    told = EventStore.objects.filter(resource_id=made).values_list("payload", flat=True)
    before = list(told)
    held = api.get(f"/api/customers/{ada.pk}/personal_data").json()["meta"]["personal_data"]
    assert held["addresses"] == []
    forget(ada)
    assert Address.objects.get().notes == "Bob's"
    assert list(told.all()) == before
    assert before[0]["notes"]["to"] == "Bob's"


EMPTY_PLACE = {
    **dict.fromkeys(["first_name", "last_name", "line_1", "city"], "Anonymized"),
    **dict.fromkeys(["company", "line_2", "zip_code", "state_code", "phone", "email", "notes"]),
    **dict.fromkeys(["lat", "lng", "billing_info", "reference", "reference_origin"]),
    "metadata": {},
    "business": False,
    "country_code": "GB",
}


def test_of_a_place_that_an_order_keeps_the_country_is_left_and_no_tag_on_anything():
    ada = make_customer()
    home = make_address(lat=51.5, lng=-0.1, business=True, company="A & Co", country_code="GB")
    order = Order.objects.create(customer=ada, shipping_address=home, billing_address=home)
    returned = Return.objects.create(customer=ada, order=order)
    for row in (ada, order, returned, home):
        row.tags.add(make_tag())
    forget(ada)
    home.refresh_from_db()
    assert {name: getattr(home, name) for name in EMPTY_PLACE} == EMPTY_PLACE
    assert (home.lat, home.lng, home.business, home.country_code) == (None, None, False, "GB")
    assert [row.tags.count() for row in (ada, order, returned, home)] == [0] * 4


def test_a_neighbour_loses_nothing():
    bob = make_full_customer(email="bob@example.com")
    before = [line for line in everything() if bob.pk in line or "bob@" in line]
    forget(make_full_customer(email="ada@example.com"))
    assert set(before) <= set(everything())


def test_everything_that_is_held_is_one_document(api, live_api):
    customer = make_full_customer(email="ada@example.com")
    order = customer.orders.first()
    answer = api.get(f"/api/customers/{customer.pk}/personal_data")
    held = answer.json()["meta"]["personal_data"]
    assert held["customer"]["email"] == "ada@example.com"
    assert order.pk in [one["id"] for one in held["orders"]]
    assert held["addresses"][0]["line_1"] == ADDRESS["line_1"]
    for name in ("customer_addresses", "customer_subscriptions", "sku_lists", "sku_list_items"):
        assert len(held[name]) == 1
    attached = Attachment.objects.filter(customer_group=None).values_list("pk", flat=True)
    assert {one["id"] for one in held["attachments"]} == set(attached)
    assert len(attached) == 4  # to the customer, an order, a return and a SKU list
    assert held["event_stores"]
    assert held["events"]
    out = io.StringIO()
    call_command("export_personal_data", "ADA@example.com", stdout=out)
    assert json.loads(out.getvalue()) == held
    other = live_api.get(f"/api/customers/{customer.pk}/personal_data")
    error_of(other, 404, "RECORD_NOT_FOUND")
    assert link(customer)["id"] == held["customer"]["id"]


def test_doubles_that_were_merged_one_into_the_other_are_forgotten_too(api, admin_user):
    members = {"email": "zebulon@example.com", "metadata": {"a": "zebulon"}}
    spare = api.create("customers", members).json()["data"]["id"]
    me = {"customer": {"type": "customers", "id": spare}}
    api.create("customer_payment_sources", {"payment_source_token": "pm_zebulon_1234"}, me)
    kept = make_customer(email="ada@example.com")
    merging.merge(kept.pk, spare, mode="test", actor=None)
    last = make_customer(email="eve@example.com")
    merging.merge(last.pk, kept.pk, mode="test", actor=None)
    assert "event_stores" in tables_with(MARK)
    asked = {"mode": "test", "owner": admin_user, "filters": [["email_eq", "Ada@example.com"]]}
    Segment.objects.create(name="Named by the note of the merger alone", **asked)
    forget(Customer.objects.get(pk=last.pk))
    assert tables_with(MARK) == set()
    assert not Segment.objects.exists()
