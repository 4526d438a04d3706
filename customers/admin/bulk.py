"""Doing one thing to all the customers that are selected, or that a list's filters find."""

from dataclasses import dataclass

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from customers.admin.base import log_admin_action, who_is
from customers.jobs import bulk
from customers.models import BulkAct, Customer, CustomerGroup, Tag
from customers.services.environments import mode_of

Kind = BulkAct.Kind
SAMPLE = 8  # customers that the confirmation names


class TagsForm(forms.Form):
    """Which tags: those of the mode at work."""

    tags = forms.ModelMultipleChoiceField(Tag.objects.none())

    def __init__(self, mode, *args, **options):
        super().__init__(*args, **options)
        self.fields["tags"].queryset = Tag.objects.in_mode(mode)
        field = Customer._meta.get_field("tags")
        self.fields["tags"].widget = AutocompleteSelectMultiple(field, admin.site)
        self.fields["tags"].widget.choices = self.fields["tags"].choices

    @property
    def options(self):
        return {"tags": ",".join(sorted(tag.name for tag in self.cleaned_data["tags"]))}

    @property
    def named(self):
        names = [tag.name for tag in self.cleaned_data["tags"]]
        return f"tag{'s' * (len(names) > 1)} {', '.join(sorted(names))}"


class GroupForm(forms.Form):
    """Which group: one of the mode at work, or none."""

    customer_group = forms.ModelChoiceField(
        CustomerGroup.objects.none(), label="Group", required=False, empty_label="no group"
    )

    def __init__(self, mode, *args, **options):
        super().__init__(*args, **options)
        self.fields["customer_group"].queryset = CustomerGroup.objects.in_mode(mode)
        field = Customer._meta.get_field("customer_group")
        self.fields["customer_group"].widget = AutocompleteSelect(
            field, admin.site, {"data-placeholder": "no group"}
        )
        self.fields["customer_group"].widget.choices = self.fields["customer_group"].choices

    @property
    def options(self):
        group = self.cleaned_data["customer_group"]
        return {"customer_group": group and group.pk}

    @property
    def named(self):
        group = self.cleaned_data["customer_group"]
        return f"group {group.name}" if group else "no group"


class NothingForm(forms.Form):
    """There is nothing to choose."""

    options, named = {}, ""

    def __init__(self, mode, *args, **options):
        super().__init__(*args, **options)


@dataclass(frozen=True)
class ActionText:
    """What an act is called: a title, what will happen, a button, and what has happened."""

    form: type
    title: str
    will: str
    button: str
    did: str


WORDINGS = {
    Kind.ADD_TAGS: ActionText(
        TagsForm, "Add tags", "The tags are put on each beside those it has.", "Add to", "Added {}"
    ),
    Kind.REMOVE_TAGS: ActionText(
        TagsForm,
        "Remove tags",
        "The tags are taken off each that carries them.",
        "Remove from",
        "Removed {}",
    ),
    Kind.SET_GROUP: ActionText(
        GroupForm,
        "Set the group",
        "Each leaves the group it is in, and belongs to the one you choose.",
        "Set for",
        "Set {}",
    ),
    Kind.SEND_RESET: ActionText(
        NothingForm,
        "Send a password reset",
        "Each registered customer is mailed a link to choose a new password. Guests, who have no "
        "password, are passed over.",
        "Send to",
        "Sent a link to choose a new password",
    ),
    Kind.SEND_INVITATION: ActionText(
        NothingForm,
        "Send an invitation",
        "Each guest is mailed a link to choose a password, and so to register. Who is registered "
        "already is passed over.",
        "Send to",
        "Sent an invitation",
    ),
    Kind.REQUEST_ANONYMIZATION: ActionText(
        NothingForm,
        "Request anonymization",
        "All that tells who they are is taken out of each customer and what hangs on it, for "
        "ever. It waits a while, in which each request can be cancelled on the customer's page.",
        "Request for",
        "Requested anonymization",
    ),
}


PLACES = {
    Kind.REMOVE_TAGS: "from",
    Kind.SET_GROUP: "for",
    Kind.REQUEST_ANONYMIZATION: "for",
}


def counted(number):
    return f"{number:,} customer{'s' * (number != 1)}"


