from django.contrib import admin

from customers.admin.base import ResourceAdmin
from customers.models import CustomerAddress


@admin.register(CustomerAddress)
class CustomerAddressAdmin(ResourceAdmin):
    list_display = ["customer", "name", "created_at"]
    list_select_related = ["customer", "address"]
    search_fields = [
        "customer__email_key__holds",
        "address__last_name__holds",
        "reference__exact",
        "id__exact",
    ]
    autocomplete_fields = ["customer", "address"]
