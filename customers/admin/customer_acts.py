"""What staff do to one customer: a new password, and making one of two."""

from functools import wraps

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from customers.admin.base import who_is
from customers.jobs import mails, merging
from customers.models import Customer, CustomerSubscription, QueuedMail
from customers.resources import operations
from customers.services import password_resets, principals
from customers.services.environments import mode_of
from customers.services.row_changes import counted

TRIGGERS = {  # and what is told of each
    "_request_anonymization": "Requested the anonymization of this customer.",
    "_cancel_anonymization": "Cancelled the anonymization of this customer.",
}


def page(act):
    """A page of the customer `pk`; where there is none, the one that says what became of it."""

    @wraps(act)
    def view(self, request, pk):
        try:
            return act(self, request, pk)
        except Http404:
            return self.gone(request, pk)

    return method_decorator(require_http_methods(["GET", "HEAD", "POST"]))(view)


class SpareForm(forms.Form):
    """The double that goes: a customer of the mode at work."""

    spare = forms.ModelChoiceField(
        Customer.objects.none(),
        label="The double",
        error_messages={"invalid_choice": "There is no such customer in this mode."},
    )

    def __init__(self, mode, *args, **options):
        super().__init__(*args, **options)
        self.fields["spare"].queryset = Customer.objects.in_mode(mode)
        field = CustomerSubscription._meta.get_field("customer")
        self.fields["spare"].widget = AutocompleteSelect(field, admin.site)
        self.fields["spare"].widget.choices = self.fields["spare"].choices


class CustomerActs:
    """The pages behind the buttons of a customer's page; each needs a permission of its own."""

    def get_urls(self):
        pages = {
            "reset-password": self.reset_password,
            "merge": self.merge,
            "anonymize": self.anonymize,
        }
        return [
            *(
                path(
                    f"<str:pk>/{name}/",
                    self.admin_site.admin_view(view),
                    name=f"customers_customer_{name.replace('-', '_')}",
                )
                for name, view in pages.items()
            ),
            *super().get_urls(),
        ]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        may = request.user.has_perm
        extra_context = {
            "may_reset_password": may("customers.reset_customer_password"),
            "may_anonymize": may("customers.anonymize_customers"),
            "may_merge": may("customers.merge_customers"),
            **(extra_context or {}),
        }
        return super().changeform_view(request, object_id, form_url, extra_context)

    @page
    def reset_password(self, request, pk):
        """Mails the customer a link to choose a password, or shows it once, unless forgotten."""
        customer = self.customer_for(request, pk, "reset_customer_password")
        how, link = request.POST.get("how"), None
        if customer.is_being_anonymized:
            return self.act_page(request, customer, "no_reset", title="Reset password")
        if how == "mail":
            kinds = QueuedMail.Kind
            kind = kinds.PASSWORD_RESET if customer.has_password else kinds.INVITATION
            actor = who_is(request)
            mails.request_reset(customer.email, mode=customer.mode, actor=actor, kind=kind)
            sent = "a link to choose a new password" if customer.has_password else "an invitation"
            self.log_change(request, customer, f"Mailed {sent}.")
            self.message_user(request, f"The customer is being mailed {sent}.")
            return redirect("admin:customers_customer_change", customer.pk)
        if how == "show":
            reset = password_resets.begin(customer, actor=who_is(request))
            link = mails.link_of(reset)
            self.log_change(request, customer, "Was shown a link to choose a new password.")
        return self.act_page(request, customer, "reset_password", title="Reset password", link=link)

    @page
    def merge(self, request, pk):
        """Shows what moves from a double to the customer, then makes one of the two."""
        customer = self.customer_for(request, pk, "merge_customers")
        asked = request.POST if request.method == "POST" else request.GET
        form = SpareForm(customer.mode, asked if "spare" in asked else None)
        context = {"form": form, "media": self.media + form.media}
        if form.is_valid():
            spare = form.cleaned_data["spare"]
            try:
                merger = merging.Merger(customer, spare)
                if request.method == "POST":
                    return self.merged(request, customer, spare)
                context |= _preview(merger)
            except merging.MergeRefusedError as error:
                form.add_error("spare", str(error))
        return self.act_page(request, customer, "merge", title="Merge a double", **context)

    def merged(self, request, customer, spare):
        """Merge; say so in both logs, and lead to what has come out.

        Raises merging.MergeRefusedError.
        """
        try:
            merging.merge(customer.pk, spare.pk, mode=customer.mode, actor=who_is(request))
        except Customer.DoesNotExist as error:
            raise merging.MergeRefusedError("One of them has just been deleted.") from error
        self.log_change(request, customer, f"Merged the customer {spare.pk} into this one.")
        self.message_user(request, "The two are one now. The audit log says how to undo it.")
        return redirect("admin:customers_customer_change", customer.pk)

    @page
    def anonymize(self, request, pk):
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
        return self.act_page(request, customer, "anonymize", title="Anonymize", error=error)

    def customer_for(self, request, pk, permission):
        """The customer `pk` of the mode at work. Raises PermissionDenied and Http404."""
        if not request.user.has_perm(f"customers.{permission}"):
            raise PermissionDenied
        try:
            return Customer.objects.in_mode(mode_of(request.session)).with_id(pk)
        except Customer.DoesNotExist as error:
            raise Http404("There is no such customer in this mode.") from error

    def act_page(self, request, customer, name, **context):
        context |= {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "customer": customer,
            "back": reverse("admin:customers_customer_change", args=[customer.pk]),
        }
        response = TemplateResponse(request, f"admin/acts/{name}.html", context)
        add_never_cache_headers(response)
        return response


def _preview(merger):
    """What the page of a merger shows."""
    rows = [{model: moved.count()} for model, moved in merger.moving()]
    doubles = {model: rows.count() for model, rows in merger.conflicting()}
    spare = merger.duplicate
    filled = {
        name.removesuffix("_id").replace("_", " "): getattr(spare, name.removesuffix("_id"))
        for name in merger.filled
    }
    return {
        "spare": spare,
        "moving": [text for text in map(counted, rows) if text],
        "doubles": counted(doubles),
        "filled": filled,
        "tags": sorted(map(str, merger.tags)),
    }
