from typing import Any

from django.core.management.base import CommandParser
from tqdm import tqdm

from customers.management.base import OperatorCommand
from customers.models import Customer, Mode
from customers.services.demo import ORIGIN, make_customers


class Command(OperatorCommand):
    help = (
        "Fill the service with made-up customers, groups and tags, the same for the same number. "
        "Run it again with a larger number to add what is missing; nothing else is changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=200, metavar="N")
        parser.add_argument("--mode", choices=Mode.values, default="test")

    def handle(self, *, customers: int, mode: str, **options: Any) -> None:
        there = Customer.objects.in_mode(mode).filter(reference_origin=ORIGIN).count()
        with tqdm(
            total=customers, initial=min(there, customers), unit=" customers", disable=None
        ) as bar:
            for made in make_customers(customers, mode=mode):
                bar.update(made)
        self.stdout.write(f"There are {max(there, customers)} demonstration customers ({mode}).")
