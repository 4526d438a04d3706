"""The pages on which a customer gets a new password, and the mails that lead there."""

import email
import re
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from customers.jobs import mails, worker
from customers.models import Customer, CustomerPasswordReset, EventStore, QueuedMail
from customers.services import password_resets
from customers.services.passwords import hash_password, verify_password
from customers.tests.conftest import in_threads, join_or_see_it_wait, needs_postgresql
from customers.tests.factories import make_customer
from customers.tests.test_sessions import log_in

OLD, NEW = "correct horse battery", "a wholly new sentence"


@pytest.fixture
def ada():
    return make_customer(email="Ada@Example.com", password=hash_password(OLD))


def ask(client, address="ada@example.com", mode="test"):
    return client.post(f"/{mode}/password/forgot", {"email": address})


def mailed_link(client, address="ada@example.com"):
    """The path of the link in the mail that asking for one brings."""
    assert ask(client, address).status_code == 302
    worker.run_once()
    url = re.search(r"^http\S+$", mail.outbox[-1].body, re.MULTILINE)[0]
    assert url.startswith("http://127.0.0.1:8000/test/password/reset/")
    return url.removeprefix("http://127.0.0.1:8000")


def form_of(link):
    """The path of the form that a link leads to."""
    return link.partition("?")[0].replace("/reset/", "/choose/")


def newest_form():
    """The path of the form of the reset that was made last."""
    reset = CustomerPasswordReset.objects.order_by("-id").values_list("pk", flat=True).first()
    return f"/test/password/choose/{reset}"


def choose(client, password=NEW, again=None, form=None):
    again = password if again is None else again
    return client.post(form or newest_form(), {"password": password, "again": again})


def has_password(customer, password):
    return verify_password(password, Customer.objects.get(pk=customer.pk).password)


def test_from_the_question_to_the_new_password(client, ada, guest_api):
    link = mailed_link(client)
    followed = client.get(link)
    form = form_of(link)
    assert (followed.status_code, followed["Location"]) == (302, form)
    assert "Choose a new password" in client.get(form).content.decode()
    done = choose(client)
    assert (done.status_code, done["Location"]) == (302, "/test/password/done")
    (cookie,) = (one for name, one in done.cookies.items() if name.startswith("password_reset"))
    assert (cookie.value, cookie["max-age"], cookie["path"]) == ("", 0, form)
    assert "was changed" in client.get("/test/password/done").content.decode()
    assert has_password(ada, NEW)
    assert log_in(client, guest_api.application, password=NEW).status_code == 200
    assert choose(client, "another sentence").status_code == 400
    client.get(link)
    assert choose(client, "another sentence").status_code == 410
    assert has_password(ada, NEW)


def test_the_token_leaves_the_url_and_stays_where_scripts_do_not_reach(client, ada, settings):
    settings.HTTPS = True
    link = mailed_link(client)
    token = link.split("token=")[1]
    followed = client.get(link)
    assert token not in followed["Location"]
    assert followed["Referrer-Policy"] == "no-referrer"
    ((name, cookie),) = followed.cookies.items()
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["max-age"]) == (form_of(link), 3600)
    page = client.get(form_of(link)).content.decode()
    assert token not in page
    assert "Ada@Example.com" in page
    choose(client)
    assert client.cookies[name].value == ""


def test_looking_uses_nothing_up(client, ada):
    link = mailed_link(client)
    for _ in range(3):
        for one in (Client(), client):
            one.get(link), one.head(link), one.get(form_of(link))
    assert has_password(ada, OLD)
    choose(client)
    assert has_password(ada, NEW)


@pytest.mark.parametrize(
    "path", ["forgot", "sent", "reset/x?token=y", "choose/x", "done", "reset/%00?token=%00"]
)
def test_no_page_is_stored_or_told_to_others(client, path):
    response = client.get(f"/test/password/{path}")
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] in ("no-referrer", "same-origin")
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in response.content.decode()
    assert " style=" not in response.content.decode()


