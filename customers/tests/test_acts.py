"""What staff do: to one customer by a button, to many after a question, each in both logs."""

import re
from collections import Counter

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from customers.jobs import bulk, merging, worker
from customers.jobs.bulk_actions import ACTIONS
from customers.models import (
    BulkAct,
    BulkChunk,
    Customer,
    CustomerPasswordReset,
    Event,
    EventStore,
    QueuedMail,
)
from customers.services import sessions
from customers.services.applications import create_application
from customers.tests.conftest import in_threads, needs_postgresql
from customers.tests.factories import (
    make_address,
    make_attachment,
    make_customer,
    make_customer_address,
    make_full_customer,
    make_group,
    make_placed_order,
    make_reset,
    make_subscription,
    make_tag,
)

LIST = "/admin/customers/customer/"
WHO = {"application": None, "owner": {"type": "User", "id": "1"}}


def page_of(customer, name):
    return f"{LIST}{customer.pk}/{name}/"


def ask(client, action, customers=(), query="", **sent):
    """Choose an action of the list for `customers`; with `confirmed`, answer its question."""
    selected = {"_selected_action": [customer.pk for customer in customers]}
    sent = {"action": action, "index": 0, **(selected if customers else {}), **sent}
    return client.post(f"{LIST}{query}", sent)


