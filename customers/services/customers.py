"""Finding and creating customers on behalf of what belongs to them."""

from django.core.exceptions import ValidationError
from django.utils import timezone

from customers.models import Customer, email_key, validate_email_address
from customers.services import audit
from customers.services.actors import Actor


class CustomerNotFoundError(Exception):
    """No customer has the address."""


class ForgottenError(Exception):
    """The customer's anonymization has begun: no door writes about that person again."""

    def __str__(self) -> str:
        return "The customer has been anonymized; it can be deleted, but not changed or added to."


def refuse_forgotten(*customers: Customer) -> None:
    """Raise ForgottenError when one of `customers`, read under their locks, is forgotten."""
    if any(customer.is_forgotten for customer in customers):
        raise ForgottenError


def customer_by_email(email: str, *, mode: str) -> Customer:
    """The customer whose address is `email`, by its key. Raises CustomerNotFoundError."""
    try:
        return Customer.objects.get(mode=mode, email_key=email_key(email))
    except Customer.DoesNotExist as error:
        raise CustomerNotFoundError from error


def customer_for_email(email: str, *, mode: str, actor: Actor | None) -> Customer:
    """The customer whose address is `email`, made as a guest when there is none.

    Raises ValidationError when it is no address.
    """
    if len(email) > 254:
        raise ValidationError("is too long (maximum is 254 characters)", code="max_length")
    validate_email_address(email)
    customer, made = Customer.objects.get_or_create(
        mode=mode, email_key=email_key(email), defaults={"email": email}
    )
    if made:
        audit.record(customer, "create", actor=actor)
    return customer


def mark_undeliverable(customer: Customer, email: str, answer: str) -> None:
    """Keep that `email` was refused for good by `answer`, if it is still the customer's."""
    _present(customer, email).update(email_refused_at=timezone.now(), email_refusal=answer)


def mark_deliverable(customer: Customer, email: str) -> None:
    """Forget that `email` was refused, if it was, and is still the customer's."""
    refused = _present(customer, email).exclude(email_refused_at=None)
    refused.update(email_refused_at=None, email_refusal=None)


def _present(customer, email):
    """The row of `customer` while its address is `email`, to be written in one statement."""
    return Customer.objects.filter(pk=customer.pk, email=email)
