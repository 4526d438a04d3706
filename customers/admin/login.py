"""The form by which staff log in."""

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm

from customers.services import limits, staff_logins

BROWSER = "staff_browser"  # the cookie of a browser by which somebody has come in


class LoginForm(AdminAuthenticationForm):
    """Django's, where attempts are counted. Raises limits.Limited and passwords.Busy."""

    def clean(self):
        name, password = (self.cleaned_data.get(field) for field in ("username", "password"))
        if name is None or not password:
            return super().clean()
        if len(password) > settings.PASSWORD_MAX_LENGTH:
            raise self.get_invalid_login_error()
        with staff_logins.counted(name, **place_of(self.request)):
            return super().clean()


def place_of(request) -> dict[str, str]:
    """From where `request` comes: the `client`'s network address and its `browser`."""
    return {
        "client": limits.client_of(request.META),
        "browser": request.COOKIES.get(BROWSER, ""),
    }
