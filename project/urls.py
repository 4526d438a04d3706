"""The service's doors: the API and its tokens, the pages for customers, and the admin."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from customers.api import docs, errors, oauth
from customers.models import Mode

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("api/schema", docs.schema),
    path("api/docs", docs.docs),
    re_path("^api(?:/|$)", include("customers.api.urls")),
    path("oauth/token", oauth.token),
    path("oauth/revoke", oauth.revoke),
    path("oauth/<path:path>", oauth.unknown_endpoint),
    path(".well-known/jwks.json", oauth.jwks),
    path(".well-known/<path:path>", errors.unknown_route),
    re_path(
        f"^(?P<mode>{'|'.join(Mode.values)})/password/", include("customers.password_pages.urls")
    ),
    path("admin/", include("customers.admin.urls")),
    path("admin/", admin.site.urls),
]
handler400 = "customers.api.errors.bad_request"
handler500 = "project.middleware.server_error"
