from typing import Any

from customers.management.base import OperatorCommand
from customers.services import restored_copies


class Command(OperatorCommand):
    help = (
        "Say that this installation is a copy of another one: it calls no webhook and sends no "
        "mail until `manage.py release_copy`. deploy/restore does it; after a restore by other "
        "means run it before the worker starts. Everything else works as ever."
    )

    def handle(self, **options: Any) -> None:
        restored_copies.hold()
        self.stdout.write(restored_copies.HELD)