def log_in_with(client, *permissions):
    user = User.objects.create_user("grace", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return user


def names_of(customer):
    return {tag.name for tag in customer.tags.all()}


def told(response):
    return [str(message) for message in response.wsgi_request._messages]


def test_tags_are_added_to_all_that_are_selected_after_a_question(admin_client, admin_user):
    customers = [make_customer() for _ in range(3)]
    other, vip, new = make_customer(), make_tag(name="vip"), make_tag(name="new")
    customers[0].tags.add(vip)
    page = ask(admin_client, "add_tags", customers).content.decode()
    assert "3 customers" in page
    assert "Add to 3 customers" in page
    assert not BulkAct.objects.exists()
    answer = ask(admin_client, "add_tags", customers, confirmed="3", tags=[vip.pk, new.pk])
    assert answer.status_code == 302
    assert [names_of(customer) for customer in [*customers, other]] == [{"new", "vip"}] * 3 + [
        set()
    ]
    entry = LogEntry.objects.get()
    assert entry.change_message == "Added tags new, vip to 3 customers."
    assert "@" not in entry.object_repr
    assert entry.user == admin_user
    tagged = EventStore.objects.filter(resource_type="customers")
    assert {row.who["owner"]["id"] for row in tagged} == {str(admin_user.pk)}
    assert not BulkChunk.objects.exists()


def test_tags_are_removed_and_a_group_is_set(admin_client):
    vip, group = make_tag(name="vip"), make_group(name="Wholesale")
    customers = [make_customer(customer_group=make_group()) for _ in range(2)]
    for customer in customers:
        customer.tags.add(vip, make_tag())
    ask(admin_client, "remove_tags", customers, confirmed="2", tags=[vip.pk])
    ask(admin_client, "set_group", customers[:1], confirmed="1", customer_group=group.pk)
    ask(admin_client, "set_group", customers[1:], confirmed="1", customer_group="")
    assert [customer.tags.count() for customer in customers] == [1, 1]
    groups = [Customer.objects.get(pk=customer.pk).customer_group for customer in customers]
    assert groups == [group, None]


def test_a_question_that_is_answered_wrongly_changes_nothing(admin_client):
    customer, foreign = make_customer(), make_tag(mode="live")
    for sent in ({"tags": []}, {"tags": [foreign.pk]}, {"tags": ["nothing"]}):
        assert ask(admin_client, "add_tags", [customer], confirmed="1", **sent).status_code == 200
    tag = make_tag()
    page = ask(admin_client, "add_tags", [customer], confirmed="2", tags=[tag.pk])
    assert "The list has changed since you looked" in page.content.decode()
    assert not customer.tags.exists()
    assert not BulkAct.objects.exists()


def test_tagging_many_asks_the_database_as_often_as_tagging_one():
    make_tag(name="vip")
    counts = []
    for number in (1, 8):
        ids = [make_customer().pk for _ in range(number)]
        with CaptureQueriesContext(connection) as queries:
            act = bulk.begin_bulk_act(
                ids, "add_tags", mode="test", actor=WHO, options={"tags": "vip"}
            )
            assert bulk.finish(act).done == number
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert Event.objects.filter(name="customers.tagged").count() == 9
    payloads = EventStore.objects.filter(event="update").values_list("payload", flat=True)
    assert [*payloads] == [{"tags": {"from": [], "to": ["vip"]}}] * 9


def test_what_cannot_be_done_is_told_and_stops_nobody_else(admin_client, settings):
    settings.MAX_TAGS = 2
    tag, full, free = make_tag(), make_customer(), make_customer()
    gone = make_customer(anonymization_status="completed")
    full.tags.add(make_tag(), make_tag())
    answer = ask(admin_client, "add_tags", [full, free, gone], confirmed="3", tags=[tag.pk])
    assert told(answer) == [
        f"Added tag {tag.name} to 1 customer.",
        "1 customer skipped: anonymized, or about to be.",
        "1 customer skipped: more than 2 tags.",
    ]
    assert (full.tags.count(), free.tags.count(), gone.tags.count()) == (2, 1, 0)
    assert LogEntry.objects.get().change_message == " ".join(told(answer))


def test_a_whole_filter_result_goes_on_in_the_background(admin_client, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 3)
    monkeypatch.setattr(bulk, "CHUNK", 2)
    group, tag = make_group(), make_tag()
    inside = [make_customer(customer_group=group) for _ in range(5)]
    outside = [make_customer(), make_customer(mode="live")]
    query = f"?filter[q][customer_group_id_eq]={group.pk}"
    everything = {"select_across": "1", "_selected_action": [inside[0].pk]}
    page = ask(admin_client, "add_tags", query=query, **everything).content.decode()
    assert "5 customers" in page
    assert "in the background" in page
    answer = ask(admin_client, "add_tags", query=query, confirmed="5", tags=[tag.pk], **everything)
    progress, act = answer["Location"], BulkAct.objects.get()
    told = f"Began “Add tags” (tag {tag.name}) for 5 customers, action {act.pk}."
    assert LogEntry.objects.get().change_message == told
    assert "0 of 5 customers" in admin_client.get(progress).content.decode()
    assert not tag.customers.exists()
    inside[4].delete()
    assert bulk.do_next()
    assert "2 of 5 customers" in admin_client.get(progress).content.decode()
    worker.run_once()
    page = admin_client.get(progress).content.decode()
    assert "Finished." in page
    assert "1 skipped: no longer there" in page
    assert tag.customers.count() == 4
    assert not any(customer.tags.exists() for customer in outside)
    admin_client.post("/admin/mode/", {"mode": "live"})
    assert admin_client.get(progress).status_code == 404


def test_a_chunk_that_fails_is_done_again_and_nobody_twice(monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 2)
    customers, tag = [make_customer() for _ in range(4)], make_tag(name="vip")
    ids = [customer.pk for customer in customers]
    act = bulk.begin_bulk_act(ids, "add_tags", mode="test", actor=WHO, options={"tags": "vip"})
    done = []

    def fail_once(customers, options, actor):
        done.extend(customers)
        tag.customers.add(*customers)
        if len(done) == 2:
            raise OSError("The disk is away.")
        return []

    monkeypatch.setattr(ACTIONS["add_tags"], "apply", fail_once)
    with pytest.raises(OSError, match="The disk is away"):
        bulk.finish(act)
    assert (tag.customers.count(), act.chunks.count()) == (0, 2)
    act = bulk.finish(act)
    assert (act.done, act.refusals, tag.customers.count()) == (4, {}, 4)
    assert act.finished_at


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_many_workers_share_an_act_and_do_it_once(monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 3)
    ids = [make_customer().pk for _ in range(40)]
    act = bulk.begin_bulk_act(ids, "send_invitation", mode="test", actor=WHO)
    in_threads(4, lambda number: bulk.finish(BulkAct.objects.get(pk=act.pk)))
    act.refresh_from_db()
    assert (act.done, act.refusals) == (40, {})
    assert act.finished_at
    assert set(Counter(QueuedMail.objects.values_list("email", flat=True)).values()) == {1}
    assert QueuedMail.objects.count() == 40


def test_resets_go_to_the_registered_and_invitations_to_guests(admin_client):
    registered, guest = make_customer(password="argon2$x"), make_customer()
    others = {
        "send_reset": "guest, no password",
        "send_invitation": "already registered",
    }
    for action, sentence in others.items():
        answer = ask(admin_client, action, [guest, registered], confirmed="2")
        assert told(answer)[-1] == f"1 customer skipped: {sentence}."
        act = BulkAct.objects.order_by("pk").last()
        assert (act.total, act.done, act.refusals) == (2, 1, {sentence: 1})
    assert sorted(QueuedMail.objects.values_list("kind", "email")) == [
        ("invitation", guest.email),
        ("password_reset", registered.email),
    ]
    worker.run_once()
    subjects = {message.to[0]: message.subject for message in mail.outbox}
    assert subjects == {
        registered.email: "Choose a new password for Clientele",
        guest.email: "Your account at Clientele",
    }


def test_an_invitation_lives_longer_than_a_reset_and_is_told_as_such(admin_client, settings):
    settings.INVITATION_LIFETIME, settings.PASSWORD_RESET_LIFETIME = 3 * 86_400, 3600
    guest, registered = make_customer(), make_customer(password="argon2$x")
    for action in ("send_reset", "send_invitation"):
        ask(admin_client, action, [guest, registered], confirmed="2")
    worker.run_once()
    texts = {message.to[0]: message.body for message in mail.outbox}
    assert re.search(r"within\s3 days:", texts[guest.email])
    assert re.search(r"within\s60 minutes:", texts[registered.email])
    lives = {
        reset.customer_id: round((reset.expires_at - reset.created_at).total_seconds())
        for reset in CustomerPasswordReset.objects.all()
    }
    assert lives == {guest.pk: 3 * 86_400, registered.pk: 3600}
    told = "Invited by e-mail to choose a password"
    assert told in admin_client.get(page_of(guest, "change")).content.decode()
    assert told not in admin_client.get(page_of(registered, "change")).content.decode()


@pytest.mark.parametrize("action", ACTIONS.values(), ids=list(ACTIONS))
def test_a_bulk_action_says_whole_what_it_needs_and_does(admin_client, action):
    app, _, codename = action.permission.partition(".")
    assert Permission.objects.filter(content_type__app_label=app, codename=codename).exists()
    assert action.explanation.endswith(".")
    assert "{customers}" in action.button
    assert "{customers}" in action.done
    assert ("{chosen}" in action.done) == (action.chooses is not None)
    page = ask(admin_client, action.kind, [make_customer()]).content.decode()
    assert action.button.format(customers="1 customer") in page
    assert escape(action.explanation) in page


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("action", "permission"),
    [
        ("add_tags", "change_customer"),
        ("remove_tags", "change_customer"),
        ("set_group", "change_customer"),
        ("send_reset", "reset_customer_password"),
        ("send_invitation", "invite_customers"),
        ("export_csv", "export_customers"),
        ("request_anonymization", "anonymize_customers"),
    ],
)
def test_an_action_needs_its_permission(client, action, permission):
    customer, vip = make_customer(), make_tag(name="vip")
    every = Permission.objects.filter(content_type__app_label="customers")
    others = every.exclude(codename=permission).values_list("codename", flat=True)
    user = log_in_with(client, *others)
    sent = {"confirmed": "1", "customer_group": "", "tags": [vip.pk]}
    assert ask(client, action, [customer], **sent)["Content-Type"] != "text/csv"
    assert not (BulkAct.objects.exists())
    assert not (LogEntry.objects.exists())
    assert f'value="{action}"' not in client.get(LIST).content.decode()
    user.user_permissions.add(Permission.objects.get(codename=permission))
    assert f'value="{action}"' in client.get(LIST).content.decode()
    assert ask(client, action, [customer]).status_code == 200


