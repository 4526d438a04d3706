"""One mailbox is one customer, in whatever spelling it comes; what only looks alike is another."""

import re
import unicodedata
from urllib.parse import quote

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.urls import reverse

from customers.jobs import anonymization, imports, mails, worker
from customers.models import (
    Customer,
    CustomerSubscription,
    EventCallback,
    EventStore,
    Import,
    Order,
    QueuedMail,
    email_key,
    validate_email_address,
    with_ascii_domain,
)
from customers.services.anonymization import request_anonymization
from customers.services.passwords import hash_password
from customers.services.sessions import LoginRefusedError, authenticate
from customers.tests.conftest import Api, error_of, ids, in_threads, needs_postgresql
from customers.tests.factories import (
    make_customer,
    make_event_callback,
    make_order,
    make_subscription,
)
from customers.tests.mail_servers import mail_server
from customers.tests.test_password_pages import ask

pytestmark = pytest.mark.thorough

PASSWORD = "correct horse battery"

ONE = [  # an address as it is kept, and another spelling of it
    ("Ada@Example.com", "aDA@eXAMPLE.COM"),
    ("ada@bücher.example", "ada@xn--bcher-kva.example"),
    ("ada@bücher.example", "ADA@XN--BCHER-KVA.EXAMPLE"),
    ("ada@xn--bcher-kva.example", "ada@BÜCHER.example"),
    ("ada@βόλος.example", "ada@xn--nxasmm1c.example"),
    ("ada@ΒΌΛΟΣ.example", "ada@xn--nxasmq6b.example"),  # as browsers have it
    ("info@faß.example", "info@xn--fa-hia.example"),
    ("info@faß.example", "info@FAẞ.example"),
    ("zoë@example.com", "ZOË@example.com"),
    ("zoë@example.com", "zoe\u0308@example.com"),  # as a Mac's file names are written
    ("ΝΊΚΟΣ@example.com", "νίκος@example.com"),
    ("İpek@example.com", "i\u0307pek@example.com"),
    ("a..b@example.com", "A..B@example.com"),
]
TWO = [  # an address as it is kept, and one that is another or none
    ("info@faß.example", "info@fass.example"),
    ("ada@βόλος.example", "ada@βόλοσ.example"),
    ("strauß@example.com", "strauss@example.com"),
    ("kim@example.com", "\u212aim@example.com"),  # the sign for kelvin
    ("sam@example.com", "\u017fam@example.com"),  # a long s
    ("kim@example.com", "k\u0131m@example.com"),  # no dot
    ("ipek@example.com", "İpek@example.com"),
    ("file@example.com", "\ufb01le@example.com"),  # a ligature
    ("ada@example.com", "\uff41da@example.com"),  # a full-width letter
    ("ada@example.com", "ada@\uff45xample.com"),
    ("ada@example.com", "ada\uff20example.com"),
    ("ada@example.com", "\u0430da@example.com"),  # a Cyrillic letter
    ("ada@example.com", "a\u200bda@example.com"),
    ("ada@example.com", "ada@example\u3002com"),
    ("angstr\u00f6m@example.com", "a\u030angstr\u00f6m@example.com"),  # neither NFC nor NFD
    ("ada@bücher.example", "ada@bucher.example"),
    ("ada@bücher.example", "ada@xn--bcher-kva.example.com"),
]
one_mailbox = pytest.mark.parametrize(("kept", "sent"), ONE)
two_mailboxes = pytest.mark.parametrize(("kept", "sent"), TWO)


@one_mailbox
def test_spellings_of_one_mailbox_have_one_key(kept, sent):
    assert email_key(kept) == email_key(sent)
    assert email_key(email_key(kept)) == email_key(kept)


@two_mailboxes
def test_two_mailboxes_have_two_keys(kept, sent):
    assert email_key(kept) != email_key(sent)


def test_what_is_far_too_long_is_looked_at_no_further():
    labels = ".".join(f"xn--{number}" for number in range(1000))
    assert email_key(f"ada@{labels}")[0] == "\uffff"
    with pytest.raises(ValidationError) as refusal:
        validate_email_address(f"ada@{labels}".replace("xn--", "ä"))
    assert refusal.value.messages == ["is not an e-mail address"]


