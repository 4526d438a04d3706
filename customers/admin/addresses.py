from django.contrib import admin

from customers.admin.base import TaggableAdmin
from customers.models import Address


@admin.register(Address)
class AddressAdmin(TaggableAdmin):
    list_display = ["full_name", "line_1", "city", "country_code", "created_at"]
    search_fields = [
        "last_name__holds",
        "first_name__holds",
        "company__holds",
        "email__holds",
        "reference__exact",
        "id__exact",
    ]
