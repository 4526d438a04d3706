from django.contrib import admin
from django.http import HttpRequest

from customers.admin.base import ResourceAdmin, TaggableAdmin
from customers.models import Order


@admin.register(Order)
class OrderAdmin(TaggableAdmin):
    list_display = [
        "number",
        "customer",
        "state",
        "payment_status",
        "total",
        "placed_at",
    ]
    list_filter = ["status", "payment_status", "fulfillment_status"]
    linked_lookups = ["customer__id__exact"]
    list_select_related = ["customer"]
    search_fields = ["number__exact", "customer__email_key__holds", "reference__exact", "id__exact"]
    autocomplete_fields = ["customer", "shipping_address", "billing_address", "tags"]
    raw_id_fields = ["order_subscription"]
    readonly_fields = [
        *ResourceAdmin.readonly_fields,
        "status",
        "placed_at",
        "approved_at",
        "cancelled_at",
        "archived_at",
    ]

    @admin.display(ordering="total_amount_cents")
    def total(self, order: Order) -> str | None:
        return order.formatted_total_amount

    def has_delete_permission(self, request: HttpRequest, order: Order | None = None) -> bool:
        """A placed order cannot be deleted."""
        placed = order is not None and order.placed_at is not None
        return not placed and super().has_delete_permission(request, order)
