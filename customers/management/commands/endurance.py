from django.core.management.base import CommandError

from customers.benchmarks import endurance
from customers.management.base import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Show that nothing is lost: run the service with a PostgreSQL cluster of its own in a "
        "temporary folder, kill -9 its web workers, its worker processes, its database and all "
        "of them under write load, then its workers during an import of 10,000 customers, and "
        "compare what is left with a ledger of what was acknowledged. It takes about five minutes; "
        "your own database and processes are not touched."
    )

    def add_arguments(self, parser):
        parser.add_argument("--seconds", type=int, default=120, help="of killing under write load")

    def handle(self, *, seconds, **options):
        if not endurance.run(seconds, self.stdout.write):
            raise CommandError("The ledger does not balance.")
        self.stdout.write("The ledger balances.")
