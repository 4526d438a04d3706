from django.contrib import admin

from customers.admin.base import ResourceAdmin
from customers.models import CustomerSubscription


@admin.register(CustomerSubscription)
class CustomerSubscriptionAdmin(ResourceAdmin):
    list_display = ["reference", "customer", "created_at"]
    list_select_related = ["customer"]
    search_fields = ["customer__email_key__holds", "reference__exact", "id__exact"]
    autocomplete_fields = ["customer"]
