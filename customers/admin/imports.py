from django.contrib import admin

from customers.admin.base import ReadOnlyAdmin
from customers.models import Import


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    list_display = ["id", "resource_type", "status", "processed_count", "errors_count", "mode"]
    list_filter = ["mode", "status", "resource_type"]
    search_fields = ["id__exact", "reference__exact"]
