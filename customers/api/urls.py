"""The addresses below /api."""

from django.urls import path

from customers.api.downloads import job_file
from customers.api.personal_data import PersonalDataView
from customers.api.router import routes_of
from customers.jobs import exports, imports
from customers.resources.registry import registry

EXPORT_FILES = {"linked": exports.linked_export, "content": exports.export_content}
IMPORT_FILES = {"linked": imports.linked_import, "content": imports.import_content}

urlpatterns = [
    path("exports/files/<str:signed>", job_file, EXPORT_FILES),
    path("imports/files/<str:signed>", job_file, IMPORT_FILES),
    path("customers/<str:pk>/personal_data", PersonalDataView.as_view()),
    *routes_of(registry),
]
