"""E-mail addresses as they are typed, kept and mailed to in the field."""

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from customers.models import Customer, EventStore, Order
from customers.tests.conftest import error_of, ids
from customers.tests.factories import make_customer
from customers.tests.field.doors import (
    CUSTOMERS,
    brought,
    every_door,
    references,
    shown,
    work,
)
from customers.tests.mail_servers import mail_server

pytestmark = pytest.mark.thorough

TAKEN = {"pointer": "/data/attributes/email"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@bücher.example"),
        ("ada@BÜCHER.example", "ADA@XN--BCHER-KVA.EXAMPLE"),
        ("ada@παράδειγμα.example", "ada@xn--hxajbheg2az3al.example"),
    ],
)
def test_an_a_label_and_its_u_label_are_one_mailbox(api, first, second):
    assert api.create("customers", {"email": first}).status_code == 201
    again = api.create("customers", {"email": second})
    assert error_of(again, 422, "VALIDATION_ERROR", TAKEN)["meta"] == {"error": "taken"}
    assert Customer.objects.get().email == first


@every_door
def test_a_file_that_spells_the_domain_otherwise_is_about_the_same_customer(
    door, admin_client, tmp_path
):
    make_customer(email="ada@bücher.example")
    text = "email,reference\nada@xn--bcher-kva.example,R-1\n"
    brought(door, text, admin_client, tmp_path)
    assert references() == {"ada@bücher.example": "R-1"}


def test_who_types_the_address_into_a_browser_gets_the_reset(client):
    customer = make_customer(email="ada@bücher.example")
    sent = {"email": "ada@xn--bcher-kva.example"}
    assert client.post("/test/password/forgot", sent).status_code == 302
    work()
    assert [message.to for message in mail.outbox] == [["ada@xn--bcher-kva.example"]]
    assert customer.customer_password_resets.count() == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("info@faß.example", "info@fass.example"), ("info@βόλος.example", "info@βόλοσ.example")],
)
def test_two_domains_are_two_customers_and_an_order_goes_to_its_own(api, one, other):
    made = [api.create("customers", {"email": email}) for email in (one, other)]
    assert [answer.status_code for answer in made] == [201, 201]
    for email in (one, other):
        assert api.create("orders", {"customer_email": email}).status_code == 201
    owners = Order.objects.order_by("created_at", "id").values_list("customer__email", flat=True)
    assert list(owners) == [one, other]


def test_a_filter_finds_the_one_of_two_domains_that_it_names(api):
    one = make_customer(email="info@faß.example")
    other = make_customer(email="info@fass.example")
    for customer in (one, other):
        found = api.get("/api/customers", **{"filter[q][email_eq]": customer.email})
        assert ids(found) == [customer.pk]


def test_the_console_makes_customers_of_two_domains(admin_client):
    for email in ("info@faß.example", "info@fass.example"):
        sent = {"email": email, "metadata": "{}"}
        assert admin_client.post(f"{CUSTOMERS}add/", sent).status_code == 302
    assert Customer.objects.count() == 2


def test_a_local_part_in_another_case_is_the_same_and_the_guide_says_so(api, client):
    make_customer(email="Ada@example.com")
    error_of(api.create("customers", {"email": "aDA@EXAMPLE.com"}), 422, "VALIDATION_ERROR", TAKEN)


def outcome_of(customer):
    return EventStore.objects.get(resource_id=customer.pk, event="mail").payload["mail"]["to"]


@pytest.mark.parametrize("email", ["josé@example.com", "用户@example.com", "жаба@example.com"])
def test_a_local_part_beyond_ascii_is_written_raw_to_a_server_that_takes_it(settings, email):
    customer = make_customer(email=email)
    with mail_server(settings, "8BITMIME", "SMTPUTF8") as server:
        call_command("reset_customer_password", email)
    lines = [line.rstrip() for line in server.said]
    (sender,) = [line for line in lines if line.upper().startswith(b"MAIL FROM")]
    assert b"SMTPUTF8" in sender.upper()
    assert f"<{email}>".encode() in next(line for line in lines if line.upper().startswith(b"RCPT"))
    assert f"To: {email}".encode() in lines
    assert not any(b"=?utf-8?" in line and email[0].encode() in line for line in lines)
    assert outcome_of(customer) == "password_reset sent"


def test_a_server_that_takes_no_such_local_part_is_told_of_and_written_down(settings):
    customer = make_customer(email="josé@example.com")
    with (
        mail_server(settings, "8BITMIME") as server,
        pytest.raises(CommandError, match="could not be sent"),
    ):
        call_command("reset_customer_password", "josé@example.com")
    assert not any(b"RCPT" in line.upper() for line in server.said)
    assert outcome_of(customer) == "password_reset failed"
    assert not customer.customer_password_resets.exists()


def test_a_mail_of_the_worker_to_such_a_local_part_is_written_raw(settings, client):
    make_customer(email="josé@example.com")
    client.post("/test/password/forgot", {"email": "josé@example.com"})
    with mail_server(settings, "8BITMIME", "SMTPUTF8") as server:
        work()
    assert any(
        b"RCPT" in line.upper() and "<josé@example.com>".encode() in line for line in server.said
    )


def test_the_console_finds_the_customer_by_either_spelling_of_the_domain(admin_client):
    make_customer(email="ada@bücher.example")
    for text in ("ada@xn--bcher-kva.example", "ada@bücher.example"):
        assert "1 customer" in shown(admin_client.get(CUSTOMERS, {"q": text}))
