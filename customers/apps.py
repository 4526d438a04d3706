from django.apps import AppConfig
from django.db.backends.signals import connection_created


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = "All types"

    def ready(self):
        from customers.db.lookups import register_sqlite_functions

        connection_created.connect(register_sqlite_functions)
