"""Links to a new password, as people click, keep and open them."""

import re

import pytest
from django.core import mail
from django.test import Client

from customers.models import Customer, CustomerPasswordReset
from customers.tests.conftest import Api
from customers.tests.field.doors import LOCAL, shown, work

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


def test_the_second_of_two_clicks_says_that_the_password_is_changed(client):
    registered(OTHER)
    page = opened(client, mailed_link(client))
    cookies = {name: one.value for name, one in client.cookies.items()}
    answers = []
    for _ in range(2):
        browser = Client()
        browser.cookies.load(cookies)
        answers.append(shown(send(browser, page)))
    assert all("Your password was changed" in answer for answer in answers)
    assert logs_in(NEW)
    assert CustomerPasswordReset.objects.exclude(reset_password_at=None).count() == 1


def test_the_form_of_a_link_changes_the_customer_whom_it_shows(client):
    one = registered(OTHER, "one@example.com")
    two = registered(OTHER, "two@example.com")
    first = opened(client, mailed_link(client, one.email))
    assert "one@example.com" in shown(first[1])
    second = opened(client, mailed_link(client, two.email))
    assert "two@example.com" in shown(second[1])
    send(client, first)
    assert not logs_in(NEW, two.email)
    assert logs_in(OTHER, two.email)


def test_both_forms_of_two_links_work_in_any_order(client):
    emails = ["one@example.com", "two@example.com", "three@example.com"]
    for email in emails:
        registered(OTHER, email)
    pages = [opened(client, mailed_link(client, email)) for email in emails]
    for number in (1, 0, 2):
        send(client, pages[number], f"{NEW} {number}")
    assert [logs_in(f"{NEW} {number}", email) for number, email in enumerate(emails)] == [True] * 3


@pytest.mark.parametrize("behind", [".", ",", ")", ">", ".)", "%2E", ";", "!"])
def test_a_sign_that_a_mail_program_took_along_does_not_break_the_link(client, behind):
    registered(OTHER)
    page = opened(client, mailed_link(client) + behind)
    works = page[1].status_code == 200
    assert works or "is not complete" in shown(page[1])
    if works:
        assert "was changed" in shown(send(client, page))
    assert logs_in(NEW if works else OTHER)


def test_a_link_that_was_cut_says_that_it_is_not_complete(client):
    registered(OTHER)
    link = mailed_link(client)
    for cut in (link.partition("?")[0], link.partition("=")[0], link[:-5]):
        assert "is not complete" in shown(opened(Client(), cut)[1])


def test_a_browser_without_cookies_is_told_so(client):
    registered(OTHER)
    link = mailed_link(client)
    page = Client().get(client.get(link)["Location"])
    assert "cookies" in shown(page)
