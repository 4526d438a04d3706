from importlib import import_module

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    """Django's admin with our site; nobody's second factor is for others to see or make."""

    default_site = "customers.admin.site.Console"

    def ready(self) -> None:
        super().ready()
        import_module("customers.admin.registered")  # the site must be there before its types
        for label in ("otp_static.StaticDevice", "otp_totp.TOTPDevice"):
            admin.site.unregister(apps.get_model(label))
