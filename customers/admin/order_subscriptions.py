from django.contrib import admin
from django.http import HttpRequest

from customers.admin.base import TaggableAdmin
from customers.models import OrderSubscription


@admin.register(OrderSubscription)
class OrderSubscriptionAdmin(TaggableAdmin):
    list_display = ["number", "customer", "state", "frequency", "next_run_at"]
    list_filter = ["status"]
    list_select_related = ["customer"]
    search_fields = ["number__exact", "customer__email_key__holds", "reference__exact", "id__exact"]
    autocomplete_fields = ["customer_payment_source", "tags"]
    readonly_fields = [
        *TaggableAdmin.readonly_fields,
        "number",
        "status",
        "source_order",
        "customer",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Subscriptions come from the system that takes orders."""
        return False