@pytest.mark.parametrize(
    ("page", "permission", "sent"),
    [
        ("reset-password", "reset_customer_password", {"how": "show"}),
        ("merge", "merge_customers", {"duplicate": "spare"}),
        ("anonymize", "anonymize_customers", {"trigger": "_request_anonymization"}),
    ],
)
def test_an_act_needs_its_permission_and_a_customer_of_the_mode(client, page, permission, sent):
    customer, spare, foreign = make_customer(), make_customer(), make_customer(mode="live")
    sent = {name: spare.pk if text == "spare" else text for name, text in sent.items()}
    every = Permission.objects.filter(content_type__app_label="customers")
    others = every.exclude(codename=permission).values_list("codename", flat=True)
    user = log_in_with(client, *others)
    assert client.get(page_of(customer, page)).status_code == 403
    assert client.post(page_of(customer, page), sent).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename=permission))
    assert client.get(page_of(customer, page)).status_code == 200
    assert client.get(page_of(foreign, page)).status_code == 404
    assert client.post(page_of(foreign, page), sent).status_code == 404
    assert not (EventStore.objects.exists())
    assert not (CustomerPasswordReset.objects.exists())
    assert Customer.objects.count() == 3


def test_a_group_of_the_other_mode_is_given_to_nobody(admin_client):
    customer, foreign = make_customer(), make_group(mode="live")
    sent = {"confirmed": "1", "customer_group": foreign.pk}
    assert ask(admin_client, "set_group", [customer], **sent).status_code == 200
    assert not BulkAct.objects.exists()
    options = {"customer_group": foreign.pk}
    act = bulk.begin_bulk_act([customer.pk], "set_group", mode="test", actor=WHO, options=options)
    assert bulk.finish(act).refusals == {"the group was deleted": 1}
    assert Customer.objects.get().customer_group is None