def test_no_letter_is_taken_for_another_but_for_its_capital():
    """Of all letters that an address may have, in its local part."""
    found = {}
    for letter in map(chr, range(0xA1, 0x3000)):
        if letter.isprintable() and email_key(letter)[0] != "\uffff":
            found.setdefault(email_key(f"{letter}@b.cc"), []).append(letter)
    alike = [letters for letters in found.values() if len(letters) > 1]
    assert len(alike) > 500
    assert all(len(set(letters)) == 2 and max(letters).lower() for letters in alike)
    assert all(len({letter.lower() for letter in letters}) == 1 for letters in alike)


@pytest.mark.parametrize(
    "address",
    [
        "a..b@example.com",
        ".a.@example.com",
        "ada@localhost",
        "ada@127.0.0.1",
        "ada@a--b.ab--cd.example",
        "ada@xn--a.example",  # no A-label, and yet a name
        "!#$%&'*+/=?^_`{|}~-@example.com",
        f"ada@{'a' * 63}.example",
        "ada@i\u0307.example",
        "ada@xn--i-7iq.ws",
        "ada@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.example",  # RFC 5892 appendix A.1
    ],
)
def test_what_htmls_field_takes_is_taken_and_what_domains_there_can_be(api, address):
    response = api.create("customers", {"email": address})
    assert response.status_code == 201, response.content
    assert response.json()["data"]["attributes"]["email"] == address


