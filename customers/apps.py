from django.apps import AppConfig
from django.core.checks import register
from django.db.backends.signals import connection_created


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = "All types"

    def ready(self) -> None:
        from customers.checks import check_declarations  # models are there only now
        from customers.db.lookups import register_sqlite_functions

        connection_created.connect(register_sqlite_functions)
        register(check_declarations)
