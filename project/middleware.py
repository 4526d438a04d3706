"""What every answer carries, what only pages pass, and what is answered when others fail."""

import sys
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django_otp.middleware import OTPMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

from customers.api import errors
from customers.services.database_errors import Fault, fault_of
from customers.services.passwords import HashingBusyError

Answer = Callable[[HttpRequest], HttpResponse]
POLICY = "; ".join(
    [
        "default-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "base-uri 'none'",
    ]
)


def content_security_policy(get_response: Answer) -> Answer:
    """Allow pages to load what this host serves, and nothing else (W3C CSP Level 3)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return middleware


class OnlyPages:
    """Mixed into a middleware that pages need: what a program asks passes by."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if errors.is_api(request):
            return self.get_response(request)  # type: ignore[attr-defined]  # the middleware's
        return super().__call__(request)  # type: ignore[misc]


class StaticFiles(OnlyPages, WhiteNoiseMiddleware):
    """Serves static files."""


class Sessions(OnlyPages, SessionMiddleware):
    """Gives the request its session."""


class Authentication(OnlyPages, AuthenticationMiddleware):
    """Says who of the staff is logged in."""


class SecondFactor(OnlyPages, OTPMiddleware):
    """Says whether a second factor was shown."""


class Messages(OnlyPages, MessageMiddleware):
    """Keeps messages for the next page."""


class FaultMiddleware:
    """503 or 507 where something outside of the service failed: a sentence, and when to try again.

    In JSON:API's shape for programs, as a plain page for people.
    """

    def __init__(self, get_response: Answer):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return failed(request, exception)


def failed(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """The response to `exception`, None when it is a mistake of ours."""
    if errors.is_api(request):
        return errors.failure(exception)
    fault = (
        Fault(503, str(exception), 1)
        if isinstance(exception, HashingBusyError)
        else fault_of(exception)
    )
    return unavailable(request, fault) if fault else None


def unavailable(request: HttpRequest, fault: Fault) -> HttpResponse:
    """The response that tells `fault`, to programs in JSON:API's shape, as a page to people."""
    if errors.is_api(request):
        return errors.fault_response(fault)
    context = {"name": settings.ORGANIZATION_NAME, "fault": fault}
    page = render_to_string("unavailable.html", context)
    return HttpResponse(page, status=fault.status, headers=fault.headers)


def form_refused(request: HttpRequest, **_reason: str) -> HttpResponse:
    """The answer to a form that comes without the cookie against forgery, or from elsewhere."""
    page = render_to_string("form_refused.html", {"name": settings.ORGANIZATION_NAME})
    return HttpResponse(page, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """What is answered to an exception that no view raised, but what is around the views."""
    error = sys.exc_info()[1]
    answer = failed(request, error) if isinstance(error, Exception) else None
    return answer or errors.respond_to_failure(request)
