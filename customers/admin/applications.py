from django.contrib import admin
from django.http import HttpRequest

from customers.admin.base import ResourceAdmin
from customers.models import Application


@admin.register(Application)
class ApplicationAdmin(ResourceAdmin):
    """Who may call the API. Applications are made by `manage.py create_application`."""

    list_display = ["name", "kind", "client_id", "created_at"]
    list_filter = ["kind"]
    search_fields = ["name__holds", "client_id__exact"]
    readonly_fields = ["id", "kind", "client_id", "created_at", "updated_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
