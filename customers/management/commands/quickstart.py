import os
import sys
import threading
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.management.base import CommandParser
from django.core.management.commands.runserver import naiveip_re
from django.db import transaction
from django.utils.crypto import get_random_string

from customers.jobs import worker
from customers.management.base import OperatorCommand
from customers.models import Application, Customer
from customers.services import database_schema, password_resets, roles
from customers.services.applications import create_application
from customers.services.passwords import hash_password

ADDRESS = "127.0.0.1:8000"
EVERYWHERE = {"", "0.0.0.0", "[::]"}  # noqa: S104 what no link can lead to


class Command(OperatorCommand):
    help = (
        "Set up a demonstration on this machine and serve it: the tables, 200 made-up customers, "
        "a credential for the API and a staff user, whose secrets are printed only now. Links "
        "lead to HOST:PORT, unless PUBLIC_URL is set."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", nargs="?", default=ADDRESS, metavar="HOST:PORT")
        parser.add_argument("--no-server", action="store_true", help="set everything up, then stop")

    def handle(self, *, address: str, no_server: bool, **options: Any) -> None:
        if not naiveip_re.match(address):
            raise CommandError("Write the address as HOST:PORT, such as 127.0.0.1:8000.")
        host, _, port = address.rpartition(":")
        url = f"http://{'127.0.0.1' if host in EVERYWHERE else host}:{port}"
        if "PUBLIC_URL" not in os.environ and url != settings.PUBLIC_URL:
            again = [sys.executable, *sys.argv]  # other settings follow from it
            os.execve(sys.executable, again, {**os.environ, "PUBLIC_URL": url})  # noqa: S606
        call_command("migrate", verbosity=0)
        self.check_tables()
        roles.make_roles()
        if not Customer.objects.exists():
            call_command("demo")
        if not Application.objects.exists():
            self.make_credentials(settings.PUBLIC_URL)
        if urlsplit(settings.PUBLIC_URL).netloc != ADDRESS:
            self.stdout.write(f"  For other commands   export PUBLIC_URL={settings.PUBLIC_URL}\n")
            self.stdout.flush()
        if not no_server:
            threading.Thread(target=worker.run, args=[threading.Event()], daemon=True).start()
            call_command("runserver", address, use_reloader=False)

    def check_tables(self) -> None:
        try:
            database_schema.check_schema()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error

    def make_credentials(self, url: str) -> None:
        application, secret = create_application(name="Demonstration", mode="test")
        channel, _ = create_application(name="Demo shop", mode="test", kind="sales_channel")
        customer, customers_password = Customer.objects.earliest("pk"), get_random_string(16)
        with transaction.atomic():
            password_resets.set_password(customer, hash_password(customers_password), actor=None)
        password = get_random_string(16)
        get_user_model().objects.create_superuser("staff", password=password)
        self.stdout.write(
            f"""
This is stored nowhere else; save it:

  Admin  {url}/admin/   user staff   password {password}

  API    export CLIENT_ID={application.client_id}
         export CLIENT_SECRET={secret}

  Shop   {url}/test/password/forgot
         export CHANNEL_ID={channel.client_id}
         customer {customer.email}   password {customers_password}
"""
        )
        self.stdout.flush()  # a file or a pipe gets it before the server ends, too
