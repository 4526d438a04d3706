import sys

import pytest
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Run the tests by pytest, to which all further arguments go, as in `test -k tags`."

    def run_from_argv(self, argv: list[str]) -> None:
        sys.exit(pytest.main([f"--rootdir={settings.BASE_DIR}", "--numprocesses=auto", *argv[2:]]))
