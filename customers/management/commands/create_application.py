from typing import Any

from django.core.management.base import CommandError, CommandParser

from customers.management.base import OperatorCommand
from customers.models import Application, Mode
from customers.services.applications import create_application


class Command(OperatorCommand):
    help = (
        "Create a credential by which a program gets access tokens, and print its client id and "
        "secret. The secret is shown only now: just a digest of it is stored. An integration, a "
        "server of yours, reads and writes what its role may: everything of its mode by the full "
        "one. A sales channel, a program on "
        "customers' devices, has no secret; it creates guests, logs customers in, and sees only "
        "what is theirs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what to call the program, such as 'Order system'")
        parser.add_argument("--kind", choices=Application.Kind.values, default="integration")
        parser.add_argument(
            "--role",
            choices=Application.Role.values,
            default=Application.Role.FULL,
            help="what an integration may do: %(choices)s; without it everything",
        )
        parser.add_argument(
            "--read-only",
            dest="role",
            action="store_const",
            const=Application.Role.READ_ONLY,
            help="the same as --role read_only",
        )
        parser.add_argument("--mode", choices=Mode.values, default="test")

    def handle(self, *, name: str, kind: str, mode: str, role: str, **options: Any) -> None:
        try:
            application, secret = create_application(name=name, kind=kind, mode=mode, role=role)
        except ValueError as error:
            raise CommandError(f"{error} Nothing was created.") from error
        about = kind if role == Application.Role.FULL else f"{kind}, {role}"
        self.stdout.write(f"{name} ({about}, {mode})")
        self.stdout.write(f"client_id:     {application.client_id}")
        if secret:
            self.stdout.write(f"client_secret: {secret}")
