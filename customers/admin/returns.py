from django.contrib import admin
from django.http import HttpRequest

from customers.admin.base import TaggableAdmin
from customers.models import Return


@admin.register(Return)
class ReturnAdmin(TaggableAdmin):
    list_display = ["number", "order", "customer", "state", "created_at"]
    list_filter = ["status"]
    list_select_related = ["order", "customer"]
    search_fields = [
        "number__exact",
        "order__number__exact",
        "customer__email_key__holds",
        "reference__exact",
        "id__exact",
    ]
    readonly_fields = [
        *TaggableAdmin.readonly_fields,
        "number",
        "status",
        "order",
        "customer",
        "origin_address",
        "destination_address",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Returns come from the system that takes orders."""
        return False
