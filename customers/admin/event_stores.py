from django.contrib import admin

from customers.admin.base import ReadOnlyAdmin
from customers.models import EventStore


@admin.register(EventStore)
class EventStoreAdmin(ReadOnlyAdmin):
    list_display = ["resource_type", "resource_id", "event", "created_at"]
    list_filter = ["resource_type", "event"]
    search_fields = ["resource_id__exact", "id__exact"]
