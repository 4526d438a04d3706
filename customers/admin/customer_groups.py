from django.contrib import admin

from customers.admin.base import ResourceAdmin
from customers.models import CustomerGroup


@admin.register(CustomerGroup)
class CustomerGroupAdmin(ResourceAdmin):
    search_fields = ["name__holds", "code__exact", "reference__exact", "id__exact"]