@pytest.mark.parametrize(
    "break_",
    [
        lambda client, link: client.get(f"{link[:-1]}{'ab'[link.endswith('a')]}"),
        lambda client, link: client.get(link + "x"),
        lambda client, link: (
            client.get(link) and CustomerPasswordReset.objects.update(expires_at=timezone.now())
        ),
        lambda client, link: client.get(link) and CustomerPasswordReset.objects.all().delete(),
        lambda client, link: client.get(link) and Customer.objects.all().delete(),
    ],
)
def test_a_link_that_does_not_work_says_so(client, ada, break_):
    link = mailed_link(client)
    break_(client, link)
    for response in (client.get(form_of(link)), choose(client, form=form_of(link))):
        assert response.status_code == 410
        assert "no longer works" in response.content.decode()
        assert "/test/password/forgot" in response.content.decode()
    assert not Customer.objects.exists() or has_password(ada, OLD)


@pytest.mark.parametrize(
    "open_",
    [
        lambda client, link: None,
        lambda client, link: client.get(link.replace("/reset/", "/reset/0")),
        lambda client, link: client.get("/live/" + link.removeprefix("/test/")),
        lambda client, link: client.get(link) and client.cookies.clear(),
        lambda client, link: (
            client.get(link) and client.cookies.load(dict.fromkeys(client.cookies, "x"))
        ),
    ],
)
def test_a_form_without_its_cookie_opens_nothing(client, ada, open_):
    link = mailed_link(client)
    open_(client, link)
    for response in (client.get(form_of(link)), choose(client)):
        assert response.status_code == 400
        assert "Open the link again" in response.content.decode()
        assert "/test/password/forgot" in response.content.decode()
    assert has_password(ada, OLD)


@pytest.mark.parametrize("odd", ["%00", "%ff", "%E2%80%AE", "a%0Ab", "a" * 5000])
def test_a_link_that_no_header_can_carry_is_one_that_does_not_work(client, ada, odd):
    for path in (f"reset/{odd}?token={'a' * 20}", f"reset/a?token={odd}"):
        found = client.get(f"/test/password/{path}")
        carried = [cookie.OutputString() for cookie in found.cookies.values()]
        assert all(one.isascii() and len(one) < 400 for one in carried)
        assert found.status_code == (302 if carried else 400)
        assert client.get(f"/test/password/choose/{odd}").status_code in (400, 404)


@pytest.mark.parametrize(
    ("password", "again", "told"),
    [
        ("sh0rt!", None, "is too short (minimum is 8 characters)"),
        ("x" * 513, None, "is too long"),
        ("password123", None, "is among the commonest"),
        (NEW, NEW + "x", "The passwords do not match."),
        ("", None, "Enter a new password."),
    ],
)
def test_a_password_that_is_not_accepted_is_told_and_the_link_works_on(
    client, ada, password, again, told
):
    client.get(mailed_link(client))
    response = choose(client, password, again)
    assert response.status_code == 422
    assert told in response.content.decode()
    assert password not in response.content.decode() or not password
    assert has_password(ada, OLD)
    choose(client)
    assert has_password(ada, NEW)


def test_a_link_opens_nothing_in_the_other_mode(client, ada):
    link = mailed_link(client).replace("/test/", "/live/")
    client.get(link)
    for response in (client.get(form_of(link)), choose(client, form=form_of(link))):
        assert response.status_code == 410
    assert has_password(ada, OLD)
    assert ada.customer_password_resets.exclude(token_digest=None).count() == 1


def test_a_password_on_the_page_is_taken_to_the_letter(client, ada):
    client.get(mailed_link(client))
    assert choose(client, f" {NEW} ").status_code == 302
    assert has_password(ada, f" {NEW} ")
    assert not has_password(ada, NEW)


