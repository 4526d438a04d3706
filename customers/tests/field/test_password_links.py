"""Links to a new password, as people click, keep and open them."""

import pytest
from django.core import mail
from django.test import Client

from customers.models import Customer, EventStore
from customers.tests.field.doors import shown, work
from customers.tests.field.passwords import (
    NEW,
    OTHER,
    logs_in,
    mailed_link,
    opened,
    registered,
    send,
)

pytestmark = pytest.mark.thorough


def test_a_third_click_with_another_password_is_refused(client):
    registered(OTHER)
    page = opened(client, mailed_link(client))
    cookies = {name: one.value for name, one in client.cookies.items()}
    send(client, page)
    browser = Client()
    browser.cookies.load(cookies)
    answer = send(browser, page, "a third, quite different one")
    assert answer.status_code == 410
    assert logs_in(NEW)


def test_the_second_click_changes_nothing_again(client):
    registered(OTHER)
    page = opened(client, mailed_link(client))
    cookies = {name: one.value for name, one in client.cookies.items()}
    send(client, page)
    kept, entries = Customer.objects.get().password, EventStore.objects.count()
    browser = Client()
    browser.cookies.load(cookies)
    send(browser, page)
    assert (Customer.objects.get().password, EventStore.objects.count()) == (kept, entries)
    work()
    assert [one.subject for one in mail.outbox].count("Your password at Clientele was changed") == 1


def test_a_newer_link_of_one_customer_in_a_second_tab_leaves_the_first_form_its_customer(client):
    registered(OTHER)
    first = opened(client, mailed_link(client))
    opened(client, mailed_link(client))
    send(client, first)
    assert logs_in(NEW)
    assert not logs_in(OTHER)


def test_a_link_that_was_used_says_so_and_not_that_it_is_incomplete(client):
    registered(OTHER)
    link = mailed_link(client)
    send(client, opened(client, link))
    page = opened(Client(), link)[1]
    assert page.status_code == 410
    assert "is not complete" not in shown(page)
