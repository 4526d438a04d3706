from django.contrib import admin

from customers.admin.base import ResourceAdmin
from customers.models import CustomerGroup


@admin.register(CustomerGroup)
class CustomerGroupAdmin(ResourceAdmin):
    list_display = ["name", "code", "created_at"]
    search_fields = ["name__holds", "code__exact", "reference__exact", "id__exact"]
