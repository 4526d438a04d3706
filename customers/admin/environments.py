"""Switching between the modes of the installation."""

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from customers.services import environments


@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Let the member of staff work in the mode that the form names, and go to its `next` page."""
    try:
        environments.choose(request.session, request.POST.get("mode"))
    except ValueError:
        return HttpResponseBadRequest("The mode is test or live.\n", content_type="text/plain")
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = reverse("admin:index")
    return HttpResponseRedirect(target)
