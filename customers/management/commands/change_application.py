from typing import Any

from django.core.management.base import CommandError, CommandParser

from customers.management.base import OperatorCommand
from customers.models import Application
from customers.services import applications, principals


class Command(OperatorCommand):
    help = (
        "Change a credential by which a program gets tokens: give it another role or a new secret, "
        "disable it, enable it again, or delete it. A new secret is shown only now; the "
        "previous one works on for a while."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("client_id", metavar="CLIENT_ID", help="as list_applications shows it")
        acts = parser.add_mutually_exclusive_group(required=True)
        roles = Application.Role.values
        acts.add_argument("--role", choices=roles, help="what it may do from now on")
        acts.add_argument("--new-secret", action="store_true")
        acts.add_argument("--disable", action="store_true", help="it gets and uses no tokens")
        acts.add_argument("--enable", action="store_true")
        acts.add_argument("--delete", action="store_true", help="with its tokens, for good")
        parser.add_argument(
            "--overlap",
            type=int,
            metavar="SECONDS",
            help="how long the secret before works on; without it the setting SECRET_OVERLAP",
        )

    def handle(
        self, *, client_id: str, role: str | None, overlap: int | None, **options: Any
    ) -> None:
        if overlap is not None and (overlap < 0 or not options["new_secret"]):
            raise CommandError("--overlap is 0 or more seconds, beside --new-secret.")
        found = Application.objects.filter(client_id=client_id).first()
        if found is None:
            raise CommandError(
                "No application has this client id; `list_applications` shows those there are."
            )
        actor = principals.operator(found.mode).actor
        try:
            if role:
                applications.change_role(found, role, actor=actor)
                self.stdout.write(f"{found.name} has the role {role}.")
            elif options["new_secret"]:
                secret = applications.rotate_secret(found, actor=actor, overlap=overlap)
                self.stdout.write(f"client_secret: {secret}")
        except ValueError as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        if options["disable"]:
            applications.disable_application(found, actor=actor)
            self.stdout.write(f"{found.name} is disabled: its tokens no longer work.")
        elif options["enable"]:
            applications.enable_application(found, actor=actor)
            self.stdout.write(f"{found.name} can get and use tokens again.")
        elif options["delete"]:
            applications.delete_application(found, actor=actor)
            self.stdout.write(f"{found.name} is deleted, with all its tokens.")
