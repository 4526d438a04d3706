"""How a customer gets and uses a password, by the page, the mail and the API."""

import re

from django.core import mail
from django.test import Client

from customers.models import Customer
from customers.tests.conftest import Api
from customers.tests.field.doors import LOCAL, work

NEW, OTHER = "a wholly new sentence", "another whole sentence"


def registered(password, email="ada@example.com"):
    """A customer with a password, made by a program."""
    made = Api().create("customers", {"email": email, "password": password})
    assert made.status_code == 201, made.content
    return Customer.objects.get(pk=made.json()["data"]["id"])


def logs_in(password, email="ada@example.com", channel=None):
    """Whether a storefront gets a token for the customer's password."""
    application = (channel or Api(kind="sales_channel")).application
    sent = {
        "grant_type": "password",
        "client_id": application.client_id,
        "username": email,
        "password": password,
    }
    answer = Client().post("/oauth/token", sent, content_type="application/json")
    assert answer.status_code in (200, 400, 401), answer.content
    return answer.status_code == 200


def mailed_link(client, email="ada@example.com", mode="test"):
    """The path of the link in the mail that asking for one on the page brings."""
    sent = len(mail.outbox)
    assert client.post(f"/{mode}/password/forgot", {"email": email}).status_code == 302
    work()
    (message,) = mail.outbox[sent:]
    return re.search(r"^http\S+$", message.body, re.MULTILINE)[0].removeprefix(LOCAL)


def opened(client, link):
    """The address and the page that following a mailed link ends at."""
    page = client.get(link, follow=True)
    path = page.redirect_chain[-1][0] if page.redirect_chain else link
    return path, page


def form_of(page):
    """The hidden fields of the page's form, and the address that it is sent to."""
    text = page.content.decode()
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text)
    action = re.search(r'<form[^>]* action="([^"]+)"', text)
    return dict(fields), action and action[1].replace("&amp;", "&")


def send(client, opened_page, password=NEW, again=None):
    """The answer to the form of an opened page, filled in."""
    path, page = opened_page
    fields, action = form_of(page)
    filled = fields | {"password": password, "again": again or password}
    return client.post(action or path, filled, follow=True)
