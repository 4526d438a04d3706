"""The pages of the second factor: showing it after the password, setting it up, changing it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import login as remember_device
from django_otp.middleware import is_verified
from django_otp.models import Device

from customers.admin.login import origin_of, remember_browser, staff_of
from customers.services import limits, second_factor

TOO_MANY = "Too many wrong codes. Try again in {}."
WRONG = "This code is wrong or was already used. Enter the one that your app shows now."


def wait_of(limited: limits.RateLimitedError) -> str:
    """The time after which `limited` is over, as people say it."""
    seconds = limited.retry_after
    number, unit = (seconds, "second") if seconds < 120 else (-(-seconds // 60), "minute")
    return f"{number} {unit}{'s' if number != 1 else ''}"


def known_staff(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view for whoever has logged in as staff by password, with or without a second factor."""

    @wraps(view)
    def wrapped(site: "SecondFactorMixin", request: HttpRequest) -> HttpResponse:
        if not (request.user.is_active and request.user.is_staff):
            return redirect("admin:login")
        response = view(site, request)
        add_never_cache_headers(response)
        return response

    return wrapped


class SecondFactorMixin(admin.AdminSite):
    """A site that lets staff in who have shown a second factor, where they must."""

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """The site's, and the pages of the second factor."""
        return [
            path("second-factor/", self.show_second_factor, name="second_factor"),
            path("second-factor/set-up/", self.set_up_second_factor, name="set_up_second_factor"),
            path("second-factor/codes/", self.renew_recovery_codes, name="renew_recovery_codes"),
            path("second-factor/remove/", self.remove_second_factor, name="remove_second_factor"),
            *super().get_urls(),
        ]

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether a member of staff is let in: as Django says, and by the second factor."""
        return super().has_permission(request) and not self.lacks_factor(staff_of(request))

    def lacks_factor(self, user: User) -> bool:
        """Whether `user` has yet to show a second factor, or to set one up."""
        return not is_verified(user) and self.must_verify(user)

    def must_verify(self, user: User) -> bool:
        """Whether `user` is let in by a second factor only."""
        return settings.SECOND_FACTOR_REQUIRED or second_factor.has_one(user)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    @known_staff
    def show_second_factor(self, request: HttpRequest) -> HttpResponse:
        """Takes the code after the password; shows who has given one what there is to change."""
        user, error = staff_of(request), None
        if not second_factor.has_one(user):
            return redirect("admin:set_up_second_factor")
        if request.method == "POST":
            try:
                device, error = self.check_code(second_factor.verify_code, request)
            except limits.RateLimitedError as limited:
                return self.refuse_code(request, limited, "verify", title="Enter your code")
            if device:
                return self.let_in(request, device, redirect(self.next_page(request)))
        elif is_verified(user):
            left = second_factor.recovery_codes_left(user)
            return self.render(request, "state", title="Your second factor", left=left)
        return self.render(request, "verify", title="Enter your code", error=error)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    @known_staff
    def set_up_second_factor(self, request: HttpRequest) -> HttpResponse:
        """Shows a new secret and takes a code of it, then shows the recovery codes once."""
        user, error = staff_of(request), None
        if second_factor.has_one(user) and not is_verified(user):
            return redirect("admin:second_factor")
        if request.method == "POST":
            try:
                device, error = self.check_code(second_factor.confirm, request)
            except limits.RateLimitedError as limited:
                return self.refuse_code(request, limited, "set_up", **self.drafted(user))
            if device:
                return self.let_in(request, device, self.show_codes(request))
        return self.render(request, "set_up", error=error, **self.drafted(user))

    def drafted(self, user: User) -> dict[str, str]:
        """What the page shows that sets up the second factor of `user`."""
        device = second_factor.draft(user)
        return {
            "title": "Set up your second factor",
            "picture": second_factor.picture_of(device),
            "secret": second_factor.secret_of(device),
        }

    @method_decorator(require_POST)
    @known_staff
    def renew_recovery_codes(self, request: HttpRequest) -> HttpResponse:
        """New recovery codes, shown once, for who has given a code."""
        if not is_verified(request.user):
            return redirect("admin:second_factor")
        return self.show_codes(request)

    @method_decorator(require_POST)
    @known_staff
    def remove_second_factor(self, request: HttpRequest) -> HttpResponse:
        """Removes the factor, where it is not required, for who has given a code."""
        if is_verified(request.user) and not settings.SECOND_FACTOR_REQUIRED:
            second_factor.remove(staff_of(request))
            return redirect("admin:index")
        return redirect("admin:second_factor")

    def show_codes(self, request: HttpRequest) -> HttpResponse:
        """The page with new recovery codes."""
        codes = second_factor.new_recovery_codes(staff_of(request))
        return self.render(request, "codes", title="Your recovery codes", codes=codes)

    def check_code(
        self, accept: Callable[..., Device | None], request: HttpRequest
    ) -> tuple[Device | None, str | None]:
        """What `accept` makes of the code sent: a device or None, and an error or None.

        Raises limits.RateLimitedError.
        """
        code = request.POST.get("code", "")[:64]
        device = accept(request.user, code, **origin_of(request))
        return device, None if device else WRONG

    def refuse_code(
        self, request: HttpRequest, limited: limits.RateLimitedError, name: str, **context: Any
    ) -> HttpResponse:
        """The page `name`, which says that too many codes were wrong; none was checked."""
        response = self.render(request, name, error=TOO_MANY.format(wait_of(limited)), **context)
        response.status_code = 429
        response["Retry-After"] = str(limited.retry_after)
        return response

    def let_in(self, request: HttpRequest, device: Device, response: HttpResponse) -> HttpResponse:
        """Remember that this session has shown `device`; the session gets a new key with it."""
        request.session.cycle_key()
        remember_device(request, device)
        remember_browser(request, response)
        return response

    def next_page(self, request: HttpRequest) -> str:
        """Where a member of staff was going: a page of this host, or the first one."""
        found = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, "")
        here = {request.get_host()}
        safe = url_has_allowed_host_and_scheme(found, here, require_https=request.is_secure())
        return found if safe else reverse("admin:index")

    def render(self, request: HttpRequest, name: str, **context: Any) -> HttpResponse:
        """A page of the second factor; the way into the console shows only to who is in."""
        context |= {
            **self.each_context(request),
            "required": settings.SECOND_FACTOR_REQUIRED,
            "next": self.next_page(request),
            "is_nav_sidebar_enabled": False,
        }
        status = 422 if context.get("error") else 200
        return TemplateResponse(request, f"admin/second_factor/{name}.html", context, status=status)
