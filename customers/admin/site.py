"""The console: the admin's site, where staff with a second factor must have shown it."""

from datetime import timedelta
from functools import wraps

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import login as remember_device

from customers.admin.groups import grouped
from customers.admin.login import BROWSER, LoginForm, place_of
from customers.admin.overview import overview
from customers.services import environments, limits, second_factor, staff_logins
from customers.services.customers import ForgottenError
from customers.templatetags.admin_forms import SHOWN_IN

OF_NO_MODE = {"admin:logout", "admin:password_change", "console:mode"}
TOO_MANY = "Too many wrong codes. Try again in {}."
WRONG = "This code is wrong or has been used. Enter the one that your app shows now."


def wait_of(limited: limits.RateLimitedError) -> str:
    """The time after which `limited` is over, as people say it."""
    seconds = limited.retry_after
    number, unit = (seconds, "second") if seconds < 120 else (-(-seconds // 60), "minute")
    return f"{number} {unit}{'s' if number != 1 else ''}"


def known_staff(view):
    """A view for whoever has logged in as staff by password, with or without a second factor."""

    @wraps(view)
    def wrapped(site, request):
        if not (request.user.is_active and request.user.is_staff):
            return redirect("admin:login")
        response = view(site, request)
        add_never_cache_headers(response)
        return response

    return wrapped


class OwnPasswordForm(AdminPasswordChangeForm):
    """One's own new password, which is all that is saved."""

    def save(self, commit=True):
        user = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user


class Console(admin.AdminSite):
    index_title = "Overview"
    index_template = "admin/overview.html"
    site_url = None  # there is no other site to view
    login_form = LoginForm

    def password_change(self, request, extra_context=None):
        """As Django's, which saves the member of staff whole; this saves the new password."""
        request.current_app = self.name
        return PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            template_name=self.password_change_template or "registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )(request)

    def each_context(self, request):
        mode = environments.mode_of(request.session)
        return {
            **super().each_context(request),
            "mode": mode,
            "other_mode": environments.other(mode),
            SHOWN_IN: mode,
        }

    def index(self, request, extra_context=None):
        """The overview, for those who may see customers; the types alone for others."""
        context = {"overview": None}
        if request.user.has_perm("customers.view_customer"):
            sees = request.user.has_perm("customers.view_webhook")
            context["overview"] = overview(
                environments.mode_of(request.session), shows_webhooks=sees
            )
        return super().index(request, {**context, **(extra_context or {})})

    def get_app_list(self, request, app_label=None):
        """The types that the member of staff may see, by heading, or those of one application."""
        apps = super().get_app_list(request, app_label)
        return apps if app_label else grouped(apps)

    def has_permission(self, request):
        """Whether a member of staff is let in: as Django says, and by the second factor."""
        return super().has_permission(request) and not self.misses(request.user)

    def misses(self, user):
        """Whether `user` has yet to show a second factor, or to set one up."""
        return not user.is_verified() and self.must_verify(user)

    def must_verify(self, user):
        """Whether `user` comes in by a second factor only."""
        return settings.SECOND_FACTOR_REQUIRED or second_factor.has_one(user)

    @method_decorator(never_cache)
    def login(self, request, extra_context=None):
        user = request.user
        if request.method == "GET" and user.is_active and user.is_staff and self.misses(user):
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
        if response.status_code == 302 and not self.must_verify(request.user):
            self.remember_browser(request, response)
        return response

    def refuse_login(self, request, error):
        """The answer to whoever was wrong too often; nothing was looked at."""
        context = {"name": settings.ORGANIZATION_NAME, "wait": wait_of(error)}
        headers = {"Retry-After": str(error.retry_after)}
        return TemplateResponse(request, "admin/locked.html", context, status=429, headers=headers)

    def remember_browser(self, request, response):
        """Let the browser that `response` goes to, by which somebody has come in, be known."""
        response.set_cookie(
            BROWSER,
            staff_logins.remember(request.user.get_username()),
            max_age=settings.STAFF_BROWSER_LIFETIME,
            path=reverse("admin:index"),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )

    def admin_view(self, view, cacheable=False):
        """As Django's, for what can be answered: a form of the other mode is refused.

        NUL, which PostgreSQL takes in no text, is in no id and no value. Only a search may ask
        for it, and finds nothing. What would be written about a forgotten person is refused, on
        the page that it was sent from.
        """

        @wraps(view)
        def checked(request, *args, **kwargs):
            if "\0" in request.path_info:
                raise Http404("No id holds NUL.")
            sent = [*request.GET.lists(), *request.POST.lists()]
            if any("\0" in text for name, texts in sent if name != "q" for text in (name, *texts)):
                raise BadRequest("No value may hold NUL.")
            mode = environments.mode_of(request.session)
            if (
                request.POST.get(SHOWN_IN, mode) != mode
                and request.resolver_match.view_name not in OF_NO_MODE
            ):
                return self.refuse_mode(request)
            try:
                return view(request, *args, **kwargs)
            except ForgottenError as error:
                messages.error(request, str(error))
                return HttpResponseRedirect(request.get_full_path())

        return super().admin_view(checked, cacheable)

    def refuse_mode(self, request):
        """The answer to a form that was opened before the mode was switched; it does nothing."""
        context = {**self.each_context(request), "title": "The mode was switched"}
        return TemplateResponse(request, "admin/other_mode.html", context, status=409)

    def get_urls(self):
        return [
            path("second-factor/", self.show_second_factor, name="second_factor"),
            path("second-factor/set-up/", self.set_up_second_factor, name="set_up_second_factor"),
            path("second-factor/codes/", self.renew_recovery_codes, name="renew_recovery_codes"),
            path("second-factor/remove/", self.remove_second_factor, name="remove_second_factor"),
            *super().get_urls(),
        ]

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    @known_staff
    def show_second_factor(self, request):
        """Takes the code after the password; shows who has given one what there is to change."""
        user, error = request.user, None
        if not second_factor.has_one(user):
            return redirect("admin:set_up_second_factor")
        if request.method == "POST":
            try:
                device, error = self.taken(second_factor.verify, request)
            except limits.RateLimitedError as limited:
                return self.refuse_code(request, limited, "verify", title="Enter your code")
            if device:
                return self.let_in(request, device, redirect(self.next_page(request)))
        elif user.is_verified():
            left = second_factor.recovery_codes_left(user)
            return self.page(request, "state", title="Your second factor", left=left)
        return self.page(request, "verify", title="Enter your code", error=error)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    @known_staff
    def set_up_second_factor(self, request):
        """Shows a new secret and takes a code of it, then shows the recovery codes once."""
        user, error = request.user, None
        if second_factor.has_one(user) and not user.is_verified():
            return redirect("admin:second_factor")
        if request.method == "POST":
            try:
                device, error = self.taken(second_factor.confirm, request)
            except limits.RateLimitedError as limited:
                return self.refuse_code(request, limited, "set_up", **self.drafted(user))
            if device:
                return self.let_in(request, device, self.show_codes(request))
        return self.page(request, "set_up", error=error, **self.drafted(user))

    def drafted(self, user):
        """What the page shows that sets up the second factor of `user`."""
        device = second_factor.draft(user)
        return {
            "title": "Set up your second factor",
            "picture": second_factor.picture_of(device),
            "secret": second_factor.secret_of(device),
        }

    @method_decorator(require_POST)
    @known_staff
    def renew_recovery_codes(self, request):
        """New recovery codes, shown once, for who has given a code."""
        if not request.user.is_verified():
            return redirect("admin:second_factor")
        return self.show_codes(request)

    @method_decorator(require_POST)
    @known_staff
    def remove_second_factor(self, request):
        """Takes the factor off, where it is not obligatory, for who has given a code."""
        if request.user.is_verified() and not settings.SECOND_FACTOR_REQUIRED:
            second_factor.remove(request.user)
            return redirect("admin:index")
        return redirect("admin:second_factor")

    def show_codes(self, request):
        codes = second_factor.new_recovery_codes(request.user)
        return self.page(request, "codes", title="Your recovery codes", codes=codes)

    def taken(self, accept, request):
        """What `accept` makes of the code sent: a device or None, and an error or None.

        Raises limits.Limited.
        """
        code = request.POST.get("code", "")[:64]
        device = accept(request.user, code, **place_of(request))
        return device, None if device else WRONG

    def refuse_code(self, request, limited, name, **context):
        """The page `name`, which says that too many codes were wrong; none was looked at."""
        response = self.page(request, name, error=TOO_MANY.format(wait_of(limited)), **context)
        response.status_code = 429
        response["Retry-After"] = str(limited.retry_after)
        return response

    def let_in(self, request, device, response):
        """Remember that this session has shown `device`; the session gets a new key with it."""
        request.session.cycle_key()
        remember_device(request, device)
        self.remember_browser(request, response)
        return response

    def next_page(self, request):
        """Where a member of staff was going: a page of this host, or the first one."""
        found = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, "")
        here = {request.get_host()}
        safe = url_has_allowed_host_and_scheme(found, here, require_https=request.is_secure())
        return found if safe else reverse("admin:index")

    def page(self, request, name, **context):
        """A page of the second factor; the way into the console shows only to who is in."""
        context |= {
            **self.each_context(request),
            "required": settings.SECOND_FACTOR_REQUIRED,
            "next": self.next_page(request),
            "is_nav_sidebar_enabled": False,
        }
        status = 422 if context.get("error") else 200
        return TemplateResponse(request, f"admin/second_factor/{name}.html", context, status=status)