@pytest.mark.parametrize("address", ["", "nobody", "a@b\r\nBcc: x@example.com", "x" * 300])
def test_what_is_no_address_is_refused(client, address):
    response = ask(client, address)
    assert response.status_code == 422
    assert "Error: " in response.content.decode()
    assert not QueuedMail.objects.exists()


def test_a_form_from_elsewhere_is_refused(ada):
    client = Client(enforce_csrf_checks=True)
    assert ask(client).status_code == 403
    assert not QueuedMail.objects.exists()


def test_whoever_has_the_address_the_answer_is_the_same(
    client, ada, django_assert_num_queries, settings
):
    settings.PAGE_REQUESTS_PER_MINUTE = 100
    make_customer(email="guest@example.com")
    answers = set()
    for address in ("ada@example.com", "guest@example.com", "nobody@example.com"):
        ask(client, address)
        with django_assert_num_queries(3):  # two for the limit, one for the queue
            response = ask(client, address)
        answers.add((response.status_code, response["Location"], response.content))
    assert answers == {(302, "/test/password/sent", b"")}


def test_the_worker_mails_known_addresses_alone(client, ada):
    make_customer(email="guest@example.com")
    for address in ("ada@example.com", "guest@example.com", "nobody@example.com"):
        ask(client, address)
    ask(client, mode="live")
    assert mail.outbox == []
    assert worker.run_once()["mails"] == 4
    assert [message.to for message in mail.outbox] == [["Ada@Example.com"], ["guest@example.com"]]
    assert not QueuedMail.objects.exists()


def test_who_has_registered_meanwhile_gets_no_invitation(ada):
    mails.request_reset(ada.email, mode="test", actor={}, kind=QueuedMail.Kind.INVITATION)
    assert worker.run_once()["mails"] == 1
    assert not mail.outbox
    assert not CustomerPasswordReset.objects.exists()


def test_a_customer_gets_a_few_mails_an_hour_and_staff_may_send_more(client, ada, settings):
    settings.PAGE_REQUESTS_PER_MINUTE = 100
    for _ in range(6):
        ask(client)
    worker.run_once()
    assert len(mail.outbox) == settings.MAX_RESET_MAILS == 3
    mails.request_reset(ada.email, mode="test", actor={"owner": {"id": "1"}})
    worker.run_once()
    assert len(mail.outbox) == 4
    CustomerPasswordReset.objects.update(created_at=timezone.now() - timedelta(hours=1))
    ask(client)
    worker.run_once()
    assert len(mail.outbox) == 5


def test_a_mail_has_text_and_html_and_a_link_from_the_configured_address(client, ada, settings):
    settings.ORGANIZATION_NAME = "Möbel & <Söhne>"
    settings.SUPPORT_EMAIL = "help@example.com"
    link = f"http://127.0.0.1:8000{mailed_link(Client(headers={'host': 'localhost'}))}"
    parsed = email.message_from_bytes(
        mail.outbox[0].message().as_bytes(), policy=email.policy.default
    )
    assert parsed["Subject"] == "Choose a new password for Möbel & <Söhne>"
    assert parsed["To"] == "Ada@Example.com"
    assert parsed["From"] == "no-reply@127.0.0.1"
    assert parsed["Auto-Submitted"] == "auto-generated"
    text, html = (part.get_content() for part in parsed.iter_parts())
    assert text.count(link) == 1
    assert html.count(f'href="{link}"') == 2
    assert "Möbel & <Söhne>" in text
    assert "Möbel &amp; &lt;Söhne&gt;" in html
    assert "60 minutes" in text
    assert "help@example.com" in text
    assert "help@example.com" in html


def test_the_change_is_told_by_mail(client, ada):
    client.get(mailed_link(client))
    choose(client)
    worker.run_once()
    told = mail.outbox[-1]
    assert told.subject == "Your password at Clientele was changed"
    assert told.to == ["Ada@Example.com"]
    assert "http" not in told.body


