"""Requests to anonymize a customer, which wait for settings.ANONYMIZATION_DELAY.

Until then they can be cancelled.
"""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from customers.db.fields import instant
from customers.models import Customer, TransitionError
from customers.services import audit
from customers.services.actors import Actor

Status = Customer.AnonymizationStatus
STATE = ["anonymization_status", "anonymization_info", "anonymize_at", "anonymization_attempts"]


def request_anonymization(customer: Customer, *, actor: Actor | None) -> None:
    """Let the locked `customer` be anonymized when the delay is over. Raises TransitionError."""
    if customer.anonymization_status in (Status.REQUESTED, Status.STARTED, Status.COMPLETED):
        raise TransitionError(f"cannot follow the status {customer.anonymization_status}")
    now = timezone.now()
    customer.anonymization_status = Status.REQUESTED
    customer.anonymization_attempts = 0
    customer.anonymize_at = now + timedelta(seconds=settings.ANONYMIZATION_DELAY)
    customer.anonymization_info = {
        "status": Status.REQUESTED,
        "requested_at": instant(now),
        "started_at": None,
        "completed_at": None,
        "failed_at": None,
        "cancelled_at": None,
        "requester": _person(actor),
        "cancellation_requester": None,
    }
    save_state(customer)


def cancel_anonymization(customer: Customer, *, actor: Actor | None) -> None:
    """Let the locked `customer` stay. Raises TransitionError unless the request still waits."""
    if customer.anonymization_status != Status.REQUESTED:
        raise TransitionError(f"cannot follow the status {customer.anonymization_status}")
    customer.anonymization_status, customer.anonymize_at = Status.CANCELLED, None
    customer.anonymization_info = {
        **(customer.anonymization_info or {}),
        "status": Status.CANCELLED,
        "cancelled_at": instant(timezone.now()),
        "cancellation_requester": _person(actor),
    }
    save_state(customer)
    audit.publish(customer, "anonymization_cancelled")


def save_state(customer: Customer) -> None:
    """Save what is known of the anonymization of the locked `customer`."""
    customer.save(update_fields=STATE)


def _person(actor: Actor | None) -> dict[str, str | None]:
    """Who asked, as far as the audit log knows: by id alone."""
    who = actor and (actor.get("owner") or actor.get("application"))
    return {"id": who["id"] if who else None, "first_name": None, "last_name": None, "email": None}
