"""A customer who forgot the password asks for a link, follows it, and chooses a new one."""

import re
from collections.abc import Callable
from functools import wraps
from typing import TypeAlias

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from customers.jobs import mails
from customers.password_pages.forms import ChooseForm, ForgotForm
from customers.services import limits, password_resets, passwords

View: TypeAlias = Callable[..., HttpResponse]

COOKIE = "password_reset"
NAMED = re.compile("[0-9A-Za-z]{1,64}:[0-9A-Za-z]{1,64}")  # a reset and its token


def page(*methods: str) -> Callable[[View], View]:
    """A view that answers `methods`, is never cached, and reveals nothing to other sites."""

    def decorate(view):
        @require_http_methods([*methods, "HEAD"])
        @wraps(view)
        def wrapped(request, mode, **kwargs):
            try:
                if request.method == "POST":
                    limits.consume(limits.PAGES, limits.client_of(request.META))
                response = view(request, mode, **kwargs)
            except limits.RateLimitedError as error:
                response = _wait(request, mode, 429, error.headers)
            except passwords.HashingBusyError:
                response = _wait(request, mode, 503, {"Retry-After": passwords.RETRY_AFTER})
            response["Cache-Control"] = "no-store"
            # To ourselves browsers must name it: "no-referrer" would make the origin of a form
            # null (Fetch, serializing a request origin), which the check against forgery refuses.
            response.setdefault("Referrer-Policy", "same-origin")
            return response

        return wrapped

    return decorate


@page("GET", "POST")
def forgot(request: HttpRequest, mode: str) -> HttpResponse:
    """Takes an address; the answer, and the work for it, is the same whether or not it is known."""
    form = ForgotForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        mails.request_reset(form.cleaned_data["email"], mode=mode)
        return redirect("password:sent", mode=mode)
    return _show(request, mode, "forgot", form)


@page("GET")
def sent(request: HttpRequest, mode: str) -> HttpResponse:
    return _show(request, mode, "sent")


@page("GET")
def reset(request: HttpRequest, mode: str, pk: str) -> HttpResponse:
    """Moves the token of a link in an e-mail out of the URL, into a cookie; consumes nothing."""
    named = f"{pk}:{request.GET.get('token', '')}"
    response = redirect("password:choose", mode=mode)
    response["Referrer-Policy"] = "no-referrer"
    response.set_signed_cookie(
        COOKIE,
        named if NAMED.fullmatch(named) else ":",  # a header does not take every character
        salt=mode,
        max_age=settings.PASSWORD_RESET_LIFETIME,
        path=_path(mode),
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",  # "Strict" would withhold it where a mail program opens the link
    )
    return response


@page("GET", "POST")
def choose(request: HttpRequest, mode: str) -> HttpResponse:
    """Takes the new password of whoever followed a link that still works."""
    form = ChooseForm(request.POST or None)
    try:
        pk, token = (request.get_signed_cookie(COOKIE, salt=mode) or ":").split(":", 1)
        found = password_resets.find_reset(pk, token, mode=mode)
        if request.method == "POST" and form.is_valid() and _redeem(form, pk, token, mode):
            response = redirect("password:done", mode=mode)
            response.delete_cookie(COOKIE, path=_path(mode), samesite="Lax")
            return response
    except (
        KeyError,
        signing.BadSignature,
        password_resets.WrongResetTokenError,
        password_resets.ResetExpiredError,
    ):
        return _show(request, mode, "over", status=410)
    return _show(request, mode, "choose", form, email=found.customer.email)


def _redeem(form, pk, token, mode):
    """Set the password of the valid `form`, and whether it could be; if not, the form says why."""
    try:
        password_resets.redeem_reset(pk, token, form.cleaned_data["password"], mode=mode)
    except ValidationError as error:
        form.add_error("password", f"This password {error.messages[0]}.")
        return False
    return True


@page("GET")
def done(request: HttpRequest, mode: str) -> HttpResponse:
    return _show(request, mode, "done", storefront=settings.STOREFRONT_URL)


def _wait(request, mode, status, headers):
    seconds = int(headers["Retry-After"])
    again = request.path
    response = _show(request, mode, "busy", status=status, seconds=seconds, again=again)
    for name, value in headers.items():
        response[name] = value
    return response


def _path(mode):
    return f"/{mode}/password/"


def _show(request, mode, name, form=None, status=None, **context):
    context |= {
        "form": form,
        "mode": mode,
        "name": settings.ORGANIZATION_NAME,
        "support": settings.SUPPORT_EMAIL,
        "least": settings.PASSWORD_MIN_LENGTH,
        "minutes": settings.PASSWORD_RESET_LIFETIME // 60,
    }
    invalid = form is not None and form.is_bound
    return render(request, f"password/{name}.html", context, status=status or 200 + 222 * invalid)
