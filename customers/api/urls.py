"""The addresses below /api."""

from django.urls import path

from customers.api.downloads import job_file
from customers.api.personal_data import PersonalDataView
from customers.api.router import routes_of
from customers.jobs import exports, imports
from customers.resources.registry import registry

urlpatterns = [
    path("exports/files/<str:signed>", job_file, {"service": exports}),
    path("imports/files/<str:signed>", job_file, {"service": imports}),
    path("customers/<str:pk>/personal_data", PersonalDataView.as_view()),
    *routes_of(registry),
]