def test_the_page_of_a_bulk_act_is_for_who_sees_customers(client):
    act = bulk.begin_bulk_act([make_customer().pk], "send_invitation", mode="test", actor=WHO)
    user = log_in_with(client, "view_order")
    page = f"{LIST}bulk/{act.pk}/"
    assert client.get(page).status_code == 404
    user.user_permissions.add(Permission.objects.get(codename="view_customer"))
    assert client.get(page).status_code == 200


def test_an_action_keeps_to_the_mode_at_work_whatever_rows_it_is_given(admin_user, rf):
    make_customer()
    make_customer(mode="live")
    options = admin.site.get_model_admin(Customer)
    request = rf.post(LIST)
    request.user, request.session = admin_user, {}
    admin_user.otp_device = object()  # as the second factor's middleware has it
    offered = options.get_actions(request)
    for name in [*ACTIONS, "export_csv"]:
        action = getattr(offered[name], "func", None) or offered[name][0]  # a tuple before 6.1
        assert action(options, request, Customer.objects.all()).context_data["total"] == 1


def test_a_bulk_act_stays_in_its_mode(admin_client):
    here, there, vip = make_customer(), make_customer(mode="live"), make_tag(name="vip")
    make_tag(name="vip", mode="live")
    page = ask(admin_client, "add_tags", [here, there]).content.decode()
    assert "Add to 1 customer<" in page
    assert there.email not in page
    ask(admin_client, "add_tags", [here, there], confirmed="1", tags=[vip.pk])
    act = BulkAct.objects.get()
    assert (act.mode, act.total, act.done) == ("test", 1, 1)
    ids = [here.pk, there.pk]
    act = bulk.begin_bulk_act(ids, "remove_tags", mode="test", actor=WHO, options={"tags": "vip"})
    there.tags.add(vip)
    act = bulk.finish(act)
    assert (act.done, act.refusals) == (1, {"no longer there": 1})
    assert (names_of(here), names_of(there)) == (set(), {"vip"})


