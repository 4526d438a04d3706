"""The same documents by Django REST framework JSON:API as its documentation sets it up."""

import os

import environ
from django.conf import settings

FRAMEWORK = {
    "DEFAULT_PAGINATION_CLASS": ("rest_framework_json_api.pagination.JsonApiPageNumberPagination"),
    "DEFAULT_PARSER_CLASSES": ["rest_framework_json_api.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework_json_api.renderers.JSONRenderer"],
    "DEFAULT_METADATA_CLASS": "rest_framework_json_api.metadata.JSONAPIMetadata",
    "DEFAULT_FILTER_BACKENDS": [
        "rest_framework_json_api.filters.OrderingFilter",
        "rest_framework_json_api.django_filters.DjangoFilterBackend",
    ],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "EXCEPTION_HANDLER": "rest_framework_json_api.exceptions.exception_handler",
    "UNAUTHENTICATED_USER": None,
}

settings.configure(
    SECRET_KEY="benchmark",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {**environ.Env().db("DATABASE_URL"), "CONN_MAX_AGE": 600}},
    ROOT_URLCONF="deploy.checks.stock_urls",
    INSTALLED_APPS=[
        "customers",
        "django.contrib.contenttypes",
        "django_filters",
        "rest_framework",
        "rest_framework_json_api",
    ],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    REST_FRAMEWORK=FRAMEWORK,
    USE_TZ=True,
    TIME_ZONE="UTC",
    MAX_TAGS=10,
    ADDRESSES_PHONE_REQUIRED=False,
    DEBUG=False,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
os.environ.pop("DJANGO_SETTINGS_MODULE", None)
from django.core.wsgi import get_wsgi_application  # noqa: E402 needs the settings

application = get_wsgi_application()
