from django.contrib import admin

from customers.admin.base import ReadOnlyAdmin
from customers.models import EventCallback


@admin.register(EventCallback)
class EventCallbackAdmin(ReadOnlyAdmin):
    list_display = ["id", "webhook", "callback_url", "response_code", "response_message", "mode"]
    list_filter = ["mode", "response_code"]
    list_select_related = ["webhook"]
    search_fields = ["id__exact", "event__id__exact"]