def test_a_reset_is_mailed_and_stands_in_both_logs_without_its_token(admin_client, admin_user):
    customer = make_customer(password="argon2$x")
    page = page_of(customer, "reset-password")
    shown = admin_client.get(page).content.decode()
    assert 'type="password"' not in shown
    assert not CustomerPasswordReset.objects.exists()
    assert admin_client.post(page, {"how": "mail"}).status_code == 302
    worker.run_once()
    (message,) = mail.outbox
    token = re.search(r"token=(\w+)", message.body)[1]
    reset = CustomerPasswordReset.objects.get(customer=customer)
    assert Event.objects.get(resource_id=reset.pk).name == "customer_password_resets.create"
    entry = EventStore.objects.get(resource_id=reset.pk)
    assert entry.who["owner"] == {"type": "User", "id": str(admin_user.pk)}
    line = LogEntry.objects.get(object_id=customer.pk)
    assert line.change_message == "Sent a link to choose a new password."
    assert token not in f"{entry.payload} {line.change_message} {line.object_repr}"


def test_a_link_is_shown_once_and_stored_nowhere(admin_client, client):
    customer = make_customer()
    answer = admin_client.post(page_of(customer, "reset-password"), {"how": "show"})
    assert "no-store" in answer["Cache-Control"]
    link = re.search(r'value="(http[^"]+)"', answer.content.decode())[1]
    assert "/test/password/reset/" in link
    token = link.partition("token=")[2]
    line = LogEntry.objects.get()
    assert line.change_message == "Was shown a link to choose a new password."
    assert line.object_id == customer.pk
    assert token not in admin_client.get(page_of(customer, "reset-password")).content.decode()
    assert token not in str(LogEntry.objects.values()) + str(EventStore.objects.values())
    assert not mail.outbox


@pytest.mark.parametrize("status", ["requested", "started", "completed"])
def test_who_is_forgotten_gets_no_link_and_no_button_for_one(admin_client, status):
    customer = make_customer(anonymization_status=status)
    shown = admin_client.get(page_of(customer, "change")).content.decode()
    assert page_of(customer, "anonymize") in shown
    page = page_of(customer, "reset-password")
    assert page not in shown
    assert page_of(customer, "merge") not in shown
    for how in ("show", "mail"):
        refused = admin_client.post(page, {"how": how}).content.decode()
        assert "cannot be sent a link to choose a password" in refused
    assert not CustomerPasswordReset.objects.exists()
    assert not QueuedMail.objects.exists()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("name", "permission"),
    [
        ("reset-password", "reset_customer_password"),
        ("merge", "merge_customers"),
        ("anonymize", "anonymize_customers"),
    ],
)
def test_a_button_is_shown_to_who_may_press_it(client, admin_client, name, permission):
    customer, foreign = make_customer(), make_customer(mode="live")
    user = log_in_with(client, "view_customer")
    change = f"{LIST}{customer.pk}/change/"
    assert f"/{name}/" not in client.get(change).content.decode()
    for method in (client.get, client.post):
        assert method(page_of(customer, name)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename=permission))
    assert f"/{name}/" in client.get(change).content.decode()
    assert client.get(page_of(customer, name)).status_code == 200
    for pk in (foreign.pk, "missing", "%00"):
        assert client.get(f"{LIST}{pk}/{name}/").status_code == 404
    assert not QueuedMail.objects.exists()


def test_what_no_text_can_hold_is_refused_whatever_is_asked(admin_client):
    customer = make_customer()
    for page in ("%00/change/", "%00/merge/", "bulk/%00/", "import/%00/", "imports/%00/"):
        assert admin_client.get(f"{LIST}{page}").status_code == 404
    assert admin_client.get(page_of(customer, "merge"), {"duplicate": "\0"}).status_code == 400
    selected = {"_selected_action": [customer.pk], "confirmed": "1"}
    for action, sent in (
        ("add_tags", {"_selected_action": ["\0"]}),
        ("add_tags", {**selected, "tags": ["\0"]}),
        ("set_group", {**selected, "customer_group": "\0"}),
    ):
        assert ask(admin_client, action, **sent).status_code == 400
    assert not BulkAct.objects.exists()


