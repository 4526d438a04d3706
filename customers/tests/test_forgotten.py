"""Nobody who was forgotten is written about again, by whatever door, and however late it comes."""

import threading
import time
from contextlib import closing

import pytest
from django.apps import apps
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client

from customers.jobs import bulk, imports, mails, merging
from customers.jobs.bulk_actions import ACTIONS
from customers.models import (
    Attachment,
    Customer,
    CustomerPasswordReset,
    EventStore,
    Import,
    QueuedMail,
    Resource,
    Return,
)
from customers.services import password_resets, row_changes, sessions, tagging
from customers.services.customers import ForgottenError
from customers.services.passwords import hash_password
from customers.tests.conftest import PATIENT, Api, error_of, needs_postgresql, waiting_for_locks
from customers.tests.factories import (
    link,
    make_address,
    make_attachment,
    make_customer,
    make_customer_address,
    make_group,
    make_import,
    make_order,
    make_order_subscription,
    make_payment_source,
    make_reset,
    make_return,
    make_sku_list,
    make_sku_list_item,
    make_subscription,
    make_tag,
)
from customers.tests.test_anonymization import everything, forget

pytestmark = pytest.mark.thorough

SENTENCE = "The customer has been anonymized; it can be deleted, but not changed or added to."
LIST = "/admin/customers/customer/"


def rows_left_with(customer):
    """A row of every type that hangs on the forgotten `customer`, as an earlier version left some.

    By type.
    """
    order = make_order(customer=customer, shipping_address=make_address())
    returned = make_return(order=order)
    wishes = make_sku_list(customer=customer)
    rows = {
        "customers": customer,
        "addresses": order.shipping_address,
        "customer_addresses": make_customer_address(customer=customer),
        "customer_payment_sources": make_payment_source(customer=customer),
        "customer_subscriptions": make_subscription(customer=customer),
        "customer_password_resets": make_reset(customer=customer),
        "orders": order,
        "order_subscriptions": make_order_subscription(source_order=order),
        "returns": returned,
        "sku_lists": wishes,
        "sku_list_items": make_sku_list_item(sku_list=wishes),
        "attachments": make_attachment(order=order),
    }
    others = [{"customer": customer}, {"order_return": returned}, {"sku_list": wishes}]
    return {**rows, **{f"attachments {n}": make_attachment(**on) for n, on in enumerate(others)}}


@pytest.fixture
def gone():
    """A customer who has been forgotten."""
    return forget(make_customer(email="ada@example.com"))


@pytest.fixture
def unchanged():
    """Fails when something in the database is another after the test, but for applications."""
    before = None

    def look():
        return [line for line in everything() if not line.startswith(UNTOLD)]

    class Watch:
        def begin(self):
            nonlocal before
            before = look()

    yield Watch()
    assert look() == before


UNTOLD = ("applications:", "django_admin_log:", "django_session:", "auth_", "tallies:")


def test_nothing_that_hangs_on_a_forgotten_customer_is_changed_by_id(api, gone, unchanged):
    rows = rows_left_with(gone)
    assert {row._meta.db_table for row in rows.values()} == {
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, Resource)
        and (
            hasattr(model, "customer_id")
            or model.owning_customer_id is not Resource.owning_customer_id
        )
        and model is not EventStore
    } | {"customers", "addresses"}
    tag = make_tag()
    unchanged.begin()
    for row in rows.values():
        kind = row._meta.db_table
        error = error_of(api.update(kind, row.pk, {"metadata": {"name": "Ada"}}), 423, "LOCKED")
        assert error["detail"] == SENTENCE
        if hasattr(row, "tags"):
            path = f"/api/{kind}/{row.pk}/relationships/tags"
            error_of(api.send("POST", path, {"data": [link(tag)]}), 423, "LOCKED")
            error_of(api.update(kind, row.pk, {"_add_tags": tag.name}), 423, "LOCKED")


def test_what_hung_on_nobody_or_on_somebody_else_is_not_given_to_a_forgotten_customer(
    api, gone, unchanged
):
    rows = rows_left_with(gone)
    order, wishes, note = make_order(), make_sku_list(), make_attachment()
    item = make_sku_list_item()
    unchanged.begin()
    for row in (order, wishes):
        error_of(
            api.update(row._meta.db_table, row.pk, {}, {"customer": link(gone)}), 423, "LOCKED"
        )
    error_of(api.update("orders", order.pk, {"customer_email": gone.email}), 423, "LOCKED")
    mine = {"sku_list": link(rows["sku_lists"])}
    error_of(api.update("sku_list_items", item.pk, {}, mine), 423, "LOCKED")
    for kind in ("customers", "orders", "returns", "sku_lists"):
        attached = {"attachable": link(rows[kind])}
        error_of(api.update("attachments", note.pk, {}, attached), 423, "LOCKED")
    linkage = f"/api/orders/{order.pk}/relationships/customer"
    error_of(api.send("PATCH", linkage, {"data": link(gone)}), 423, "LOCKED")


