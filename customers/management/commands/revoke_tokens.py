from typing import Any

from django.core.management.base import CommandError, CommandParser

from customers.management.base import OperatorCommand
from customers.management.customers import add_customer_arguments, find_customer
from customers.models import Application
from customers.services import applications, sessions


class Command(OperatorCommand):
    help = (
        "End tokens from the next request on: those of a customer, who is logged out everywhere, "
        "or, with --application, all of an application. New ones can be had at once; to end that "
        "too, delete the application in the admin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_customer_arguments(parser, nargs="?")
        help = "as list_applications shows it"
        parser.add_argument("--application", metavar="CLIENT_ID", help=help)

    def handle(
        self, *, email: str | None, mode: str | None, application: str | None, **options: Any
    ) -> None:
        if bool(email) == bool(application):
            raise CommandError("Name either a customer's EMAIL or --application CLIENT_ID.")
        if email:
            customer = find_customer(email, mode)
            sessions.log_out_everywhere(customer)
            self.stdout.write(f"Customer {customer.pk} is logged out everywhere.")
            return
        found = Application.objects.filter(client_id=application).first()
        if found is None:
            raise CommandError(
                "No application has this client id; `list_applications` shows those there are."
            )
        applications.revoke_tokens(found)
        self.stdout.write(f"Every token of {found.name} has ended.")
