from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser

from customers.management.base import OperatorCommand
from customers.services import second_factor


class Command(OperatorCommand):
    help = (
        "Take the second factor off a member of staff who has lost the app and the recovery "
        "codes. Make sure that it is them who asks. They log in by password alone, and set up "
        "another factor where it is obligatory (SECOND_FACTOR_REQUIRED)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")

    def handle(self, *, username: str, **options: Any) -> None:
        users = get_user_model().objects
        try:
            user = users.get_by_natural_key(username)
        except users.model.DoesNotExist as error:
            raise CommandError("No member of staff has this name. Check its spelling.") from error
        if not second_factor.remove(user):
            raise CommandError(f"User {user.pk} has no second factor; nothing was changed.")
        self.stdout.write(f"User {user.pk} has no second factor any more.")