def test_nothing_new_is_hung_on_a_forgotten_customer(api, guest_api, gone, unchanged):
    rows = rows_left_with(gone)
    me, address = {"customer": link(gone)}, {"address": link(make_address())}
    order, named = {"order": link(rows["orders"])}, {"customer_email": gone.email.upper()}
    unchanged.begin()
    made = [
        ("customer_addresses", {}, {**me, **address}),
        ("customer_addresses", named, address),
        ("customer_payment_sources", {"payment_source_token": "pm_1"}, me),
        ("customer_subscriptions", {**named, "reference": "news"}, {}),
        ("customer_password_resets", named, {}),
        ("orders", {}, me),
        ("orders", named, {}),
        ("order_subscriptions", {"frequency": "weekly"}, {"source_order": link(rows["orders"])}),
        ("returns", {}, order),
        ("sku_lists", {"name": "Wishes"}, me),
        ("sku_list_items", {"sku_code": "A"}, {"sku_list": link(rows["sku_lists"])}),
        *(
            ("attachments", {"name": "Note"}, {"attachable": link(rows[kind])})
            for kind in ("customers", "orders", "returns", "sku_lists")
        ),
    ]
    for kind, attributes, relationships in made:
        answer = api.create(kind, attributes, relationships)
        assert error_of(answer, 423, "LOCKED")["detail"] == SENTENCE
    answer = guest_api.create("customer_subscriptions", {**named, "reference": "news"})
    error_of(answer, 423, "LOCKED")


@pytest.mark.parametrize("status", [None, "requested", "failed", "cancelled"])
def test_before_it_begins_and_after_it_failed_a_customer_is_written_as_any_other(api, status):
    customer = make_customer(anonymization_status=status)
    assert api.update("customers", customer.pk, {"reference": "A1"}).status_code == 200
    assert api.create("orders", {}, {"customer": link(customer)}).status_code == 201
    tagging.add_tags(customer, [make_tag()], actor=None)
    customer.refresh_from_db()
    assert (customer.reference, customer.orders.count(), customer.tags.count()) == ("A1", 1, 1)


def test_one_that_has_begun_is_closed_like_one_that_is_done(api):
    customer = make_customer(anonymization_status="started")
    error_of(api.update("customers", customer.pk, {"reference": "A1"}), 423, "LOCKED")
    customer.refresh_from_db()
    assert customer.reference is None


