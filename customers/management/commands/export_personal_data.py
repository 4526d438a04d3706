import json

from customers.jobs import personal_data
from customers.management.base import OperatorCommand
from customers.management.customers import add_customer_arguments, find_customer


class Command(OperatorCommand):
    help = "Print everything that is held on one customer, as one JSON document."

    def add_arguments(self, parser):
        add_customer_arguments(parser)

    def handle(self, *, email, mode, **options):
        found = personal_data.of(find_customer(email, mode))
        self.stdout.write(json.dumps(found, indent=2, ensure_ascii=False))
