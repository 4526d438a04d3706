import logging
import signal
import threading
from contextlib import suppress
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from customers.jobs import worker
from customers.management.base import OperatorCommand
from customers.services import restored_copies, start_checks

logger = logging.getLogger(__name__)


class Command(OperatorCommand):
    help = (
        "Do the work in the background: send queued e-mails, call webhooks, run bulk actions, "
        "imports, exports and anonymizations, and delete what has expired. It runs until it is "
        "stopped (SIGINT or SIGTERM), and then finishes what it has begun; any number of them may "
        "run at once. Without it, no e-mail is sent and no webhook is called."
    )
    exits = "Exits with 0 when stopped or done, 1 when an error ended it, which is in the log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due now, then stop")

    def handle(self, *, once: bool, **options: Any) -> None:
        try:
            self.work_once() if once else self.work()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        except Exception as error:  # its message may quote a row, which a traceback would show
            logger.critical("An error ended the worker.", exc_info=error)
            kind = type(error).__name__
            raise CommandError(f"An error ended it ({kind}); the log says where.") from error

    def work_once(self) -> None:
        start_checks.check_database()
        self.say_held()
        done = ", ".join(f"{what}: {count}" for what, count in worker.run_once().items())
        self.stdout.write(f"Done; {done}.")

    def say_held(self) -> None:
        """Say so where this is a copy that calls and mails nobody."""
        if restored_copies.is_held():
            self.stdout.write(restored_copies.HELD)

    def work(self) -> None:
        start_checks.check_at_start()
        with suppress(DatabaseError):  # which is waited for
            self.say_held()
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        threading.excepthook = lambda _: None  # what ends a thread is raised by worker.run, too
        self.stdout.write("Working; Ctrl+C stops.")
        worker.run(stop)
        self.stdout.write("Stopped.")
