from django.contrib import admin

from customers.admin.base import ReadOnlyAdmin
from customers.models import Event


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["name", "resource_type", "resource_id", "created_at"]
    list_filter = ["name"]
    search_fields = ["resource_id__exact", "id__exact"]