@pytest.mark.parametrize(
    "address",
    [
        "ada@-a.example",
        "ada@a-.example",
        "ada@a..example",
        "ada@example.com.",
        "ada@a_b.example",
        "ada@[127.0.0.1]",
        f"ada@{'a' * 64}.example",
        f"ada@{'ä' * 58}.example",  # 64 as an A-label
        "ada@i\u2764.ws",  # no letter (RFC 5892), though its A-label is taken
        "ada@a\u200cb.example",
        "a\u200cb@example.com",
        '"a b"@example.com',
        "a@b@example.com",
        "ada@example\u3002com",
        "\u212aim@example.com",  # as another, equal spelling has it
        "\ufb01le@example.com",
    ],
)
def test_what_no_mail_can_go_to_is_refused(api, address):
    response = api.create("customers", {"email": address})
    error_of(response, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/email"})
    assert not Customer.objects.exists()


# Each door, for an address that somebody has: a function of the spelling that comes in, which
# returns whether it led to that customer.


def by_token(customer, sent):
    Customer.objects.update(password=hash_password(PASSWORD))
    try:
        return authenticate(sent, PASSWORD, mode="test", client="192.0.2.1") == customer
    except LoginRefusedError:
        return False


def by_order(customer, sent):
    response = Api().create("orders", {"customer_email": sent})
    assert response.status_code in (201, 422), response.content
    return Order.objects.filter(customer=customer).exists()


def by_subscription(customer, sent):
    Api().create("customer_subscriptions", {"customer_email": sent, "reference": "news"})
    return CustomerSubscription.objects.filter(customer=customer).exists()


def by_guests_subscription(customer, sent):
    guest = Api(kind="sales_channel")
    guest.create("customer_subscriptions", {"customer_email": sent, "reference": "news"})
    return CustomerSubscription.objects.filter(customer=customer).exists()


def by_reset(customer, sent):
    response = Api().create("customer_password_resets", {"customer_email": sent})
    assert response.status_code in (201, 422)
    return customer.customer_password_resets.exists()


def by_page(customer, sent):
    QueuedMail.objects.create(mode="test", kind="password_reset", email=sent)
    worker.run_once()
    assert [message.to for message in mail.outbox] in ([], [[with_ascii_domain(customer.email)]])
    return bool(mail.outbox)


def by_own_order(customer, sent):
    customer.password = "argon2$unusable"
    customer.save(update_fields=["password"])
    response = Api(customer=customer).create("orders", {"customer_email": sent})
    return response.status_code == 201


def by_change(customer, sent):
    other = make_customer(email="other@other.example")
    response = Api().update("customers", other.pk, {"email": sent})
    return "taken" in response.content.decode()


def by_import(customer, sent):
    return imported("customers", {"email": sent, "reference": "R"}, customer)


def by_import_of_orders(customer, sent):
    imported("orders", {"customer.email": sent, "number": "1"}, customer)
    return Order.objects.filter(customer=customer).exists()


def by_import_of_subscriptions(customer, sent):
    kept = make_subscription(customer=customer, reference="news")
    row = {"customer.email": sent, "reference": "news", "metadata": {"a": 1}}
    imported("customer_subscriptions", row, customer)
    kept.refresh_from_db()
    return kept.metadata == {"a": 1}


def imported(resource_type, row, customer):
    imports.begin_import(resource_type, [row], mode="test", actor=None, skip_errors=True)
    worker.run_once()
    assert Import.objects.get().status == "completed"
    customer.refresh_from_db()
    return customer.reference == "R"


def by_filter(predicate):
    def found(customer, sent):
        query = {f"filter[q][email_{predicate}]": sent}
        found = ids(Api().query("/api/customers", query))
        return (customer.pk in found) is not predicate.startswith("not")

    return found


def by_plain_filter(customer, sent):
    return ids(Api().query("/api/customers", {"filter[email]": sent})) == [customer.pk]


def by_filter_of_orders(customer, sent):
    order = make_order(customer=customer)
    return ids(Api().query("/api/orders", {"filter[q][customer_email_eq]": sent})) == [order.pk]


def by_command(customer, sent):
    try:
        call_command("export_personal_data", sent)
    except CommandError as error:
        if str(error) != "No customer has this address. Check its spelling.":
            raise
        return False
    return True


EVERYWHERE = [
    by_token,
    by_order,
    by_subscription,
    by_guests_subscription,
    by_reset,
    by_page,
    by_own_order,
    by_change,
    by_import,
    by_import_of_orders,
    by_import_of_subscriptions,
    *map(
        by_filter, ["eq", "in", "not_eq", "not_in", "cont", "start", "end", "not_cont", "matches"]
    ),
    by_plain_filter,
    by_filter_of_orders,
    by_command,
]
# These keep what nobody has, and so refuse another composition.
KEEPING = [by_order, by_subscription, by_guests_subscription, by_change, by_import_of_orders]
every_door = pytest.mark.parametrize("door", EVERYWHERE)
SHORT = [ONE[1], ONE[9]]
LOOK_ALIKE = [TWO[0], TWO[3]]


@every_door
@pytest.mark.parametrize(("kept", "sent"), SHORT)
def test_every_door_takes_spellings_of_one_mailbox_for_one(door, kept, sent, capsys):
    customer = make_customer(email=kept)
    assert door(customer, sent if door not in KEEPING else unicodedata.normalize("NFC", sent))
    assert not EventStore.objects.filter(resource_type="customers", event="create").exists()
    customer.refresh_from_db()
    assert customer.email == kept


@every_door
@pytest.mark.parametrize(("kept", "sent"), LOOK_ALIKE)
def test_no_door_takes_a_look_alike_for_the_customer(door, kept, sent, capsys):
    customer = make_customer(email=kept)
    assert not door(customer, sent)
    customer.refresh_from_db()
    assert (customer.email, customer.reference) == (kept, None)


def test_a_reset_for_a_look_alike_reaches_nobody_and_says_nothing_of_it(client):
    make_customer(email="kim@example.com", password=hash_password(PASSWORD))
    assert ask(client, "k\u0131m@example.com").status_code == 302
    refused = ask(client, "\u212aim@example.com")
    assert refused.status_code == 422
    assert "another, equal spelling" in refused.content.decode()
    worker.run_once()
    assert mail.outbox == []


def test_a_reset_goes_to_the_address_as_it_is_kept(client):
    make_customer(email="info@faß.example", password=hash_password(PASSWORD))
    assert ask(client, "INFO@XN--FA-HIA.example").status_code == 302
    worker.run_once()
    (message,) = mail.outbox
    assert message.to == ["info@xn--fa-hia.example"]  # and not to fass, as in IDNA 2003
    assert message.message()["To"] == "info@xn--fa-hia.example"
    log = EventStore.objects.get(event="mail")
    assert log.payload == {"mail": {"from": None, "to": "password_reset sent"}}


@pytest.mark.parametrize(
    "text",
    ["bücher", "BÜCHER.example", "@xn--bcher-kva.example", "ada@xn--bcher-kva.example", "a@b"],
)
@pytest.mark.parametrize("kept", ["ada@bücher.example", "ada@xn--bcher-kva.example"])
def test_the_console_finds_the_customer_by_either_spelling(admin_client, text, kept):
    customer = make_customer(email=kept)
    make_customer(email="ada@bucher.example")
    page = admin_client.get(reverse("admin:customers_customer_changelist"), {"q": text})
    found = re.findall(r"customers/customer/(\w{16})/change", page.content.decode())
    if text != "a@b":
        assert set(found) == {customer.pk}
        palette = admin_client.get(f"{reverse('admin:index')}command-palette/?q={quote(text)}")
        entries = [one for one in palette.json()["entries"] if one["hint"] == "Customer"]
        assert [one["label"] for one in entries] == [kept]
    else:
        assert len(set(found)) == 2


@pytest.mark.parametrize("text", ["\u212aim", "k\u0131m", "\uff4bim"])
def test_the_console_finds_nobody_by_a_look_alike(admin_client, text):
    make_customer(email="kim@example.com")
    page = admin_client.get(reverse("admin:customers_customer_changelist"), {"q": text})
    assert not re.findall(r"customers/customer/(\w{16})/change", page.content.decode())


def test_staff_are_told_that_another_spelling_is_taken(admin_client):
    make_customer(email="ada@bücher.example")
    page = admin_client.post(
        reverse("admin:customers_customer_add"),
        {"email": "ada@xn--bcher-kva.example", "metadata": "{}"},
    )
    assert "has already been taken" in page.content.decode()
    assert Customer.objects.count() == 1


def test_rows_of_one_file_that_spell_one_mailbox_make_one_customer():
    rows = [
        {"email": "ada@bücher.example", "reference": "1"},
        {"email": "ADA@xn--bcher-kva.example", "reference": "2"},
        {"email": "ada@bucher.example", "reference": "3"},
    ]
    imports.begin_import("customers", rows, mode="test", actor=None)
    worker.run_once()
    made = Customer.objects.values_list("email", "reference")
    assert set(made) == {("ada@bücher.example", "2"), ("ada@bucher.example", "3")}


@pytest.mark.parametrize("tags", [{}, {"_add_tags": "vip"}])  # made at once, and one by one
def test_an_import_changes_nothing_in_the_other_mode(tags):
    live = make_customer(email="ada@example.com", mode="live", reference="kept")
    rows = [{"email": "ada@example.com", "reference": "R", **tags}]
    imports.begin_import("customers", rows, mode="test", actor=None)
    kept = make_subscription(customer=live, mode="live", reference="news")
    row = {"customer.email": "ada@example.com", "reference": "news", "metadata": {"a": 1}}
    imports.begin_import("customer_subscriptions", [row], mode="test", actor=None)
    worker.run_once()
    live.refresh_from_db()
    kept.refresh_from_db()
    assert (live.reference, kept.metadata) == ("kept", {})
    made = Customer.objects.get(mode="test")
    assert (made.reference, made.customer_subscriptions.get().metadata) == ("R", {"a": 1})


@pytest.mark.parametrize(
    ("email", "reference"), [("bob@example.com", "news"), ("ada@example.com", "offers")]
)
def test_a_subscription_is_known_by_its_address_and_reference_together(email, reference):
    ada, bob = make_customer(email="ada@example.com"), make_customer(email="bob@example.com")
    kept = make_subscription(customer=ada, reference="news")
    row = {"customer.email": email, "reference": reference, "metadata": {"a": 1}}
    imports.begin_import("customer_subscriptions", [row], mode="test", actor=None)
    worker.run_once()
    kept.refresh_from_db()
    assert kept.metadata == {}
    assert CustomerSubscription.objects.exclude(pk=kept.pk).get().customer.email == email
    assert bob.customer_subscriptions.count() == (email == bob.email)


def test_who_is_forgotten_is_forgotten_in_every_spelling(settings):
    settings.ANONYMIZATION_DELAY = 0
    ada = make_customer(email="ZOË@bücher.example")
    for spelling in ("zoë@xn--bcher-kva.example", "Zoë@BÜCHER.example"):
        QueuedMail.objects.create(mode="test", kind="invitation", email=spelling)
    other = QueuedMail.objects.create(mode="test", kind="invitation", email="zoë@bucher.example")
    rows = [{"email": "zoë@XN--bcher-kva.example"}, {"email": "zoe@bücher.example"}]
    job = imports.begin_import("customers", rows, mode="test", actor=None)
    spelled = ("ZOË@bücher.example", "zoë@xn--bcher-kva.example", "zoë@bucher.example")
    sent = [make_event_callback(payload={"data": {"email": email}}) for email in spelled]
    request_anonymization(ada, actor=None)
    anonymization.anonymize_next()
    kept = [EventCallback.objects.get(pk=one.pk).payload is not None for one in sent]
    assert kept == [False, False, True]
    assert list(QueuedMail.objects.all()) == [other]
    job.stored_inputs.refresh_from_db()
    assert job.stored_inputs.rows == [{}, rows[1]]


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_spellings_that_come_at_once_one_is_taken():
    api = Api()
    for number in range(5):
        spellings = [f"a{number}@bücher.example", f"A{number}@xn--bcher-kva.example"] * 2
        responses = in_threads(
            4, lambda at, spellings=spellings: api.create("customers", {"email": spellings[at]})
        )
        assert sorted(response.status_code for response in responses) == [201, 422, 422, 422]
        for response in responses:
            if response.status_code == 422:
                source = {"pointer": "/data/attributes/email"}
                found = error_of(response, 422, "VALIDATION_ERROR", source)
                assert found["meta"] == {"error": "taken"}
    assert Customer.objects.count() == 5


# Rows whose keys were made by other rules


def kept_before(email, key, **values):
    customer = make_customer(email=email, **values)
    Customer.objects.filter(pk=customer.pk).update(email_key=key)
    return customer


def test_two_rows_that_would_have_one_key_are_listed_by_their_ids(capsys):
    one = kept_before("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example")
    two = kept_before("ada@bücher.example", "ada@bücher.example")
    kept_before("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example", mode="live")
    kept_before("info@faß.example", "info@fass.example")
    call_command("list_email_collisions")
    assert capsys.readouterr().out == f"test  {one.pk}  {two.pk}\n"
    two.delete()
    call_command("list_email_collisions")
    assert capsys.readouterr().out == "There are none.\n"


# Mail to a local part beyond ASCII


def lines_of(server):
    """What was said to `server`, as text; commands are written in another case by each Python."""
    lines = [line.decode().rstrip() for line in server.said]
    return [
        re.sub("^(mail from|rcpt to):", lambda one: one[0].upper(), one, flags=re.I)
        for one in lines
    ]


def outcome_of(customer):
    return EventStore.objects.get(resource_id=customer.pk, event="mail").payload["mail"]["to"]


def test_a_mail_to_a_local_part_beyond_ascii_is_sent_with_smtputf8(settings):
    jose = make_customer(email="José@bücher.example", password=hash_password(PASSWORD))
    with mail_server(settings, "8BITMIME", "SMTPUTF8") as server:
        mails.mail_reset(jose, actor=None)
    lines = lines_of(server)
    (sender,) = [line for line in lines if line.startswith("MAIL FROM")]
    assert sender == "MAIL FROM:<no-reply@127.0.0.1> SMTPUTF8 BODY=8BITMIME"
    assert "RCPT TO:<José@xn--bcher-kva.example>" in lines
    assert "To: José@xn--bcher-kva.example" in lines
    assert [line for line in lines if line.startswith("From: ")] == ["From: no-reply@127.0.0.1"]
    assert outcome_of(jose) == "password_reset sent"


def test_without_smtputf8_it_fails_and_that_is_told(settings):
    jose = make_customer(email="josé@example.com", password=hash_password(PASSWORD))
    with mail_server(settings, "8BITMIME") as server, pytest.raises(CommandError) as failure:
        call_command("reset_customer_password", "josé@example.com")
    assert "SMTPNotSupportedError" in str(failure.value)
    assert not [line for line in lines_of(server) if "TO:" in line]
    assert outcome_of(jose) == "password_reset failed"
    assert not jose.customer_password_resets.exists()


def test_a_mail_to_an_a_label_needs_no_smtputf8(settings):
    ada = make_customer(email="ada@faß.example", password=hash_password(PASSWORD))
    with mail_server(settings) as server:
        mails.mail_reset(ada, actor=None)
    lines = lines_of(server)
    assert "RCPT TO:<ada@xn--fa-hia.example>" in lines
    assert "To: ada@xn--fa-hia.example" in lines
    assert outcome_of(ada) == "password_reset sent"
