"""Links to a new password, as people click, keep and open them."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from customers.jobs import mails
from customers.models import Customer, CustomerPasswordReset, EventStore, QueuedMail
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


def test_who_goes_back_and_sends_the_form_again_is_told_that_it_is_changed(client):
    registered(OTHER)
    page = opened(client, mailed_link(client))
    send(client, page)
    assert "Your password was changed" in shown(send(client, page))
    refused = send(client, page, "a third, quite different one")
    assert refused.status_code == 400
    assert logs_in(NEW)


def test_a_used_link_that_is_over_takes_no_guess(client):
    registered(OTHER)
    page = opened(client, mailed_link(client))
    send(client, page)
    CustomerPasswordReset.objects.update(expires_at=timezone.now())
    assert send(client, page).status_code == 400


def test_guesses_at_a_used_link_are_counted_as_logins(client, settings):
    settings.LOGIN_FAILURES_PER_CLIENT = 2
    registered(OTHER)
    page = opened(client, mailed_link(client))
    send(client, page)
    guesses = [send(client, page, f"a guess, number {number}").status_code for number in range(3)]
    assert guesses == [400, 400, 429]


def test_an_invitation_and_the_link_of_another_in_one_browser_stay_apart(client):
    registered(OTHER, "one@example.com")
    guest = Customer.objects.create(email="two@example.com", mode="test")
    first = opened(client, mailed_link(client, "one@example.com"))
    mails.request_reset(guest.email, mode="test", actor={}, kind=QueuedMail.Kind.INVITATION)
    work()
    second = opened(client, re.search(r"/test/password/reset/\S+", mail.outbox[-1].body)[0])
    assert "two@example.com" in shown(second[1])
    send(client, first)
    assert logs_in(NEW, "one@example.com")
    assert not Customer.objects.get(pk=guest.pk).has_password


def test_links_of_both_modes_in_one_browser_stay_apart(client):
    registered(OTHER)
    live = Customer.objects.create(email="ada@example.com", mode="live")
    first = opened(client, mailed_link(client))
    opened(client, mailed_link(client, mode="live"))
    send(client, first)
    assert logs_in(NEW)
    assert not Customer.objects.get(pk=live.pk).has_password


@pytest.mark.parametrize("path", ["/test/password/forgot", "/admin/login/"])
def test_a_form_of_a_browser_without_cookies_says_so(path):
    refused = Client(enforce_csrf_checks=True).post(path, {"email": "ada@example.com"})
    assert refused.status_code == 403
    assert "cookies" in shown(refused)
