from typing import Any

from django.core.management.base import CommandParser

from customers.management.base import OperatorCommand
from customers.services import signing_keys


class Command(OperatorCommand):
    help = (
        "Make a new key, with which all tokens are signed from now on. Tokens that older keys "
        "signed stay good until they expire; a key that no token can be of any more is deleted. "
        "Every process sees the change at once, with no restart."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--drop-old",
            action="store_true",
            help="delete all older keys at once: every token there is, is dead (a key has leaked)",
        )

    def handle(self, *, drop_old: bool, **options: Any) -> None:
        key_id = signing_keys.make_key()
        dropped = signing_keys.drop_old(all_of_them=drop_old)
        self.stdout.write(f"Tokens are signed with {key_id}; older keys deleted: {dropped}.")
