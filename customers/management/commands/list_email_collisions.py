from typing import Any

from customers.management.base import OperatorCommand
from customers.models import Customer, collisions, stale_keys


class Command(OperatorCommand):
    help = (
        "List customers whose e-mail addresses are spellings of one: the mode and the ids, a line "
        "for each address. There are none but before `migrate` to a version that compares "
        "addresses otherwise; such a migration changes nothing until they are merged."
    )

    def handle(self, **options: Any) -> None:
        found = collisions(Customer.objects.all(), stale_keys(Customer.objects.all()))
        for mode, ids in found:
            self.stdout.write(f"{mode:<6}{'  '.join(ids)}")
        if not found:
            self.stdout.write("There are none.")
