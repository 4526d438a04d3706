"""Addresses that a mail server refuses for good: mails end, and the customer's page says it."""

import logging

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from customers.jobs import anonymization, mails, personal_data
from customers.models import Customer, EventStore, QueuedMail
from customers.tests.conftest import staff_client
from customers.tests.factories import make_customer
from customers.tests.field.doors import by_api
from customers.tests.forms import sent_by
from customers.tests.mail_servers import refusing

GONE = b"550 5.1.1 <ada@example.com>: no such user"
SAID = GONE.decode()
PAGE = "/admin/customers/customer/{}/change/"


def send(kind="password_reset", email="ada@example.com", customer=None, mode="test"):
    """Queue a mail and let the worker send it; whether it is still waiting."""
    QueuedMail.objects.create(mode=mode, kind=kind, email=email, customer=customer)
    assert mails.deliver_next()
    return QueuedMail.objects.exists()


def refusal_of(customer):
    customer.refresh_from_db()
    return customer.email_refusal


def make_refused(**values):
    values = {"email": "ada@example.com", "email_refusal": SAID, **values}
    return make_customer(email_refused_at=timezone.now(), **values)


@pytest.mark.parametrize("kind", ["password_reset", "invitation", "password_changed"])
@pytest.mark.parametrize(
    ("at", "reply"),
    [
        (b"RCPT", b"550 5.1.1 No such user"),
        (b"RCPT", b"552 5.2.2 Mailbox full"),
        (b"DATA", b"554 5.7.1 No thanks"),
    ],
)
def test_a_mail_of_any_kind_that_is_refused_for_good_is_sent_once(settings, kind, at, reply):
    customer = make_customer(email="ada@example.com")
    with refusing(settings, reply, at=at) as server:
        assert not send(kind, customer=customer)
    assert server.asked == 1
    assert refusal_of(customer) == reply.decode()
    assert not customer.customer_password_resets.exists()


@pytest.mark.parametrize(
    ("at", "reply"),
    [
        (b"RCPT", b"450 4.2.1 Busy"),
        (b"DATA", b"451 4.3.0 Later"),
        (b"MAIL", b"550 5.7.1 You are no sender of ours"),
    ],
)
def test_what_is_no_refusal_of_the_address_for_good_marks_none(settings, at, reply):
    customer = make_customer(email="ada@example.com")
    with refusing(settings, reply, at=at):
        assert send()
    assert refusal_of(customer) is None


def test_a_refusal_is_kept_in_one_line_of_words(settings):
    customer = make_customer(email="ada@example.com")
    with refusing(settings, b"550-5.1.1 No\tsuch\x00 user\r\n550 5.1.1 " + b"x" * 400):
        send()
    assert refusal_of(customer).startswith("550 5.1.1 No such user 5.1.1 xxx")
    assert len(customer.email_refusal) == 255


def test_a_customers_page_says_when_and_how_its_address_was_refused(settings):
    customer = make_customer(email="ada@example.com")
    with refusing(settings, b"550 5.1.1 <b>no such</b> user"):
        send()
    page = staff_client("viewer").get(PAGE.format(customer.pk)).content.decode()
    assert "E-mail undeliverable" in page
    assert f"{timezone.now():%-d %b %Y}" in page
    assert "550 5.1.1 &lt;b&gt;no such&lt;/b&gt; user" in page
    assert "E-mail “password reset” was refused by the mail server" in page


def test_no_log_holds_the_address_that_was_refused_or_what_was_said(settings, caplog):
    caplog.set_level(logging.DEBUG)
    customer = make_customer(email="ada@example.com")
    with refusing(settings, GONE):
        send()
    (entry,) = EventStore.objects.filter(resource_id=customer.pk, event="mail")
    assert entry.payload == {"mail": {"from": None, "to": "password_reset refused"}}
    told = [one.getMessage() for one in caplog.records if one.name.startswith("customers")]
    assert any("was refused for good (SMTPRecipientsRefused)" in text for text in told)
    assert "ada@" not in " ".join(told) + str([*EventStore.objects.values()])


def test_the_mark_is_none_of_the_apis(api):
    customer = make_refused()
    answer = api.get(f"/api/customers/{customer.pk}").content.decode()
    assert "refus" not in answer


def test_a_mark_moves_no_customer_in_time(settings):
    customer = make_customer(email="ada@example.com")
    before = customer.updated_at
    with refusing(settings, GONE):
        send()
    assert refusal_of(customer) == SAID
    assert abs(customer.updated_at - before).total_seconds() < 0.001


def test_a_mail_that_is_taken_later_clears_the_mark(settings):
    customer, other = make_refused(), make_refused(email="bob@example.com")
    with refusing(settings, None):
        assert not send()
    assert (refusal_of(customer), customer.email_refused_at) == (None, None)
    assert refusal_of(other) == SAID


@pytest.mark.parametrize("door", ["api", "console", "import"])
def test_another_address_clears_the_mark_by_whichever_door_it_comes(api, admin_client, door):
    customer = make_refused()
    page = PAGE.format(customer.pk)
    if door == "api":
        api.update("customers", customer.pk, {"email": "ada@new.example"})
    elif door == "console":
        values = sent_by(admin_client.get(page)) | {"email": "ada@new.example"}
        assert admin_client.post(page, values).status_code == 302
    else:
        rows = [{"id": customer.pk, "email": "ada@new.example"}]
        by_api(rows, format="json")
    assert (refusal_of(customer), customer.email) == (None, "ada@new.example")
    assert customer.email_refused_at is None
    assert "undeliverable" not in admin_client.get(page).content.decode()


def test_what_else_is_changed_leaves_the_mark(api):
    customer = make_refused()
    api.update("customers", customer.pk, {"reference": "r"})
    api.update("customers", customer.pk, {"email": customer.email})
    assert refusal_of(customer) == SAID


def test_a_refusal_of_the_address_before_marks_nobody(settings):
    customer = make_customer(email="ada@new.example")
    with refusing(settings, GONE):
        assert not send("email_changed", customer=customer)
        assert not send("password_changed", customer=customer)
    assert refusal_of(customer) is None


def test_a_customer_of_the_other_mode_is_not_marked(settings):
    customer = make_customer(email="ada@example.com")
    other = make_customer(email="ada@example.com", mode="live")
    with refusing(settings, GONE):
        send(mode="live")
    assert (refusal_of(customer), refusal_of(other)) == (None, SAID)


def test_a_command_that_mails_a_reset_marks_the_address_and_names_it_nowhere(settings):
    customer = make_customer(email="ada@example.com")
    with refusing(settings, GONE), pytest.raises(CommandError) as refused:
        call_command("reset_customer_password", "ada@example.com")
    assert refusal_of(customer) == SAID
    assert "ada@" not in str(refused.value)


def test_the_mark_is_in_a_persons_data():
    customer = make_refused()
    held = personal_data.of(customer)["email_refusal"]
    assert held["answer"] == SAID
    assert held["at"].startswith(f"{timezone.now():%Y-%m-%d}")
    assert personal_data.of(make_customer())["email_refusal"] is None


def test_the_mark_is_erased_with_the_person():
    customer = make_refused(anonymization_status="requested", anonymize_at=timezone.now())
    assert anonymization.anonymize_next() == customer
    assert (refusal_of(customer), customer.email_refused_at) == (None, None)
    assert not Customer.objects.filter(email_refusal__isnull=False).exists()
