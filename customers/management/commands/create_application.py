from typing import Any

from django.core.management.base import CommandError, CommandParser

from customers.management.base import OperatorCommand
from customers.models import Application, Mode
from customers.services.applications import create_application


class Command(OperatorCommand):
    help = (
        "Make a credential by which a program gets access tokens, and print its client id and "
        "secret. The secret is shown this once: only a digest of it is kept. An integration, a "
        "server of yours, sees and writes everything of its mode. A sales channel, a program in "
        "customers' hands, has no secret; it makes guests, logs customers in, and sees what is "
        "theirs alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what to call the program, such as 'Order system'")
        parser.add_argument("--kind", choices=Application.Kind.values, default="integration")
        parser.add_argument(
            "--read-only", action="store_true", help="an integration that may write nothing"
        )
        parser.add_argument("--mode", choices=Mode.values, default="test")

    def handle(self, *, name: str, kind: str, mode: str, read_only: bool, **options: Any) -> None:
        try:
            application, secret = create_application(
                name=name, kind=kind, mode=mode, read_only=read_only
            )
        except ValueError as error:
            raise CommandError(f"{error} Nothing was made.") from error
        self.stdout.write(f"{name} ({kind}, {mode})")
        self.stdout.write(f"client_id:     {application.client_id}")
        if secret:
            self.stdout.write(f"client_secret: {secret}")
