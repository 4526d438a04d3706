from typing import Any

from django.core.management.base import CommandError

from customers.management.base import OperatorCommand
from customers.services import restored_copies


class Command(OperatorCommand):
    help = (
        "Let webhooks and mails of a restored copy go, also those that have waited. Run it where "
        "the copy takes the place of the installation that it was made of; a copy for tests would "
        "call the real receivers and mail real customers."
    )

    def handle(self, **options: Any) -> None:
        if not restored_copies.release():
            raise CommandError("This is no restored copy, or it was released before.")
        self.stdout.write("Webhooks and mails go out again, with what has waited.")
