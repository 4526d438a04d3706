"""How staff log in: the form, and the browsers by which they are known."""

from typing import Any

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from customers.services import limits, staff_logins

BROWSER = "staff_browser"  # the cookie of a browser by which somebody has logged in


class LoginForm(AdminAuthenticationForm):
    """Django's, where attempts are counted.

    Raises limits.RateLimitedError and passwords.HashingBusyError.
    """

    request: HttpRequest  # the site always gives one

    def clean(self) -> dict[str, Any]:
        """Check the password, as one attempt. Raises ValidationError where it is wrong."""
        name, password = (self.cleaned_data.get(field) for field in ("username", "password"))
        if name is None or not password:
            return super().clean()
        if len(password) > settings.PASSWORD_MAX_LENGTH:
            raise self.get_invalid_login_error()
        with staff_logins.counted_login(name, **origin_of(self.request)):
            return super().clean()


def staff_of(request: HttpRequest) -> User:
    """The member of staff who is logged in. Raises PermissionDenied where nobody is."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user


def origin_of(request: HttpRequest) -> dict[str, str]:
    """From where `request` comes: the `client`'s network address and its `browser`."""
    return {
        "client": limits.client_of(request.META),
        "browser": request.COOKIES.get(BROWSER, ""),
    }


def remember_browser(request: HttpRequest, response: HttpResponse) -> None:
    """Let the browser that `response` goes to, by which somebody has logged in, be known."""
    response.set_cookie(
        BROWSER,
        staff_logins.remember(request.user.get_username()),
        max_age=settings.STAFF_BROWSER_LIFETIME,
        path=reverse("admin:index"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