def test_an_anonymization_is_requested_cancelled_and_told(admin_client):
    customer = make_customer()
    page = page_of(customer, "anonymize")
    told = []
    for trigger in ("_request_anonymization", "_cancel_anonymization"):
        assert trigger in admin_client.get(page).content.decode()
        assert admin_client.post(page, {"trigger": trigger}).status_code == 302
        customer.refresh_from_db()
        told.append(customer.anonymization_status)
    assert told == ["requested", "cancelled"]
    assert admin_client.post(page, {"trigger": "_cancel_anonymization"}).status_code == 200
    customer.refresh_from_db()
    assert customer.anonymization_status == "cancelled"
    log = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
    assert list(log) == [
        "Requested the anonymization of this customer.",
        "Cancelled the anonymization of this customer.",
    ]


def test_many_are_requested_to_be_anonymized_after_a_question(admin_client):
    customers = [make_customer(), make_customer()]
    assert "permanently" in ask(admin_client, "request_anonymization", customers).content.decode()
    assert not Customer.objects.exclude(anonymization_status=None).exists()
    ask(admin_client, "request_anonymization", customers, confirmed="2")
    assert Customer.objects.filter(anonymization_status="requested").count() == 2


def test_two_customers_become_one_and_the_log_says_how_to_undo_it(admin_client, admin_user):
    kept, spare = make_customer(metadata={"a": 1}), make_full_customer()
    Customer.objects.filter(pk=spare.pk).update(
        password="argon2$x", customer_group=make_group(), reference="R-1", metadata={"a": 2, "b": 3}
    )
    orders = [make_placed_order(kept), make_placed_order(spare)]
    Customer.objects.update(total_orders_count=1, status="acquired")
    make_subscription(customer=kept, reference="news")
    double = make_subscription(customer=spare, reference="news")
    kept.tags.add(make_tag(name="old"))
    names = {*names_of(spare), "old"}
    reset = make_reset(customer=spare)
    theirs = {
        name: set(getattr(spare, name).exclude(pk=double.pk).values_list("pk", flat=True))
        for name in ("orders", "customer_addresses", "sku_lists", "attachments")
    }
    assert all(theirs.values())
    page = admin_client.get(page_of(kept, "merge"), {"duplicate": spare.pk}).content.decode()
    assert "deleted: 1 customer subscription." in page
    assert Customer.objects.count() == 2
    answer = admin_client.post(page_of(kept, "merge"), {"duplicate": spare.pk})
    assert answer["Location"] == f"{LIST}{kept.pk}/change/"
    merged = Customer.objects.get()
    assert merged == kept
    assert (merged.total_orders_count, merged.status) == (2, "repeat")
    assert (merged.password, merged.reference, merged.metadata) == (None, "R-1", {"a": 1, "b": 3})
    assert names_of(merged) == names
    for name, wanted in theirs.items():
        assert wanted <= set(getattr(merged, name).values_list("pk", flat=True))
    assert not CustomerPasswordReset.objects.filter(pk=reset.pk).exists()
    assert merged.customer_subscriptions.filter(reference="news").count() == 1
    notes = EventStore.objects.filter(resource_id=kept.pk, event="update")
    (note,) = [row.payload["merged"]["to"] for row in notes if "merged" in row.payload]
    assert note["id"] == spare.pk
    assert note["attributes"]["email"] == spare.email
    assert set(note["moved"]["orders"]) == theirs["orders"]
    assert note["dropped"]["customer_subscriptions"][0]["id"] == double.pk
    assert "argon2" not in str(EventStore.objects.values())
    moved = EventStore.objects.get(resource_id=orders[1].pk, event="update")
    assert moved.payload == {"customer_id": {"from": spare.pk, "to": kept.pk}}
    assert moved.who["owner"]["id"] == str(admin_user.pk)
    assert Event.objects.filter(name="customers.repeat", resource_id=kept.pk).count() == 1
    assert Event.objects.filter(name="customers.destroy", resource_id=spare.pk).count() == 1
    line = LogEntry.objects.get(object_id=kept.pk)
    assert line.change_message == f"Merged the customer {spare.pk} into this one."


