from django.contrib import admin

from customers.admin.base import ReadOnlyAdmin
from customers.models import CustomerPasswordReset


@admin.register(CustomerPasswordReset)
class CustomerPasswordResetAdmin(ReadOnlyAdmin):
    list_display = ["id", "customer", "created_at", "expires_at", "reset_password_at"]
    list_select_related = ["customer"]
    search_fields = ["customer__email_key__holds", "id__exact"]
    fields = ["id", "customer", "created_at", "expires_at", "reset_password_at"]
