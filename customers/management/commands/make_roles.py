from typing import Any

from customers.management.base import OperatorCommand
from customers.services import roles


class Command(OperatorCommand):
    help = (
        "Create the roles of staff, or restore their permissions: viewer, who only sees; support, "
        "who helps customers; marketing, who tags, imports and exports; administrator, who may do "
        "everything. A role is a group: add members of staff to one in the admin."
    )

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"Roles: {', '.join(roles.make_roles())}.")
