from typing import Any

from django.core.management.base import CommandParser

from customers.management.base import OperatorCommand
from customers.models import Application, Mode


class Command(OperatorCommand):
    help = (
        "List the applications that may get tokens: mode, kind or role, client id and name, the "
        "oldest first. Secrets are not stored, so none is shown."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--mode", choices=Mode.values, help="only those of one mode")

    def handle(self, *, mode: str | None, **options: Any) -> None:
        found = Application.objects.all()
        if mode:
            found = found.in_mode(mode)
        for application in found:
            full = application.role == Application.Role.FULL
            kind = application.kind if full else application.role
            name = f"{application.name}{'  (disabled)' if application.disabled_at else ''}"
            self.stdout.write(f"{application.mode:<6}{kind:<15}{application.client_id}  {name}")
        if not found:
            self.stdout.write("There are none; `create_application NAME` creates one.")
