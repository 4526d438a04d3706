"""What the commands about one customer share."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from customers.models import Customer, Mode, email_key


def add_customer_arguments(parser: CommandParser, **options: Any) -> None:
    """Let a command take a customer's e-mail address and mode."""
    help = "the customer's address, in upper or lower case"
    parser.add_argument("email", metavar="EMAIL", help=help, **options)
    help = "needed where both modes have the address"
    parser.add_argument("--mode", choices=Mode.values, help=help)


def find_customer(email: str, mode: str | None) -> Customer:
    """The customer of the arguments. Raises CommandError, saying what to do, if there is none."""
    customers = Customer.objects.filter(email_key=email_key(email))
    found = list(customers.filter(mode__in=[mode] if mode else Mode))
    if len(found) > 1:
        raise CommandError("Both modes have this address. Add --mode test or --mode live.")
    if not found:
        raise CommandError(
            f"No {mode + ' ' if mode else ''}customer has this address. Check its spelling."
        )
    return found[0]
