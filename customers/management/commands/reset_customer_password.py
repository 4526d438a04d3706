import getpass
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from customers.jobs import mails
from customers.management.base import OperatorCommand
from customers.management.customers import add_customer_arguments, find_customer
from customers.models import Customer
from customers.services import password_resets, principals, restored_copies, row_changes, sessions
from customers.services.passwords import hash_password


class Command(OperatorCommand):
    help = (
        "Let a customer choose a new password: send a link that works once and for an hour "
        "(PASSWORD_RESET_LIFETIME). When the customer has chosen, all sessions, tokens and other "
        "resets of the customer are revoked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_customer_arguments(parser)
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--print-link",
            action="store_true",
            help="show the link instead of sending it; give it only to the customer",
        )
        how.add_argument(
            "--set",
            action="store_true",
            dest="prompt",
            help="ask for the new password twice, here, and set it right away",
        )
        how.add_argument(
            "--expire",
            action="store_true",
            help="only revoke the customer's open resets, sessions and tokens",
        )

    def handle(
        self,
        *,
        email: str,
        mode: str | None,
        print_link: bool,
        prompt: bool,
        expire: bool,
        **options: Any,
    ) -> None:
        customer = find_customer(email, mode)
        if expire:
            self.expire(customer)
        elif prompt:
            self.set(customer)
        elif print_link:
            reset = password_resets.create_reset(
                customer, actor=principals.operator(customer.mode).actor
            )
            self.stdout.write(mails.link_of(reset))
        else:
            self.mail(customer)

    def mail(self, customer: Customer) -> None:
        try:
            restored_copies.check_released()
            mails.mail_reset(customer, actor=principals.operator(customer.mode).actor)
        except restored_copies.CopyHeldError as error:
            raise CommandError(f"{error} Use --print-link.") from error
        except mails.FAILURES as error:
            raise CommandError(
                f"The e-mail could not be sent ({type(error).__name__}). "
                "Check EMAIL_URL, or use --print-link."
            ) from error
        self.stdout.write(f"A link was sent to customer {customer.pk}.")

    def set(self, customer: Customer) -> None:
        if not sys.stdin.isatty():
            raise CommandError("--set asks on a terminal; use --print-link without one.")
        password = getpass.getpass("New password: ")
        if password != getpass.getpass("Repeat the password: "):
            raise CommandError("The passwords do not match; nothing was changed.")
        try:
            hashed = hash_password(password, addresses=[customer.email])
        except ValidationError as error:
            raise CommandError(
                f"This password {error.messages[0]}; nothing was changed."
            ) from error
        with transaction.atomic():
            locked = row_changes.lock(customer, Customer.objects.in_mode(customer.mode))
            password_resets.set_password(
                locked, hashed, actor=principals.operator(customer.mode).actor
            )
        self.stdout.write(f"Customer {customer.pk} has a new password, and is logged out.")

    def expire(self, customer: Customer) -> None:
        with transaction.atomic():
            locked = row_changes.lock(customer, Customer.objects.in_mode(customer.mode))
            sessions.log_out_everywhere(locked)
            sessions.end_resets(locked)
        self.stdout.write(f"Customer {customer.pk} is logged out; open resets are revoked.")
