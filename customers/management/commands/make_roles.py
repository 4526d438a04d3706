from typing import Any

from customers.management.base import OperatorCommand
from customers.services import roles


class Command(OperatorCommand):
    help = (
        "Make the roles of staff, or give them their permissions back: viewer, who sees; support, "
        "who helps customers; marketing, who tags, imports and exports; administrator, who does "
        "everything. Put a member of staff into one, a group, in the admin."
    )

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"Roles: {', '.join(roles.make_roles())}.")