def test_the_change_is_told_to_the_address_of_then_though_that_is_changed_too(client, api, ada):
    client.get(mailed_link(client))
    choose(client)
    assert api.update("customers", ada.pk, {"email": "thief@example.com"}).status_code == 200
    worker.run_once()
    assert [one.to for one in mail.outbox[-2:]] == [["Ada@Example.com"]] * 2
    log = EventStore.objects.filter(resource_id=ada.pk, event="mail").order_by("pk")
    told = [entry.payload["mail"]["to"] for entry in log]
    assert told[-2:] == ["password_changed sent", "email_changed sent"]


def test_an_address_that_no_mail_can_have_stops_no_other_mail(ada, caplog):
    odd = make_customer(email="odd@\u2764.example.com")  # of before it was refused
    for customer in (odd, ada):
        mails.request_reset(customer.email, mode="test")
    assert worker.run_once()["mails"] == 2
    assert [one.to for one in mail.outbox] == [["Ada@Example.com"]]
    assert not odd.customer_password_resets.exists()
    assert "example.com" not in caplog.text


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_however_many_workers_send_them_mails_are_limited(ada, settings):
    settings.MAX_RESET_MAILS = 3
    for _ in range(8):
        mails.request_reset(ada.email, mode="test")
    assert in_threads(8, lambda _: mails.deliver_next()) == [True] * 8
    assert ada.customer_password_resets.count() == 3


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_each_mail_is_sent_by_one_of_many_workers():
    waiting = {make_customer().email for _ in range(16)}
    for address in waiting:
        QueuedMail.objects.create(mode="test", kind="password_changed", email=address)

    def send_all(_):
        while mails.deliver_next():
            pass

    in_threads(4, send_all)
    assert sorted(message.to[0] for message in mail.outbox) == sorted(waiting)


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_an_address_that_is_changed_meanwhile_gets_no_link_that_works(ada, api, monkeypatch):
    def change():
        assert api.update("customers", ada.pk, {"email": "eve@example.com"}).status_code == 200
        connection.close()

    def begin_while_it_is_changed(customer, **options):
        thread.start()
        join_or_see_it_wait(thread)  # for the customer
        return begin(customer, **options)

    begin, thread = password_resets.create_reset, threading.Thread(target=change)
    monkeypatch.setattr(password_resets, "create_reset", begin_while_it_is_changed)
    mails.mail_reset(ada, actor=None)
    thread.join()
    assert Customer.objects.get().email == "eve@example.com"
    assert not ada.customer_password_resets.exclude(token_digest=None).exists()


def test_a_mail_that_cannot_be_sent_is_tried_again_and_then_given_up(client, ada, settings, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    ask(client)
    started = timezone.now()
    assert worker.run_once()["mails"] == 1
    queued = QueuedMail.objects.get()
    assert queued.attempts == 1
    assert timedelta(seconds=25) < queued.next_attempt_at - started < timedelta(seconds=40)
    assert not CustomerPasswordReset.objects.exists()
    assert worker.run_once()["mails"] == 0
    for attempts, seconds in ((1, 60), (2, 120), (3, 240)):
        started = timezone.now()
        QueuedMail.objects.update(attempts=attempts, next_attempt_at=started)
        worker.run_once()
        wait = QueuedMail.objects.get().next_attempt_at - started
        assert timedelta(seconds=seconds - 1) < wait < timedelta(seconds=seconds + 25)
    QueuedMail.objects.update(attempts=9, next_attempt_at=timezone.now())
    worker.run_once()
    assert not QueuedMail.objects.exists()
    assert "given up" in caplog.text
    assert "example.com" not in caplog.text.lower()


def test_mails_are_files_by_default(ada, settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    mails.mail_reset(ada, actor=None)
    (path,) = tmp_path.iterdir()
    parsed = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert parsed["To"] == "Ada@Example.com"


def test_there_is_no_page_for_a_mode_that_is_none(client):
    for path in ("/prod/password/forgot", "/password/forgot", "/test/password/"):
        assert client.get(path).status_code == 404
    assert client.post("/test/password/sent").status_code == 405
