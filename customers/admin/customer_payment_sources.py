from django.contrib import admin

from customers.admin.base import ResourceAdmin
from customers.models import CustomerPaymentSource


@admin.register(CustomerPaymentSource)
class CustomerPaymentSourceAdmin(ResourceAdmin):
    search_fields = ["customer__email_key__holds", "reference__exact", "id__exact"]
    autocomplete_fields = ["customer"]
    exclude = CustomerPaymentSource.TOKENS
    readonly_fields = [*ResourceAdmin.readonly_fields, "name"]
