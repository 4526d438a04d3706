from django.contrib import admin

from customers.admin.base import ResourceAdmin
from customers.models import Tag


@admin.register(Tag)
class TagAdmin(ResourceAdmin):
    search_fields = ["name__holds", "reference__exact", "id__exact"]