class BulkActs:
    """The actions of the customers' list. Each asks first: what is to happen to how many."""

    actions = [
        "delete_selected",
        "add_tags",
        "remove_tags",
        "set_group",
        "send_reset",
        "send_invitation",
        "export_csv",
        "request_anonymization",
    ]

    @admin.action(description="Add tags…", permissions=["change"])
    def add_tags(self, request, customers):
        return self.ask(request, customers, Kind.ADD_TAGS)

    @admin.action(description="Remove tags…", permissions=["change"])
    def remove_tags(self, request, customers):
        return self.ask(request, customers, Kind.REMOVE_TAGS)

    @admin.action(description="Set the group…", permissions=["change"])
    def set_group(self, request, customers):
        return self.ask(request, customers, Kind.SET_GROUP)

    @admin.action(description="Send a password reset…", permissions=["reset_password"])
    def send_reset(self, request, customers):
        return self.ask(request, customers, Kind.SEND_RESET)

    @admin.action(description="Send an invitation…", permissions=["invite"])
    def send_invitation(self, request, customers):
        return self.ask(request, customers, Kind.SEND_INVITATION)

    @admin.action(description="Request anonymization…", permissions=["anonymize"])
    def request_anonymization(self, request, customers):
        return self.ask(request, customers, Kind.REQUEST_ANONYMIZATION)

    def has_anonymize_permission(self, request):
        return request.user.has_perm("customers.anonymize_customers")

    def has_reset_password_permission(self, request):
        return request.user.has_perm("customers.reset_customer_password")

    def has_invite_permission(self, request):
        return request.user.has_perm("customers.invite_customers")

    def get_urls(self):
        page = self.admin_site.admin_view(self.bulk_act)
        return [
            path("bulk/<str:pk>/", page, name="customers_customer_bulk_act"),
            *super().get_urls(),
        ]

    def ask(self, request, customers, kind):
        """The page that asks; when it was answered, the act is begun. None where it is done."""
        mode, wording = mode_of(request.session), WORDINGS[kind]
        customers = customers.filter(mode=mode)
        total, confirmed = customers.count(), request.POST.get("confirmed")
        form = wording.form(mode, request.POST if confirmed is not None else None)
        changed = confirmed is not None and confirmed != str(total)
        if form.is_valid() and not changed:
            return self.begin(request, customers, kind, form)
        return self.show_question(request, customers, kind, form, total=total, changed=changed)

    def begin(self, request, customers, kind, form):
        """Begin the act, and finish it where it is small enough to wait for."""
        ids = customers.order_by().values_list("pk", flat=True).iterator()
        act = bulk.begin(
            ids,
            kind,
            mode=mode_of(request.session),
            actor=who_is(request),
            options=form.options,
        )
        wording, named = WORDINGS[kind], f" ({form.named})" if form.named else ""
        began = f"Began “{wording.title}”{named} for {counted(act.total)}, act {act.pk}."
        entry = log_admin_action(request, CHANGE, began, Customer)
        if act.total > bulk.AT_ONCE:
            return redirect("admin:customers_customer_bulk_act", act.pk)
        act = bulk.finish(act)
        did, place = wording.did.format(form.named), PLACES.get(kind, "to")
        sentences = [f"{did} {place} {counted(act.done)}."]
        sentences += [
            f"Not {place} {counted(number)}: {sentence}"
            for sentence, number in sorted(act.refusals.items())
        ]
        entry.change_message = " ".join(sentences)
        entry.save(update_fields=["change_message"])
        done, *refused = sentences
        self.message_user(request, done)
        for sentence in refused:
            self.message_user(request, sentence, messages.WARNING)
        return None

    def show_question(self, request, customers, kind, form, *, total, changed):
        registered = customers.exclude(password=None).count()
        across = request.POST.get("select_across") == "1"
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": WORDINGS[kind].title,
            "wording": WORDINGS[kind],
            "form": form,
            "media": self.media + form.media,
            "action": kind.value,
            "total": total,
            "customers": counted(total),
            "changed": changed,
            "registered": registered,
            "guests": total - registered,
            "sample": customers.order_by("pk")[:SAMPLE],
            "more": max(0, total - SAMPLE),
            "across": across,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "in_background": total > bulk.AT_ONCE,
            "here": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/acts/confirm.html", context)

    def bulk_act(self, request, pk):
        """How far a bulk act has come; the page looks again by itself."""
        try:
            act = BulkAct.objects.get(pk=pk, mode=mode_of(request.session))
        except (BulkAct.DoesNotExist, ValueError) as error:
            raise Http404("There is no such act in this mode.") from error
        if not self.has_view_permission(request):
            raise Http404("There is no such act in this mode.")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": act.get_kind_display(),
            "act": act,
            "reached": act.done + act.refused,
            "list": reverse("admin:customers_customer_changelist"),
        }
        return TemplateResponse(request, "admin/acts/progress.html", context)
