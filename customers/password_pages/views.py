"""A customer who forgot the password chooses a new one by a link; one who knows it, by itself."""

import re
from collections.abc import Callable
from functools import wraps
from typing import TypeAlias

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from customers.jobs import mails
from customers.models import RESET_TOKEN_LENGTH
from customers.password_pages.forms import ChooseForm, ForgotForm, NewEmailForm, NewPasswordForm
from customers.resources import operations
from customers.services import (
    limits,
    password_resets,
    passwords,
    principals,
    restored_copies,
    sessions,
)
from customers.services.transactions import retry_on_conflict

# an attribute: its field in the forms, and the sentence by which it is refused
REFUSED = {
    "password": ("password", "This password {}."),
    "email": ("new_email", "This address {}."),
}

View: TypeAlias = Callable[..., HttpResponse]

ID = re.compile("[0-9A-Za-z]{1,64}")  # of a reset
TOKEN = re.compile("[0-9A-Za-z]{0,64}")  # what stands behind it in a link is a sentence's


def password_page(*methods: str) -> Callable[[View], View]:
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


@password_page("GET", "POST")
def forgot(request: HttpRequest, mode: str) -> HttpResponse:
    """Takes an address; the answer, and the work for it, is the same whether or not it is known."""
    form = ForgotForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        mails.request_reset(form.cleaned_data["email"], mode=mode)
        return redirect("password:sent", mode=mode)
    return _show(request, mode, "forgot", form)


@password_page("GET")
def sent(request: HttpRequest, mode: str) -> HttpResponse:
    return _show(request, mode, "sent", is_held=restored_copies.is_held())


@password_page("GET")
def reset(request: HttpRequest, mode: str, pk: str) -> HttpResponse:
    """Moves the token of a link in an e-mail out of the URL, into a cookie; consumes nothing.

    Each reset has a cookie and a form of its own, so that a form changes whom it shows.
    """
    found = TOKEN.match(request.GET.get("token", ""))
    token = found[0] if found else ""
    if not ID.fullmatch(pk) or len(token) < RESET_TOKEN_LENGTH:
        return _show(request, mode, "incomplete", status=400)
    response = redirect("password:choose", mode=mode, pk=pk)
    response["Referrer-Policy"] = "no-referrer"
    response.set_signed_cookie(
        _cookie(pk),
        token,
        salt=mode,
        max_age=settings.PASSWORD_RESET_LIFETIME,
        path=_path(mode, pk),
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",  # "Strict" would withhold it where a mail program opens the link
    )
    return response


@password_page("GET", "POST")
def choose_password(request: HttpRequest, mode: str, pk: str) -> HttpResponse:
    """Takes the new password of whoever followed the link of the reset `pk` while it works.

    The second of two clicks is answered as the first.
    """
    form = ChooseForm(request.POST or None)
    is_sent = request.method == "POST" and form.is_valid()
    token = request.get_signed_cookie(_cookie(pk), "", salt=mode) or ""
    try:
        email = password_resets.find_reset(pk, token, mode=mode).customer.email
        is_done = is_sent and _redeem(form, pk, token, mode)
    except (password_resets.WrongResetTokenError, password_resets.ResetExpiredError):
        email, is_done = "", is_sent and _was_redeemed(request, form, pk, mode)
        if not is_done:
            return _refuse(request, mode, token)
    if not is_done:
        return _show(request, mode, "choose", form, email=email)
    response = redirect("password:done", mode=mode)
    response.delete_cookie(_cookie(pk), path=_path(mode, pk), samesite="Lax")
    return response


def _refuse(request, mode, token):
    """The page of a link that opens nothing; without a token the browser kept no cookie of it."""
    if token:
        return _show(request, mode, "over", status=410)
    return _show(request, mode, "no_cookie", status=400)


def _was_redeemed(request, form, pk, mode):
    """Whether the reset `pk` has set the password of the valid `form`."""
    password, client = form.cleaned_data["password"], limits.client_of(request.META)
    return password_resets.has_set(pk, password, mode=mode, client=client)


def _redeem(form, pk, token, mode):
    """Set the password of the valid `form`, and whether it could be; if not, the form says why."""
    try:
        password_resets.redeem_reset(pk, token, form.cleaned_data["password"], mode=mode)
    except ValidationError as error:
        form.add_error("password", f"This password {error.messages[0]}.")
        return False
    return True


@password_page("GET", "POST")
def change_password(request: HttpRequest, mode: str) -> HttpResponse:
    """Takes another password of whoever knows the one there is."""
    return _answer_change(request, mode, NewPasswordForm, "password", then="done")


@password_page("GET", "POST")
def change_email(request: HttpRequest, mode: str) -> HttpResponse:
    """Takes another address of whoever knows the password."""
    return _answer_change(request, mode, NewEmailForm, "email", then="email_changed")


def _answer_change(request, mode, form_class, attribute, *, then):
    """The form for another `attribute`, or the way to the page `then` once it is changed."""
    form = form_class(request.POST or None)
    if request.method == "POST" and _change(request, mode, form, attribute):
        return redirect(f"password:{then}", mode=mode)
    return _show(request, mode, f"change_{attribute}", form)


def _change(request, mode, form, attribute):
    """Whether the form is valid and its customer has the new `attribute`; if not, it says why."""
    if not form.is_valid():
        return False
    given, client = form.cleaned_data, limits.client_of(request.META)
    changes = {attribute: given[REFUSED[attribute][0]]}
    try:
        customer = sessions.authenticate(given["email"], given["current"], mode=mode, client=client)
        principal = principals.customer(customer)
        retry_on_conflict(lambda: operations.update(customer, principal, changes))
    except sessions.LoginRefusedError as error:
        form.add_error("current", str(error))
    except operations.WriteRefusedError as error:
        for member, told in error.errors:
            field, sentence = REFUSED.get(member, ("current", sessions.WRONG))
            form.add_error(field, sentence.format(told))
    return form.is_valid()


@password_page("GET")
def email_changed(request: HttpRequest, mode: str) -> HttpResponse:
    return _show(request, mode, "email_changed", storefront=settings.STOREFRONT_URL)


@password_page("GET")
def done(request: HttpRequest, mode: str) -> HttpResponse:
    return _show(request, mode, "done", storefront=settings.STOREFRONT_URL)


def _wait(request, mode, status, headers):
    seconds = int(headers["Retry-After"])
    again = request.path
    response = _show(request, mode, "busy", status=status, seconds=seconds, again=again)
    for name, value in headers.items():
        response[name] = value
    return response


def _cookie(pk):
    return f"password_reset_{pk}"


def _path(mode, pk):
    return reverse("password:choose", kwargs={"mode": mode, "pk": pk})


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
