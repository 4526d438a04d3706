"""An e-mail address that is changed: who may, what ends with it, and who is told."""

import pytest
from django.core import mail

from customers.jobs import imports, mails, merging
from customers.models import Customer, CustomerPasswordReset, EventStore, QueuedMail, Session
from customers.services import sessions
from customers.services.passwords import hash_password
from customers.tests.conftest import Api, error_of, staff_client
from customers.tests.factories import make_customer, make_import, make_reset
from customers.tests.forms import sent_by

pytestmark = pytest.mark.thorough

OLD, NEW, PASSWORD = "ada@example.com", "lovelace@example.org", "correct horse battery"


@pytest.fixture
def ada():
    return make_customer(email=OLD, password=hash_password(PASSWORD))


def by_a_program(ada, changes):
    return Api().update("customers", ada.pk, changes).status_code == 200


def by_herself(ada, changes):
    changes = {**changes, "_current_password": PASSWORD}
    return Api(customer=ada).update("customers", ada.pk, changes).status_code == 200


def by_the_console(ada, changes):
    client, page = staff_client("support"), f"/admin/customers/customer/{ada.pk}/change/"
    return client.post(page, {**sent_by(client.get(page)), **changes}).status_code == 302


def by_an_import(ada, changes):
    job = make_import(given=[{"id": ada.pk, **changes}])
    imports.do_import_part()
    job.refresh_from_db()
    return job.errors_count == 0


DOORS = [by_a_program, by_herself, by_the_console, by_an_import]


@pytest.mark.parametrize("change", DOORS)
def test_the_old_address_is_told_and_what_it_opened_ends(change, ada, settings):
    settings.ORGANIZATION_NAME, settings.SUPPORT_EMAIL = "The shop", "help@example.com"
    as_ada, reset = Api(customer=ada), make_reset(customer=ada)
    other = Api(customer=make_customer())
    assert change(ada, {"email": NEW})
    assert Customer.objects.get(pk=ada.pk).email == NEW
    assert as_ada.get("/api/customers").status_code == 401
    assert not Session.objects.filter(customer=ada).exists()
    assert CustomerPasswordReset.objects.get(pk=reset.pk).token_digest is None
    assert other.get("/api/customers").status_code == 200
    queued = QueuedMail.objects.get()
    assert (queued.kind, queued.email, queued.customer_id) == ("email_changed", OLD, ada.pk)
    assert mails.deliver_next()
    (message,) = mail.outbox
    ((html, kind),) = message.alternatives
    assert (message.to, message.subject) == ([OLD], "Your e-mail address at The shop was changed")
    assert kind == "text/html"
    for text in (message.body, html):
        assert "help@example.com" in text
        assert NEW not in text
        assert "http" not in text
    last = EventStore.objects.filter(resource_id=ada.pk).order_by("id").last()
    assert last.payload == {"mail": {"from": None, "to": "email_changed sent"}}
    assert not QueuedMail.objects.exists()


@pytest.mark.parametrize("change", DOORS)
@pytest.mark.parametrize("changes", [{"email": OLD.upper()}, {"reference": "R"}])
def test_one_who_keeps_the_address_stays_logged_in_and_gets_no_mail(change, changes, ada):
    as_ada = Api(customer=ada)
    if change is by_the_console:
        changes = {"email": OLD, **changes}
    assert change(ada, changes)
    assert as_ada.get("/api/customers").status_code == 200
    assert not QueuedMail.objects.exists()


def test_a_guest_has_no_account_that_somebody_could_take(api):
    guest = make_customer(email=OLD)
    reset = make_reset(customer=guest)
    changes = {"email": NEW, "password": PASSWORD}
    assert api.update("customers", guest.pk, changes).status_code == 200
    assert not QueuedMail.objects.exists()
    assert CustomerPasswordReset.objects.get(pk=reset.pk).token_digest is None


def test_a_refused_change_tells_nobody_and_ends_nothing(api, ada):
    as_ada, reset = Api(customer=ada), make_reset(customer=ada)
    make_customer(email=NEW)
    pointer = {"pointer": "/data/attributes/email"}
    error_of(api.update("customers", ada.pk, {"email": NEW}), 422, "VALIDATION_ERROR", pointer)
    assert as_ada.get("/api/customers").status_code == 200
    assert CustomerPasswordReset.objects.get(pk=reset.pk).token_digest
    assert not QueuedMail.objects.exists()


def test_a_merger_leaves_the_kept_ones_address_and_logins_alone(ada):
    spare, as_ada = make_customer(email=NEW), Api(customer=ada)
    merging.merge(ada.pk, spare.pk, mode="test", actor=None)
    assert Customer.objects.get().email == OLD
    assert as_ada.get("/api/customers").status_code == 200
    assert not QueuedMail.objects.exists()


def test_a_login_overtaken_by_a_change_of_address_fails(api, ada):
    channel = Api(kind="sales_channel").application
    found = sessions.authenticate(OLD, PASSWORD, mode="test", client="192.0.2.1")
    api.update("customers", ada.pk, {"email": NEW})
    with pytest.raises(sessions.LoginRefusedError):
        sessions.start(channel, found, scope="market:all")
    assert not Session.objects.exists()


@pytest.mark.parametrize("role", ["marketing", "viewer"])
def test_who_only_reaches_customers_does_not_change_their_address(role, ada):
    client, page = staff_client(role), f"/admin/customers/customer/{ada.pk}/change/"
    shown = client.get(page)
    assert OLD in shown.content.decode()
    assert 'name="email"' not in shown.content.decode()
    sent = {**sent_by(shown), "email": NEW, "reference": "R"}
    assert client.post(page, sent).status_code == 403
    before = Customer.objects.get()
    assert (before.email, before.reference) == (OLD, None)
    del sent["email"]
    assert client.post(page, sent).status_code == (302 if role == "marketing" else 403)
    assert Customer.objects.get().reference == ("R" if role == "marketing" else None)
    assert not QueuedMail.objects.exists()


@pytest.mark.parametrize("role", ["support", "administrator"])
def test_who_helps_customers_changes_their_address(role, ada):
    client, page = staff_client(role), f"/admin/customers/customer/{ada.pk}/change/"
    shown = client.get(page)
    assert 'name="email"' in shown.content.decode()
    assert client.post(page, {**sent_by(shown), "email": NEW}).status_code == 302
    assert Customer.objects.get().email == NEW
