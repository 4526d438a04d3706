"""Forgetting a person: what is kept afterwards tells of orders, and of nobody.

When a request has waited for settings.ANONYMIZATION_DELAY, then in one transaction under the
customer's lock every personal value is emptied wherever it is.
"""

import logging
from collections import defaultdict
from datetime import timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from customers.db.fields import instant
from customers.jobs import writings
from customers.jobs.quotes import GONE, Quotes
from customers.jobs.writings import CLIENTS_OWN
from customers.models import (
    ADDRESS_FOREIGN_KEYS,
    Address,
    Attachment,
    Customer,
    CustomerAddress,
    EventStore,
    Order,
    OrderSubscription,
    Return,
    email_key,
    new_reference,
)
from customers.resources import operations
from customers.services import anonymization, audit, sessions
from customers.services.transactions import reconnected, retry_on_conflict, skip_locked

logger = logging.getLogger(__name__)

Status = Customer.AnonymizationStatus
MOST_ATTEMPTS = 5
FIRST_RETRY = timedelta(minutes=5)  # doubled at each further one
PLACE = {  # what becomes of an address that orders keep: the country stays, for taxes
    "first_name": GONE,
    "last_name": GONE,
    "company": None,
    "line_1": GONE,
    "line_2": None,
    "city": GONE,
    "zip_code": None,
    "state_code": None,
    "phone": None,
    "email": None,
    "notes": None,
    "lat": None,
    "lng": None,
    "billing_info": None,
    "business": False,
}
TELLING = {"customers", "customer_payment_sources", "addresses"}  # types whose values tell who
OPTIONS = {OrderSubscription: {"options": {}}}  # what else is the client's own
PLACES = [(Order, "shipping_address"), (Order, "billing_address")]
PLACES += [(Return, "origin_address"), (Return, "destination_address")]
ADDRESS_KEYS = {"address_id", *(f"{key}_id" for _, key in PLACES)}


def step():
    """Anonymize the customer who is due longest; return the customer, None when nobody is.

    An attempt is counted before it is made, whatever may end it. It is made again after a
    pause, MOST_ATTEMPTS times at most; then the anonymization has failed.
    """
    customer = _begin_attempt()
    if customer and customer.anonymization_status == Status.REQUESTED:
        reconnected(lambda: retry_on_conflict(lambda: _attempt(customer.pk)))
    return customer


def _begin_attempt():
    with transaction.atomic():
        now = timezone.now()
        due = Customer.objects.filter(anonymize_at__lte=now).order_by("anonymize_at")
        customer = skip_locked(due).first()
        if customer is None:
            return None
        if customer.anonymization_attempts < MOST_ATTEMPTS:
            customer.anonymize_at = now + FIRST_RETRY * 2**customer.anonymization_attempts
            customer.anonymization_attempts += 1
        else:
            logger.error("The anonymization of customer %s has failed.", customer.pk)
            customer.anonymize_at = None
            _conclude(customer, Status.FAILED, failed_at=instant(now))
        anonymization.save_state(customer)
    return customer


def _attempt(pk):
    with transaction.atomic():
        waiting = Customer.objects.filter(anonymization_status=Status.REQUESTED)
        customer = waiting.select_for_update().filter(pk=pk).first()
        if customer is None:  # cancelled, deleted or done meanwhile
            return
        audit.publish(customer, "anonymization_started")
        started = instant(timezone.now())
        _forget(customer)
        customer.anonymize_at = None
        done = instant(timezone.now())
        _conclude(customer, Status.COMPLETED, started_at=started, completed_at=done)
        anonymization.save_state(customer)


def _conclude(customer, status, **moments):
    customer.anonymization_status = status
    customer.anonymization_info = {
        **(customer.anonymization_info or {}),
        "status": status,
        **moments,
    }
    changes = {"anonymization_status": (Status.REQUESTED, status)}
    audit.record(customer, "update", actor=None, changes=changes)
    audit.publish(customer, f"anonymization_{status}")


def rows_of(customer):
    """The rows that hang on `customer`, by type, addresses last; the customer itself is not one."""
    return _rows_of(customer, _Person(customer))


def _rows_of(customer, person):
    found = {
        name: list(getattr(customer, name).all())
        for name in [
            "customer_addresses",
            "customer_payment_sources",
            "customer_subscriptions",
            "customer_password_resets",
            "orders",
            "order_subscriptions",
            "returns",
            "sku_lists",
        ]
    }
    found["sku_list_items"] = [
        item for row in found["sku_lists"] for item in row.sku_list_items.all()
    ]
    found["attachments"] = list(
        Attachment.objects.filter(
            Q(customer=customer)
            | Q(order__customer=customer)
            | Q(order_return__customer=customer)
            | Q(sku_list__customer=customer)
        )
    )
    ids = {row.address_id for row in found["customer_addresses"]}
    for model, key in PLACES:
        held = model.objects.filter(customer=customer).exclude(**{key: None})
        ids |= set(held.values_list(key, flat=True))
    once = Q(pk__in=person.once["addresses"]) & ~_held()
    found["addresses"] = list(Address.objects.filter(Q(pk__in=ids) | once))
    found["addresses"] += _nobodys_addresses(person, but=found["addresses"])
    return found


def _nobodys_addresses(person, *, but):
    """Those that nobody holds, as of an order that was never made, with an e-mail of theirs."""
    written = reduce(or_, (Q(email__holds=part) for part in person.quotes.email_parts), Q(pk=None))
    rows = Address.objects.in_mode(person.mode).filter(written & ~_held())
    known = {row.pk for row in but}
    return [row for row in rows if email_key(row.email) in person.emails and row.pk not in known]


