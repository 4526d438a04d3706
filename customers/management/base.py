"""What all commands share."""

import sys

from django.core.management.base import BaseCommand, CommandError

from customers.services.customers import ForgottenError


class OperatorCommand(BaseCommand):
    """A command that says how it exits, and takes its arguments in UTF-8 alone."""

    exits = (
        "Exits with 0 when done, 1 when refused (and says what to do), 2 when the arguments are "
        "wrong."
    )

    def create_parser(self, prog_name, subcommand, **options):
        return super().create_parser(prog_name, subcommand, epilog=self.exits, **options)

    def execute(self, *args, **options):
        try:
            return super().execute(*args, **options)
        except ForgottenError as error:
            raise CommandError(str(error)) from error

    def run_from_argv(self, argv):
        try:
            "".join(argv).encode()
        except UnicodeEncodeError:
            self.stderr.write("Write the arguments in UTF-8; nothing was done.")
            sys.exit(2)
        super().run_from_argv(argv)
