"""Mail servers that refuse a mail, for good or for now."""

import ipaddress

import pytest
from django.utils import timezone

from customers.models import QueuedMail
from customers.tests.factories import make_customer
from customers.tests.field.doors import CUSTOMERS, shown, work
from customers.tests.mail_servers import refusing

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True)
def _own_network(settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    settings.OPERATOR_EMAIL = "operator@example.com"


def page_of(client, customer):
    return shown(client.get(f"{CUSTOMERS}{customer.pk}/change/"))


@pytest.mark.parametrize("reply", [b"550 5.1.1 No such user", b"553 5.1.3 Bad address"])
def test_a_mail_that_is_refused_for_good_is_final(client, settings, reply):
    make_customer(email="ada@example.com")
    client.post("/test/password/forgot", {"email": "ada@example.com"})
    with refusing(settings, reply) as server:
        work()
        QueuedMail.objects.update(next_attempt_at=timezone.now())
        work()
    assert server.asked == 1
    assert not QueuedMail.objects.exists()


def test_an_address_that_is_refused_for_good_is_marked_on_the_customers_page(
    client, admin_client, settings
):
    customer, other = make_customer(email="ada@example.com"), make_customer()
    client.post("/test/password/forgot", {"email": "ada@example.com"})
    with refusing(settings, b"550 5.1.1 No such user"):
        work()
    assert "undeliverable" in page_of(admin_client, customer)
    assert "undeliverable" not in page_of(admin_client, other)


def test_another_address_of_the_customer_is_not_marked(api, client, admin_client, settings):
    customer = make_customer(email="ada@example.com")
    client.post("/test/password/forgot", {"email": "ada@example.com"})
    with refusing(settings, b"550 5.1.1 No such user"):
        work()
    api.update("customers", customer.pk, {"email": "ada@new.example"})
    assert "undeliverable" not in page_of(admin_client, customer)


@pytest.mark.parametrize("reply", [b"450 4.2.1 Busy", b"451 4.3.0 Later", b"421 4.7.0 Go away"])
def test_a_mail_that_is_refused_for_now_is_sent_again(client, admin_client, settings, reply):
    customer = make_customer(email="ada@example.com")
    client.post("/test/password/forgot", {"email": "ada@example.com"})
    with refusing(settings, reply):
        work()
    assert QueuedMail.objects.get().attempts == 1
    assert "undeliverable" not in page_of(admin_client, customer)
