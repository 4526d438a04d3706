"""Finding and making customers on behalf of what hangs on them."""

from django.core.exceptions import ValidationError

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
