from django.contrib import admin

from customers.admin.base import ResourceAdmin
from customers.models import SkuList


@admin.register(SkuList)
class SkuListAdmin(ResourceAdmin):
    list_display = ["name", "customer", "manual", "created_at"]
    list_select_related = ["customer"]
    search_fields = ["name__holds", "customer__email_key__holds", "reference__exact", "id__exact"]
    autocomplete_fields = ["customer"]
    readonly_fields = [*ResourceAdmin.readonly_fields, "slug"]
