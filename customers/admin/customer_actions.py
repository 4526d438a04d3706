"""What staff do to one customer: a new password, merging a duplicate, anonymization."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from customers.admin.base import actor_of
from customers.admin.fields import offered
from customers.admin.fresh import FreshRowAdmin
from customers.admin.pages import Pages, paths_of, private_page
from customers.jobs import mails, merging
from customers.models import Customer, CustomerSubscription, QueuedMail
from customers.resources import operations
from customers.services import password_resets, principals, restored_copies
from customers.services.environments import mode_of
from customers.services.row_changes import counted_rows

TRIGGERS = {  # and the sentence about each
    "_request_anonymization": "Requested the anonymization of this customer.",
    "_cancel_anonymization": "Cancelled the anonymization of this customer.",
}


def customer_view(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of the customer `pk`; where there is none, the one that says what became of it."""

    @wraps(view)
    def wrapped(self: "CustomerActionsMixin", request: HttpRequest, pk: str) -> HttpResponse:
        try:
            return view(self, request, pk)
        except Http404:
            return self.gone(request, pk)

    return method_decorator(require_http_methods(["GET", "HEAD", "POST"]))(wrapped)


class DuplicateForm(forms.Form):
    """The duplicate that goes: a customer of the mode at work."""

    duplicate = forms.ModelChoiceField(
        Customer.objects.none(),
        label="The duplicate",
        error_messages={"invalid_choice": "There is no such customer in this mode."},
    )

    def __init__(self, mode: str, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        duplicate = offered(self, "duplicate", Customer.objects.in_mode(mode))
        key = CustomerSubscription._meta.get_field("customer")
        duplicate.widget = AutocompleteSelect(key, admin.site)
        duplicate.widget.choices = duplicate.choices


class CustomerActionsMixin(FreshRowAdmin):
    """The pages behind the buttons of a customer's page; each needs a permission of its own."""

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and these pages."""
        pages: Pages = {
            "<str:pk>/reset-password/": ("reset_password", self.reset_password),
            "<str:pk>/merge/": ("merge", self.merge),
            "<str:pk>/anonymize/": ("anonymize", self.anonymize),
        }
        return [*paths_of(self, pages), *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The customer's page, with the buttons that the member of staff may press."""
        may = request.user.has_perm
        extra_context = {
            "may_reset_password": may("customers.reset_customer_password"),
            "may_anonymize": may("customers.anonymize_customers"),
            "may_merge": may("customers.merge_customers"),
            **(extra_context or {}),
        }
        return super().changeform_view(request, object_id, form_url, extra_context)

    @customer_view
    def reset_password(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Sends the customer a link to choose a password, or shows it once, unless forgotten."""
        customer = self.customer_for(request, pk, "reset_customer_password")
        how, link = request.POST.get("how"), None
        if customer.is_being_anonymized:
            return self.render_page(request, customer, "no_reset", title="Reset password")
        if how == "mail":
            return self.mail_reset(request, customer)
        if how == "show":
            reset = password_resets.create_reset(customer, actor=actor_of(request))
            link = mails.link_of(reset)
            self.log_change(request, customer, "Was shown a link to choose a new password.")
        return self.render_page(
            request, customer, "reset_password", title="Reset password", link=link
        )

    def mail_reset(self, request: HttpRequest, customer: Customer) -> HttpResponse:
        """Have a reset sent to `customer`, to a guest an invitation; back to the page."""
        kinds = QueuedMail.Kind
        kind = kinds.PASSWORD_RESET if customer.has_password else kinds.INVITATION
        actor = actor_of(request)
        mails.request_reset(customer.email, mode=customer.mode, actor=actor, kind=kind)
        sent = "a link to choose a new password" if customer.has_password else "an invitation"
        self.log_change(request, customer, f"Sent {sent}.")
        if restored_copies.is_held():
            self.message_user(request, f"Not yet sent. {restored_copies.HELD}", messages.WARNING)
        else:
            self.message_user(request, f"The customer is being sent {sent}.")
        return redirect("admin:customers_customer_change", customer.pk)

    @customer_view
    def merge(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Shows what moves from a duplicate to the customer, then merges the two."""
        customer = self.customer_for(request, pk, "merge_customers")
        asked = request.POST if request.method == "POST" else request.GET
        form = DuplicateForm(customer.mode, asked if "duplicate" in asked else None)
        context = {"form": form, "media": self.media + form.media}
        if form.is_valid():
            duplicate = form.cleaned_data["duplicate"]
            try:
                merger = merging.Merger(customer, duplicate)
                if request.method == "POST":
                    return self.merged(request, customer, duplicate)
                context |= _preview(merger)
            except merging.MergeRefusedError as error:
                form.add_error("duplicate", str(error))
        return self.render_page(request, customer, "merge", title="Merge a duplicate", **context)

    def merged(self, request: HttpRequest, customer: Customer, duplicate: Customer) -> HttpResponse:
        """Merge; enter it into both logs, and lead to the customer.

        Raises merging.MergeRefusedError.
        """
        try:
            merging.merge(customer.pk, duplicate.pk, mode=customer.mode, actor=actor_of(request))
        except Customer.DoesNotExist as error:
            raise merging.MergeRefusedError("One of them has just been deleted.") from error
        self.log_change(request, customer, f"Merged the customer {duplicate.pk} into this one.")
        done = "The customers were merged. The audit log says how to undo it."
        self.message_user(request, done)
        return redirect("admin:customers_customer_change", customer.pk)

    @customer_view
    def anonymize(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Shows how far the anonymization is; requests it, or cancels the request."""
        customer = self.customer_for(request, pk, "anonymize_customers")
        trigger, error = request.POST.get("trigger"), None
        if request.method == "POST" and trigger in TRIGGERS:
            principal = principals.staff(request.user, customer.mode)
            try:
                operations.update(customer, principal, {trigger: True})
                self.log_change(request, customer, TRIGGERS[trigger])
                self.message_user(request, TRIGGERS[trigger])
                return redirect("admin:customers_customer_change", customer.pk)
            except operations.WriteRefusedError as refused:
                name, text = refused.errors[0]
                error = f"The anonymization {text}." if name else text
        return self.render_page(request, customer, "anonymize", title="Anonymize", error=error)

    def customer_for(self, request: HttpRequest, pk: str, permission: str) -> Customer:
        """The customer `pk` of the mode at work. Raises PermissionDenied and Http404."""
        if not request.user.has_perm(f"customers.{permission}"):
            raise PermissionDenied
        try:
            return Customer.objects.in_mode(mode_of(request.session)).with_id(pk)
        except Customer.DoesNotExist as error:
            raise Http404("There is no such customer in this mode.") from error

    def render_page(
        self, request: HttpRequest, customer: Customer, name: str, **context: Any
    ) -> HttpResponse:
        """The page templates/admin/actions/`name` of `customer`, which no cache keeps."""
        back = reverse("admin:customers_customer_change", args=[customer.pk])
        return private_page(self, request, name, customer=customer, back=back, **context)


def _preview(merger):
    """What the page of a merger shows."""
    rows = [{model: moved.count()} for model, moved in merger.moving()]
    conflicting = {model: rows.count() for model, rows in merger.conflicting()}
    duplicate = merger.duplicate
    filled = {
        name.removesuffix("_id").replace("_", " "): getattr(duplicate, name.removesuffix("_id"))
        for name in merger.filled
    }
    return {
        "duplicate": duplicate,
        "moving": [text for text in map(counted_rows, rows) if text],
        "conflicting": counted_rows(conflicting),
        "filled": filled,
        "tags": sorted(map(str, merger.tags)),
    }
