"""The console's pages beside those that Django's admin makes for each type."""

from django.contrib import admin
from django.urls import path

from customers.admin import command_palette, customer_forms, environments, segments, time_zones

app_name = "console"
urlpatterns = [
    path("mode/", admin.site.admin_view(environments.switch), name="mode"),
    path("time-zone/", admin.site.admin_view(time_zones.choose_time_zone), name="time_zone"),
    path("command-palette/", admin.site.admin_view(command_palette.answer), name="command_palette"),
    path("customers/filter/", admin.site.admin_view(segments.choose_filters), name="filter"),
    path(
        "customers/<str:pk>/tags/", admin.site.admin_view(customer_forms.change_tags), name="tags"
    ),
    path("customers/<str:pk>/note/", admin.site.admin_view(customer_forms.note), name="note"),
    path("segments/", admin.site.admin_view(segments.save), name="segments"),
    path("segments/counts/", admin.site.admin_view(segments.counts), name="segment_counts"),
    path(
        "segments/<str:pk>/delete/",
        admin.site.admin_view(segments.delete_segment),
        name="segment_delete",
    ),
]
