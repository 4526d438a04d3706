"""The console: the admin's site, in the mode that its user works in."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

from customers.admin.groups import grouped
from customers.admin.login import LoginForm, remember_browser, staff_of
from customers.admin.overview import overview
from customers.admin.password_forms import OwnPasswordForm
from customers.admin.second_factor import SecondFactorMixin, wait_of
from customers.services import environments, limits, restored_copies, second_factor
from customers.services.customers import ForgottenError
from customers.templatetags.environments import SHOWN_IN

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

OF_NO_MODE = {"admin:logout", "admin:password_change", "console:mode", "console:time_zone"}


class Console(SecondFactorMixin):
    """The admin's site, with our overview, login and second factor."""

    index_title = "Overview"
    index_template = "admin/overview.html"
    site_url = None  # there is no other site to view
    login_form = LoginForm

    def password_change(  # type: ignore[override]  # the stubs forget the redirect
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """As Django's, with a form that saves the password alone."""
        request.current_app = self.name
        return PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            template_name=self.password_change_template or "registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )(request)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page is given; `mode` is that at work, `zone` that of its times."""
        mode = environments.mode_of(request.session)
        return {
            **super().each_context(request),
            "mode": mode,
            "other_mode": environments.other_mode(mode),
            "zone": timezone.get_current_timezone_name(),
        }

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """The overview, for those who may see customers; the types alone for others."""
        held = restored_copies.HELD if restored_copies.is_held() else ""
        context: dict[str, Any] = {"overview": None, "held": held}
        if request.user.has_perm("customers.view_customer"):
            sees = request.user.has_perm("customers.view_webhook")
            context["overview"] = overview(
                environments.mode_of(request.session), shows_webhooks=sees
            )
        return super().index(request, {**context, **(extra_context or {})})

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """The types that the member of staff may see, by heading, or those of one application."""
        apps = super().get_app_list(request, app_label)
        return apps if app_label else grouped(apps)

    @method_decorator(never_cache)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The login; who has given the password is led to the second factor."""
        user = request.user
        if request.method == "GET" and user.is_active and user.is_staff and self.lacks_factor(user):
            page = "second_factor" if second_factor.has_one(user) else "set_up_second_factor"
            query = urlencode({REDIRECT_FIELD_NAME: self.next_page(request)})
            return HttpResponseRedirect(f"{reverse(f'admin:{page}')}?{query}")
        try:
            response = super().login(request, extra_context)
        except limits.RateLimitedError as error:
            return self.refuse_login(request, error)
        if request.method == "POST" and response.status_code == 302:
            end = timezone.now() + timedelta(seconds=settings.STAFF_SESSION_LIFETIME)
            request.session.set_expiry(end)  # a moment: what is done meanwhile does not move it
        if response.status_code == 302 and not self.must_verify(staff_of(request)):
            remember_browser(request, response)
        return response

    def refuse_login(self, request: HttpRequest, error: limits.RateLimitedError) -> HttpResponse:
        """The answer to whoever was wrong too often; no password was checked."""
        context = {"name": settings.ORGANIZATION_NAME, "wait": wait_of(error)}
        headers = {"Retry-After": str(error.retry_after)}
        return TemplateResponse(request, "admin/locked.html", context, status=429, headers=headers)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """As Django's, for what can be answered: a form of the other mode is refused.

        What would be written about a forgotten person is refused on the page that it was sent
        from.
        """

        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            _refuse_nul(request)
            mode = environments.mode_of(request.session)
            page = request.resolver_match.view_name if request.resolver_match else ""
            if request.POST.get(SHOWN_IN, mode) != mode and page not in OF_NO_MODE:
                return self.refuse_mode(request)
            try:
                return view(request, *args, **kwargs)
            except ForgottenError as error:
                messages.error(request, str(error))
                return HttpResponseRedirect(request.get_full_path())

        return cast(View, super().admin_view(checked, cacheable))

    def refuse_mode(self, request: HttpRequest) -> HttpResponse:
        """The answer to a form that was opened before the mode was switched; it does nothing."""
        context = {**self.each_context(request), "title": "The mode was switched"}
        return TemplateResponse(request, "admin/other_mode.html", context, status=409)


def _refuse_nul(request):
    """Raise Http404 or BadRequest for NUL, which PostgreSQL stores in no text, in id or value.

    Only a search may ask for it, and finds nothing.
    """
    if "\0" in request.path_info:
        raise Http404("No id holds NUL.")
    sent = [*request.GET.lists(), *request.POST.lists()]
    if any("\0" in text for name, texts in sent if name != "q" for text in (name, *texts)):
        raise BadRequest("No value may hold NUL.")
