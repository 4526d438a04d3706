"""The time zone of the console: every page is shown in that of the member of staff."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from customers.admin.login import staff_of
from customers.services import time_zones

Answer = Callable[[HttpRequest], HttpResponse]


def localized(get_response: Answer) -> Answer:
    """Let the console show and read times in the zone of whoever is logged in."""

    console = cache(lambda: reverse("admin:index"))

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(console()):
            return get_response(request)
        with timezone.override(time_zones.zone_of(request.user)):
            return get_response(request)

    return middleware


@require_http_methods(["GET", "HEAD", "POST"])
def choose_time_zone(request: HttpRequest) -> HttpResponse:
    """Takes the zone in which a member of staff sees and types times."""
    chosen, error = request.POST.get("time_zone"), None
    if request.method == "POST":
        try:
            time_zones.choose_zone(staff_of(request), chosen or "")
        except time_zones.UnknownTimeZoneError:
            error = "Choose a time zone from the list."
        else:
            messages.success(request, "Your time zone was saved.")
            return redirect("console:time_zone")
    context = {
        **admin.site.each_context(request),
        "title": "Your time zone",
        "names": time_zones.names(),
        "default": settings.CONSOLE_TIME_ZONE,
        "error": error,
        "now": timezone.now(),
    }
    status = 422 if error else 200
    return TemplateResponse(request, "admin/time_zone.html", context, status=status)
