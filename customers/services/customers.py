"""Finding and making customers on behalf of what hangs on them."""

from django.core.exceptions import ValidationError

from customers.models import Customer, email_key, validate_email_address
from customers.services import events


class NoSuchCustomer(Exception):
    """No customer has the address."""


def customer_by_email(email, *, mode):
    """The customer whose address is `email`, by its key. Raises NoSuchCustomer."""
    try:
        return Customer.objects.get(mode=mode, email_key=email_key(email))
    except Customer.DoesNotExist as error:
        raise NoSuchCustomer from error


def customer_for_email(email, *, mode, who):
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
        events.record_create(customer, who=who)
    return customer
