from django.contrib import admin

from customers.admin.base import ResourceAdmin
from customers.models import Attachment


@admin.register(Attachment)
class AttachmentAdmin(ResourceAdmin):
    list_display = ["name", "attachable", "url", "created_at"]
    list_select_related = Attachment.ATTACHABLE
    search_fields = ["name__holds", "reference__exact", "id__exact"]
    autocomplete_fields = Attachment.ATTACHABLE