def _held(**by):
    """The condition on the addresses that somebody holds, by a row that is as `by` says."""
    return reduce(
        or_,
        (
            Exists(model.objects.filter(**{key: OuterRef("pk")}, **by))
            for model, key in ADDRESS_FOREIGN_KEYS
        ),
    )


def _forget(customer):
    """Empty what is personal of the locked `customer` and of all that hangs on it."""
    person = _Person(customer)
    rows = _rows_of(customer, person)
    person.learn_rows(rows)
    sessions.log_out_everywhere(customer)
    for name in ("attachments", "customer_addresses", "customer_subscriptions", "sku_lists"):
        type(customer)._meta.get_field(name).related_model.objects.filter(
            pk__in=[row.pk for row in rows[name]]
        ).delete()
    customer.customer_password_resets.all().delete()
    customer.customer_payment_sources.all().delete()
    for address in rows["addresses"]:
        _forget_place(address, customer)
    for name in ("orders", "order_subscriptions", "returns"):
        own = getattr(customer, name)
        own.update(**CLIENTS_OWN, **OPTIONS.get(own.model, {}))
        for row in rows[name]:
            row.tags.clear()
    for order in rows["orders"]:
        if person.quotes.is_in(order.coupon_code):
            customer.orders.filter(pk=order.pk).update(coupon_code=None)
    customer.tags.clear()
    new = {
        "email": f"{customer.pk}@anonymized.invalid",
        "password": None,
        "shopper_reference": new_reference(),
        "profile_id": new_reference(),
        "tax_exemption_code": None,
        **CLIENTS_OWN,
    }
    for name, value in new.items():
        setattr(customer, name, value)
    customer.save(update_fields=set(new))
    for name, ids in person.once.items():
        person.quotes.ids |= ids - _of_others(name, ids, customer)
    writings.forget(person)


def _of_others(resource_type, ids, customer):
    """Those of `ids` that are the ids of rows which somebody else than `customer` has by now."""
    model = operations.model_of(resource_type)
    rows = model.objects.filter(pk__in=ids)
    if model is Address:
        rows = rows.filter(_held()).exclude(_held(customer=customer))
    elif hasattr(model, "customer_id"):
        rows = rows.exclude(customer=customer).exclude(customer=None)
    else:
        return set()
    return set(rows.values_list("pk", flat=True))


def _forget_place(address, customer):
    """Empty `address`; where somebody else holds it too, the customer's rows get an empty one."""
    others = CustomerAddress.objects.filter(address=address).exclude(customer=customer).exists()
    own = []
    for model, key in PLACES:
        holding = model.objects.filter(**{key: address})
        own += [(holding.filter(customer=customer), key)]
        others = others or holding.exclude(customer=customer).exists()
    held = any(rows.exists() for rows, _ in own)
    if others:
        if held:
            empty = Address.objects.create(
                mode=address.mode, country_code=address.country_code, **PLACE
            )
            for rows, key in own:
                rows.update(**{key: empty})
    elif held:
        for name, value in {**PLACE, **CLIENTS_OWN}.items():
            setattr(address, name, value)
        address.tags.clear()
        address.save(update_fields={*PLACE, *CLIENTS_OWN})
    else:
        address.delete()


class _Person:
    """What the audit log knows of `customer` and of all who were merged into it.

    `people` are their ids, `emails` the keys of the addresses they have had, `once` the ids of
    what has ever been theirs, by type, and `quotes` what tells of them.
    """

    def __init__(self, customer):
        self.mode, self.people, self.emails = customer.mode, set(), set()
        self.once, self.quotes = defaultdict(set), Quotes()
        self._learn("customers", audit.values_of(customer))
        new = {customer.pk}
        while new:
            self.people |= new
            logged = self._log().filter(Q(customer_id__in=new) | Q(resource_id__in=new))
            new = {pk for entry in logged.iterator() for pk in self._read(entry)} - self.people
        self.once["customers"] |= self.people
        self.quotes.ids |= self.people

    def learn_rows(self, rows):
        """Take in what `rows`, of `_rows_of`, say, and what the log says of their addresses."""
        for name, found in rows.items():
            self.once[name].update(row.pk for row in found)
            for row in found:
                self._learn(name, audit.values_of(row))
        for entry in self._log().filter(resource_id__in=self.once["addresses"]).iterator():
            self._read(entry)

    def _log(self):
        return EventStore.objects.filter(mode=self.mode)

    def _read(self, entry):
        """Take in what `entry` tells; the ids of who was merged by it."""
        self.once[entry.resource_type].add(entry.resource_id)
        told = {name: [*filter(None, pair.values())] for name, pair in entry.payload.items()}
        for name in ADDRESS_KEYS & told.keys():
            self.once["addresses"].update(told[name])
        for when in ("from", "to"):
            values = {name: pair[when] for name, pair in entry.payload.items()}
            self._learn(entry.resource_type, values)
        for note in told.get("merged", ()):
            self._learn("customers", note["attributes"])
        return {note["id"] for note in told.get("merged", ())}

    def _learn(self, resource_type, values):
        if resource_type not in TELLING:
            return
        self.quotes.learn(values)
        email = values.get("email")
        if resource_type == "customers" and email and "@" in email:
            self.emails.add(email_key(email))
            self.quotes.learn_email(email)
