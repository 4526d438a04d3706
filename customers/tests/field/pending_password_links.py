"""Links to a new password, as people click, keep and open them."""

import pytest
from django.test import Client

from customers.models import CustomerPasswordReset
from customers.tests.field.doors import shown
from customers.tests.field.passwords import (
    NEW,
    OTHER,
    logs_in,
    mailed_link,
    opened,
    registered,
    send,
)


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
