"""Forgetting a person: what is kept afterwards tells of orders, and of nobody.

When a request has waited for settings.ANONYMIZATION_DELAY, then in one transaction under the
customer's lock every personal value is emptied wherever it is, as its column is declared.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from customers.db.declarations import erased_values
from customers.db.fields import instant
from customers.jobs import writings
from customers.jobs.erasure import erase, erase_row, scrub_rows
from customers.jobs.persons import Person, held_addresses, rows_of_person
from customers.models import (
    Address,
    Customer,
    address_foreign_keys,
    customer_paths,
    goes_with_customer,
    models_by_type,
    owned_rows,
)
from customers.services import anonymization, audit, sessions
from customers.services.transactions import reconnected, retry_on_conflict, skip_locked

logger = logging.getLogger(__name__)

Status = Customer.AnonymizationStatus
MOST_ATTEMPTS = 5
FIRST_RETRY = timedelta(minutes=5)  # doubled at each further one


def anonymize_next() -> Customer | None:
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


def _forget(customer):
    """Empty what is personal of the locked `customer` and of all that hangs on it."""
    person = Person(customer)
    rows = rows_of_person(customer, person)
    person.learn_rows(rows)
    sessions.log_out_everywhere(customer)
    for model in filter(goes_with_customer, customer_paths()):
        owned_rows(model, customer).delete()
    for address in rows["addresses"]:
        _forget_address(address, customer)
    for model in customer_paths():
        if not goes_with_customer(model):
            erase(owned_rows(model, customer))
            scrub_rows(owned_rows(model, customer), person.quotes)
    erase_row(customer)
    for resource_type, ids in person.once.items():
        person.quotes.ids |= ids - _of_others(resource_type, ids, customer)
    writings.forget_writings(person)


def _of_others(resource_type, ids, customer):
    """Those of `ids` that are the ids of rows which somebody else than `customer` has by now."""
    model = models_by_type().get(resource_type)
    if model is Address:
        rows = Address.objects.filter(held_addresses(), pk__in=ids)
        rows = rows.exclude(held_addresses(customer=customer))
    elif model in customer_paths():
        own = owned_rows(model, customer).values("pk")
        rows = model.objects.filter(pk__in=ids).exclude(pk__in=own)
        rows = rows.exclude(**dict.fromkeys(customer_paths()[model]))
    else:
        return set()
    return set(rows.values_list("pk", flat=True))


def _forget_address(address, customer):
    """Empty `address`; where somebody else holds it too, the customer's rows get an empty one."""
    holders = [
        (key, model.objects.filter(**{key: address})) for model, key in address_foreign_keys()
    ]
    own = [
        (name, rows.filter(customer=customer))
        for name, rows in holders
        if not goes_with_customer(rows.model)
    ]
    is_kept = any(rows.exists() for _, rows in own)
    if any(rows.exclude(customer=customer).exists() for _, rows in holders):
        if is_kept:
            country = {"mode": address.mode, "country_code": address.country_code}
            empty = Address.objects.create(**country, **erased_values(address))
            for name, rows in own:
                rows.update(**{name: empty})
    elif is_kept:
        erase_row(address)
    else:
        address.delete()
