import json
from typing import Any

from django.core.management.base import CommandParser

from customers.jobs import personal_data
from customers.management.base import OperatorCommand
from customers.management.customers import add_customer_arguments, find_customer


class Command(OperatorCommand):
    help = "Print everything that is held on one customer, as one JSON document."

    def add_arguments(self, parser: CommandParser) -> None:
        add_customer_arguments(parser)

    def handle(self, *, email: str, mode: str | None, **options: Any) -> None:
        found = personal_data.of(find_customer(email, mode))
        self.stdout.write(json.dumps(found, indent=2, ensure_ascii=False))
