from django.contrib import admin

from customers.admin.base import ResourceAdmin
from customers.models import SkuListItem


@admin.register(SkuListItem)
class SkuListItemAdmin(ResourceAdmin):
    list_display = ["sku_code", "sku_list", "position", "quantity"]
    list_select_related = ["sku_list"]
    search_fields = ["sku_code__exact", "sku_list__name__holds", "reference__exact", "id__exact"]
    autocomplete_fields = ["sku_list"]
