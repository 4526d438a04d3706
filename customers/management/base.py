"""What all commands share."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers.services.customers import ForgottenError


class OperatorCommand(BaseCommand):
    """A command that says how it exits, and takes its arguments in UTF-8 alone."""

    exits = (
        "Exits with 0 when done, 1 when refused (and says what to do), 2 when the arguments are "
        "wrong."
    )

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=self.exits, **options)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except ForgottenError as error:
            raise CommandError(str(error)) from error

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            "".join(argv).encode()
        except UnicodeEncodeError:
            self.stderr.write("Write the arguments in UTF-8; nothing was done.")
            sys.exit(2)
        super().run_from_argv(argv)