def test_a_forgotten_customer_is_not_asked_for_again_nor_brought_back(api, gone, unchanged):
    unchanged.begin()
    for name in ("_request_anonymization", "_cancel_anonymization"):
        error_of(api.update("customers", gone.pk, {name: True}), 423, "LOCKED")
    for members in ({"email": "ada@example.com"}, {"password": "correct horse"}):
        error_of(api.update("customers", gone.pk, members), 423, "LOCKED")
    answer = api.create("customers", {"email": gone.email})
    error_of(answer, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/email"})


def test_a_forgotten_customer_and_what_is_left_of_it_can_be_deleted(api, admin_client, gone):
    rows = rows_left_with(gone)
    for kind in ("returns", "order_subscriptions", "orders", "customer_subscriptions"):
        pk = rows[kind].pk
        assert api.delete(f"/api/{kind}/{pk}").status_code == 204
    page = f"/admin/customers/skulist/{rows['sku_lists'].pk}/delete/"
    assert admin_client.post(page, {"post": "yes"}).status_code == 302
    assert api.get(f"/api/customers/{gone.pk}/sku_lists").json()["data"] == []
    assert api.delete(f"/api/customers/{gone.pk}").status_code == 204
    assert not Customer.objects.filter(pk=gone.pk).exists()


def test_a_forgotten_customer_is_logged_out_and_does_not_come_in_again():
    password = hash_password("correct horse battery")
    ada = make_customer(email="ada@example.com", password=password)
    channel = Api(customer=ada)
    found = sessions.authenticate(ada.email, "correct horse battery", mode="test", client="::1")
    forget(ada)
    assert channel.get(f"/api/customers/{ada.pk}").status_code == 401
    with pytest.raises(sessions.LoginRefusedError) as refused:
        sessions.refresh(channel.application, channel.refresh_token)
    assert str(refused.value) == sessions.OVER
    with pytest.raises(
        sessions.LoginRefusedError
    ) as refused:  # whose password was right just before
        sessions.start(channel.application, found, scope="market:all")
    assert str(refused.value) == sessions.WRONG
    for email in ("ada@example.com", f"{ada.pk}@anonymized.invalid"):
        with pytest.raises(sessions.LoginRefusedError):
            sessions.authenticate(email, "correct horse battery", mode="test", client="::1")
    assert not ada.sessions.exists()


def test_a_link_that_was_mailed_opens_nothing_and_no_other_is_mailed(gone):
    left = make_reset(customer=gone)
    with pytest.raises(password_resets.WrongResetTokenError):
        password_resets.redeem_reset(
            left.pk, left.reset_password_token, "correct horse battery", mode="test"
        )
    with pytest.raises(ForgottenError):
        password_resets.create_reset(gone, actor=None)
    for kind in ("password_reset", "invitation"):
        mails.request_reset(gone.email, mode="test", kind=kind, actor={"owner": {"id": "1"}})
    while mails.deliver_next():
        pass
    assert mail.outbox == []
    assert not QueuedMail.objects.exists()
    assert list(CustomerPasswordReset.objects.all()) == [left]
    gone.refresh_from_db()
    assert gone.password is None


def test_an_import_refuses_the_rows_of_a_forgotten_customer_and_does_the_others(gone):
    job = make_import(
        given=[
            {"id": gone.pk, "email": "ada@example.com"},
            {"email": gone.email, "reference": "A1"},
            {"email": "bob@example.com", "reference": "B1"},
        ],
        skip_errors=True,
    )
    entries = make_import(
        resource_type="customer_subscriptions",
        given=[{"customer.email": gone.email, "reference": "a"}, {"customer_id": gone.pk}],
        skip_errors=True,
    )
    orders = make_import(resource_type="orders", given=[{"number": "1"}], skip_errors=True)
    Import.objects.filter(pk=orders.pk).update(parent_resource_id=gone.pk)
    before = EventStore.objects.filter(resource_id=gone.pk).count()
    assert imports.faults("customers", [{"id": gone.pk, "reference": "a"}], mode="test", actor=None)
    while imports.do_import_part():
        pass
    found = {one.pk: (one.status, one.processed_count) for one in Import.objects.all()}
    assert found == {job.pk: ("completed", 1), entries.pk: ("completed", 0)} | {
        orders.pk: ("completed", 0)
    }
    job.refresh_from_db()
    assert [told[3] for told in job.refusals] == [SENTENCE, SENTENCE]
    orders.refresh_from_db()
    assert [told[3] for told in orders.refusals] == [SENTENCE]
    gone.refresh_from_db()
    assert (gone.email, gone.reference) == (f"{gone.pk}@anonymized.invalid", None)
    assert EventStore.objects.filter(resource_id=gone.pk).count() == before
    assert Customer.objects.get(email="bob@example.com").reference == "B1"


def test_neither_side_of_a_merger_is_a_forgotten_customer(gone, unchanged):
    other = make_customer()
    unchanged.begin()
    for kept, spare in ((gone, other), (other, gone)):
        with pytest.raises(merging.MergeRefusedError):
            merging.merge(kept.pk, spare.pk, mode="test", actor=None)


@pytest.mark.parametrize("kind", ACTIONS)
def test_a_bulk_act_passes_a_forgotten_customer_over_and_counts_it(gone, kind):
    options = {"tags": make_tag().name, "customer_group": make_group().pk}
    act = bulk.begin_bulk_act([gone.pk], kind, mode="test", actor=None, options=options)
    act = bulk.finish(act)
    assert (act.done, act.refusals) == (0, {"anonymized, or about to be": 1})
    gone.refresh_from_db()
    assert gone.tags.count() == 0
    assert not QueuedMail.objects.exists()


@pytest.mark.parametrize("how", [[], ["--print-link"], ["--expire"]])
def test_the_command_about_a_password_says_that_the_customer_is_forgotten(gone, how):
    with pytest.raises(CommandError, match=SENTENCE):
        call_command("reset_customer_password", gone.email, *how)
    assert (mail.outbox, gone.customer_password_resets.count()) == ([], 0)


def test_the_console_says_so_on_the_page_that_was_sent(admin_client, gone, unchanged):
    rows = rows_left_with(gone)
    order, address = rows["orders"], rows["addresses"]
    unchanged.begin()
    customer = {"email": "ada@example.com", "metadata": "{}"}
    place = {"first_name": "Ada", "last_name": "L", "line_1": "1", "city": "London"}
    place |= {"zip_code": "SW1Y 4JH", "country_code": "GB", "phone": "1", "metadata": "{}"}
    new = {"customer": gone.pk, "reference": "news", "metadata": "{}"}
    note = {"name": "Ada", "metadata": "{}", "order": order.pk}
    for page, form in (
        (f"{LIST}{gone.pk}/change/", customer),
        (f"/admin/customers/address/{address.pk}/change/", place),
    ):
        response = admin_client.post(page, form)
        assert response.status_code == 409, page
        assert "has been permanently removed" in response.content.decode(), page
    pages = {
        "/admin/customers/customersubscription/add/": new,
        "/admin/customers/attachment/add/": note,
        f"/admin/customers/{gone.pk}/tags/": {"add": "vip"},
        f"/admin/customers/{gone.pk}/note/": {"text": "Ada Lovelace"},
        f"{LIST}{gone.pk}/anonymize/": {"trigger": "_request_anonymization"},
    }
    for page, form in pages.items():
        response = admin_client.post(page, form, follow=True)
        assert response.status_code == 200, page
        assert SENTENCE in response.content.decode(), page


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_what_waits_for_an_anonymization_sees_it(admin_user, monkeypatch):
    """Every door has looked before the anonymization is committed, and is at the lock."""
    ada = make_customer(email="ada@example.com", password=hash_password("correct horse battery"))
    order, bob = make_order(customer=ada, shipping_address=make_address()), make_customer()
    wishes = make_sku_list(customer=ada)
    api, channel, console = Api(), Api(customer=ada), Client()
    console.force_login(admin_user)
    reset = make_reset(customer=ada)
    found = sessions.authenticate(ada.email, "correct horse battery", mode="test", client="::1")
    act = bulk.begin_bulk_act(
        [ada.pk], "add_tags", mode="test", actor=None, options={"tags": "vip"}
    )
    make_tag(name="vip")
    me = {"customer": link(ada)}
    form = {"email": "eve@example.com", "metadata": "{}"}

    def refused(do, *errors):
        with pytest.raises(errors):
            do()
        return 423

    def expired():
        call_command("reset_customer_password", "ada@example.com", "--expire")

    acts = [
        lambda: api.update("customers", ada.pk, {"email": "eve@example.com"}).status_code,
        lambda: api.update("orders", order.pk, {"_place": True}).status_code,
        lambda: api.create("orders", {"customer_email": ada.email}).status_code,
        lambda: api.create("attachments", {"name": "A"}, {"attachable": link(order)}).status_code,
        lambda: (
            api.create("sku_list_items", {"sku_code": "A"}, {"sku_list": link(wishes)}).status_code
        ),
        lambda: api.create("customer_payment_sources", {}, me).status_code,
        lambda: 423 * ("has been permanently removed" in console_text(console, ada, form)),
        lambda: refused(lambda: tagging.add_tags(ada, [], actor=None), ForgottenError),
        lambda: refused(lambda: password_resets.create_reset(ada, actor=None), ForgottenError),
        lambda: refused(
            lambda: password_resets.redeem_reset(
                reset.pk, reset.reset_password_token, "another long password", mode="test"
            ),
            password_resets.WrongResetTokenError,
        ),
        lambda: refused(
            lambda: sessions.start(channel.application, found, scope="market:all"),
            sessions.LoginRefusedError,
        ),
        lambda: refused(
            lambda: sessions.refresh(channel.application, channel.refresh_token),
            sessions.LoginRefusedError,
        ),
        lambda: refused(
            lambda: merging.merge(bob.pk, ada.pk, mode="test", actor=None),
            merging.MergeRefusedError,
        ),
        lambda: refused(expired, CommandError),
        lambda: 423 * (bulk.finish(act).done == 0),
    ]
    answers = [None] * len(acts)

    def run(number):
        with closing(connection):
            answers[number] = acts[number]()

    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {
        **connection.settings_dict["OPTIONS"], **PATIENT
    })  # fmt: skip
    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=ada.pk)
        for thread in threads:
            thread.start()
        until = time.monotonic() + 50
        while waiting_for_locks() < len(acts) and time.monotonic() < until:
            time.sleep(0.05)
        blocked = waiting_for_locks()
        early = answers[:]
        forget(ada)
    for thread in threads:
        thread.join()
    assert (blocked, early) == (len(acts), [None] * len(acts))
    assert answers == [423] * len(acts)
    ada.refresh_from_db()
    assert (ada.email, ada.password) == (f"{ada.pk}@anonymized.invalid", None)
    assert (ada.sku_lists.count(), ada.customer_payment_sources.count()) == (0, 0)
    assert (ada.sessions.count(), ada.customer_password_resets.count()) == (0, 0)
    assert (ada.orders.get().status, ada.tags.count()) == ("draft", 0)
    assert not Attachment.objects.exists()
    assert not EventStore.objects.filter(resource_type="orders").exists()


def console_text(client, customer, form):
    return client.post(f"{LIST}{customer.pk}/change/", form, follow=True).content.decode()


def test_the_lock_answers_for_every_kind_of_row(gone):
    for row in rows_left_with(gone).values():
        rows = type(row).objects.all()
        with transaction.atomic(), pytest.raises(ForgottenError):
            row_changes.lock(row, rows)
        with transaction.atomic():
            assert row_changes.lock(row, rows, forgotten_too=True) == row
    assert Return.objects.exists()