@pytest.mark.parametrize("wrong", ["self", "mode", "tags", "anonymized", "missing"])
def test_a_merger_that_cannot_be_is_refused(admin_client, settings, wrong):
    settings.MAX_TAGS = 1
    kept, spare = make_customer(), make_customer(mode="live" if wrong == "mode" else "test")
    if wrong == "tags":
        kept.tags.add(make_tag())
        spare.tags.add(make_tag())
    if wrong == "anonymized":
        Customer.objects.filter(pk=spare.pk).update(anonymization_status="requested")
    sent = {"duplicate": {"self": kept.pk, "missing": "nobody"}.get(wrong, spare.pk)}
    for method in (admin_client.get, admin_client.post):
        page = method(page_of(kept, "merge"), sent)
        assert page.status_code == 200
        assert page.context["form"].errors
        assert "Merge, and delete" not in page.content.decode()
        if wrong in ("mode", "missing"):  # who is in the other mode is told nobody
            told = page.context["form"].errors["duplicate"]
            assert told == ["There is no such customer in this mode."]
    assert Customer.objects.count() == 2
    assert not EventStore.objects.exists()


def test_a_merger_fills_what_is_empty_and_notes_no_secret():
    wholesale, retail = make_group(), make_group()
    kept = make_customer(reference="K", customer_group=retail, metadata={"a": 1})
    spare = make_customer(
        reference="S",
        reference_origin="shop",
        customer_group=wholesale,
        metadata={"a": 2, "b": 2},
        password="argon2$secret",
    )
    merged = merging.merge(kept.pk, spare.pk, mode="test", actor=WHO)
    merged.refresh_from_db()
    assert (merged.reference, merged.reference_origin) == ("K", "shop")
    assert (merged.customer_group, merged.metadata) == (retail, {"a": 1, "b": 2})
    assert not merged.has_password
    note = EventStore.objects.get(resource_id=kept.pk, event="update").payload["merged"]["to"]
    assert note["attributes"]["reference"] == "S"
    assert "argon2" not in str(EventStore.objects.values())


def test_customers_of_two_modes_are_merged_by_no_service():
    kept, foreign = make_customer(), make_customer(mode="live")
    with pytest.raises(Customer.DoesNotExist):
        merging.merge(kept.pk, foreign.pk, mode="test", actor=WHO)
    with pytest.raises(merging.MergeRefusedError, match="never mix"):
        merging.Merger(kept, foreign)
    assert Customer.objects.count() == 2
    assert not EventStore.objects.exists()


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_mergers_at_the_same_time_one_wins_and_nothing_is_lost():
    pairs = [make_customer(), make_customer()]
    for customer in pairs:
        make_customer_address(customer=customer, address=make_address())
        make_attachment(customer=customer)

    def try_it(number):
        kept, spare = pairs if number % 2 else pairs[::-1]
        try:
            return bool(merging.merge(kept.pk, spare.pk, mode="test", actor=WHO))
        except Customer.DoesNotExist:
            return False

    assert sorted(in_threads(4, try_it)) == [False, False, False, True]
    merged = Customer.objects.get()
    assert (merged.customer_addresses.count(), merged.attachments.count()) == (2, 2)


def test_who_had_the_double_is_logged_out():
    channel, _ = create_application(name="Shop", mode="test", kind="sales_channel")
    kept, spare = make_customer(), make_customer(password="argon2$x")
    session, _ = sessions.start(channel, spare, scope="market:all")
    merging.merge(kept.pk, spare.pk, mode="test", actor=WHO)
    assert not type(session).objects.exists()
