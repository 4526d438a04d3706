import signal
import threading

from django.core.management.base import BaseCommand

from customers.services import durability, worker


class Command(BaseCommand):
    help = (
        "Do what goes on beside the requests: send the mails that were asked for, call the "
        "webhooks of what happened, do imports, and delete what has expired. It runs until it is "
        "stopped (SIGINT or SIGTERM), and then finishes what it has begun; any number of them may "
        "run at once. Without it, no customer gets mail and no webhook is called."
    )

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="do what is due now, then stop")

    def handle(self, *, once, **options):
        if once:
            done = ", ".join(f"{what}: {count}" for what, count in worker.run_once().items())
            self.stdout.write(f"Done; {done}.")
            return
        durability.check_at_start()
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("Working; Ctrl+C stops.")
        worker.run(stop)
        self.stdout.write("Stopped.")
