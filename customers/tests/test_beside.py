"""The console beside everything else: what others have done is never taken back.

Each round opens pages, lets somebody else act, and saves the pages: after that, or at once.
"""

import json
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from customers.jobs import anonymization
from customers.models import Address, Customer, Order
from customers.services.passwords import hash_password
from customers.tests.conftest import JSON_API, Api, in_threads, needs_postgresql
from customers.tests.factories import (
    make_address,
    make_customer,
    make_customer_address,
    make_order,
    make_placed_order,
    make_reset,
)
from customers.tests.test_conflicts import opened, page_of

pytestmark = [needs_postgresql, pytest.mark.django_db(transaction=True)]
ROUNDS = 20
CSRF = "c" * 32


class Site:
    """A served site: a member of staff who is in, and a program with a token."""

    def __init__(self, url):
        self.place = urlsplit(url).netloc
        self.api, self.staff = Api(), Client()
        self.staff.force_login(User.objects.create_superuser("admin"))

    def send(self, method, path, body, **headers):
        """The status that is answered."""
        connection = HTTPConnection(self.place, timeout=60)
        try:
            connection.request(method, path, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def post(self, path, values):
        """Send a form of the console."""
        session = self.staff.cookies["sessionid"].value
        return self.send(
            "POST",
            path,
            urlencode({**values, "csrfmiddlewaretoken": CSRF}, doseq=True),
            **{
                "Content-Type": "application/x-www-form-urlencoded",
                "Cookie": f"sessionid={session}; csrftoken={CSRF}",
            },
        )

    def patch(self, row, **attributes):
        """Change `row` by the API."""
        data = {"type": row._meta.db_table, "id": row.pk, "attributes": attributes}
        return self.send(
            "PATCH",
            f"/api/{row._meta.db_table}/{row.pk}",
            json.dumps({"data": data}),
            **{
                "Content-Type": JSON_API,
                "Accept": JSON_API,
                "Authorization": f"Bearer {self.api.token}",
            },
        )

    def beside(self, number, act, **pages):
        """What `act` returned, and the statuses of saving `pages`, changes by row, opened before.

        In every other round they are saved at once with the act, else after it.
        """
        sent = [(page_of(row), opened(self.staff, row) | change) for row, change in pages["of"]]
        saves = [lambda pair=pair: self.post(*pair) for pair in sent]
        if number % 2:
            done, *statuses = in_threads(len(saves) + 1, lambda n: [act, *saves][n]())
        else:
            done, statuses = act(), [save() for save in saves]
        return done, statuses


@pytest.fixture
def site(live_server):
    return Site(live_server.url)


def test_a_placed_order_stays_placed(site):
    for number in range(ROUNDS):
        customer = make_customer()
        order = make_order(customer=customer)
        pages = [(order, {"reference": "mine"}), (customer, {"reference": "mine"})]
        done = site.beside(number, lambda order=order: site.patch(order, _place=True), of=pages)
        assert done == (200, [302, 302])
        order.refresh_from_db()
        customer.refresh_from_db()
        assert (order.status, order.reference, order.placed_at is None) == ("placed", "mine", False)
        assert (customer.status, customer.total_orders_count) == ("acquired", 1)
        assert customer.reference == "mine"


def test_a_chosen_password_stays_chosen(site):
    old = hash_password("correct horse battery")
    for number in range(ROUNDS):
        customer = make_customer(password=old)
        reset = make_reset(customer=customer)
        attributes = {
            "customer_password": "staple battery horse",
            "_reset_password_token": reset.reset_password_token,
        }
        done = site.beside(
            number,
            lambda reset=reset, attributes=attributes: site.patch(reset, **attributes),
            of=[(customer, {"reference": "mine"})],
        )
        assert done == (200, [302])
        customer.refresh_from_db()
        assert (customer.password != old, customer.reference) == (True, "mine")


def test_what_a_program_wrote_stays_written(site):
    for number in range(ROUNDS):
        customer = make_customer()
        written = {"tax_exemption_code": "theirs", "metadata": {"by": "them"}}
        done = site.beside(
            number,
            lambda customer=customer, written=written: site.patch(customer, **written),
            of=[(customer, {"reference": "mine"})],
        )
        assert done == (200, [302])
        customer.refresh_from_db()
        assert (customer.tax_exemption_code, customer.metadata) == ("theirs", {"by": "them"})
        assert customer.reference == "mine"


def test_merged_customers_stay_merged(site):
    for number in range(ROUNDS):
        target, spare = make_customer(metadata={"a": 1}), make_customer(metadata={"b": 2})
        order = make_order(customer=spare)
        path = f"/admin/customers/customer/{target.pk}/merge/"
        done, statuses = site.beside(
            number,
            lambda path=path, spare=spare: site.post(path, {"duplicate": spare.pk}),
            of=[
                (target, {"profile_id": "mine"}),
                (spare, {"profile_id": "mine"}),
                (order, {"reference": "mine"}),
            ],
        )
        assert done == 302
        if number % 2 == 0:
            assert statuses == [409, 409, 409]
        assert set(statuses) <= {302, 409}
        assert not Customer.objects.filter(pk=spare.pk).exists()
        target.refresh_from_db()
        order.refresh_from_db()
        assert (target.metadata, order.customer) == ({"b": 2, "a": 1}, target)
        assert (target.profile_id == "mine") == (statuses[0] == 302)
        assert (order.reference == "mine") == (statuses[2] == 302)


def forget():
    """Anonymize who is due, as the worker does, which passes over whoever is being saved."""
    while not (done := anonymization.anonymize_next()):
        pass
    return done


def test_the_forgotten_stay_forgotten(site):
    for number in range(ROUNDS):
        customer = make_customer(
            anonymization_status="requested", anonymize_at=timezone.now(), reference="R"
        )
        place = make_address(phone=None)
        order = make_placed_order(customer, shipping_address=place)
        make_customer_address(customer=customer, address=place)
        done, statuses = site.beside(
            number,
            forget,
            of=[
                (customer, {"reference": "Ada"}),
                (order, {"reference": "Ada"}),
                (place, {"phone": "0123"}),
            ],
        )
        assert done == customer
        if number % 2 == 0:
            assert statuses == [409, 409, 409]
        assert set(statuses) <= {302, 409}
        found = Customer.objects.get(pk=customer.pk)
        assert (found.anonymization_status, found.reference) == ("completed", None)
        assert found.email == f"{customer.pk}@anonymized.invalid"
        assert Order.objects.get(pk=order.pk).reference is None
        assert Address.objects.get(pk=place.pk).phone is None
