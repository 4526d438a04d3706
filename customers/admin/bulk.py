"""Bulk actions in the customers' list: to those that are selected, or that its filters find."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from customers.admin.base import actor_of, log_admin_action
from customers.admin.fields import offered
from customers.admin.formatting import counted_customers
from customers.admin.pages import Actions
from customers.jobs import bulk
from customers.jobs.bulk_actions import ACTIONS, BulkAction
from customers.models import BulkAct, Customer, CustomerGroup, Tag
from customers.services.environments import mode_of

SAMPLE = 8  # customers that the confirmation names


class ChoiceForm(forms.Form):
    """What a bulk action asks for before it begins: as it stands, nothing."""

    def __init__(self, mode: str, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)

    @property
    def options(self) -> dict[str, str | None]:
        """The action's options."""
        return {}

    @property
    def chosen(self) -> str:
        """What was chosen, in words."""
        return ""


class TagsForm(ChoiceForm):
    """Which tags: those of the mode at work."""

    tags = forms.ModelMultipleChoiceField(Tag.objects.none())

    def __init__(self, mode: str, *args: Any, **options: Any) -> None:
        super().__init__(mode, *args, **options)
        tags = offered(self, "tags", Tag.objects.in_mode(mode))
        tags.widget = AutocompleteSelectMultiple(Customer._meta.get_field("tags"), admin.site)
        tags.widget.choices = tags.choices

    @property
    def options(self) -> dict[str, str | None]:
        """The action's options."""
        return {"tags": ",".join(self._names)}

    @property
    def chosen(self) -> str:
        """What was chosen, in words."""
        return f"tag{'s' * (len(self._names) > 1)} {', '.join(self._names)}"

    @property
    def _names(self) -> list[str]:
        return sorted(tag.name for tag in self.cleaned_data["tags"])


class GroupForm(ChoiceForm):
    """Which group: one of the mode at work, or none."""

    customer_group = forms.ModelChoiceField(
        CustomerGroup.objects.none(), label="Group", required=False, empty_label="no group"
    )

    def __init__(self, mode: str, *args: Any, **options: Any) -> None:
        super().__init__(mode, *args, **options)
        group = offered(self, "customer_group", CustomerGroup.objects.in_mode(mode))
        key = Customer._meta.get_field("customer_group")
        group.widget = AutocompleteSelect(key, admin.site, {"data-placeholder": "no group"})
        group.widget.choices = group.choices

    @property
    def options(self) -> dict[str, str | None]:
        """The action's options."""
        group = self.cleaned_data["customer_group"]
        return {"customer_group": group and group.pk}

    @property
    def chosen(self) -> str:
        """What was chosen, in words."""
        group = self.cleaned_data["customer_group"]
        return group.name if group else "none"


FORMS: dict[str | None, type[ChoiceForm]] = {
    None: ChoiceForm,
    "tags": TagsForm,
    "customer_group": GroupForm,
}


def admin_action(action: BulkAction) -> Callable[..., HttpResponse | None]:
    """The function by which the admin's list offers `action`."""

    @admin.action(description=f"{action.title}…")
    def ask(
        model_admin: "BulkActionsMixin", request: HttpRequest, customers: QuerySet[Customer]
    ) -> HttpResponse | None:
        return model_admin.ask(request, customers, action)

    ask.__name__ = action.kind
    return ask


class BulkActionsMixin(admin.ModelAdmin):
    """The actions of the customers' list. Each asks first: what is to happen to how many."""

    actions: Actions = ["delete_selected", *map(admin_action, ACTIONS.values()), "export_csv"]

    def get_actions(
        self, request: HttpRequest, action_location: Any = None
    ) -> dict[str, tuple[Callable[..., str], str, str] | None]:
        """Those that the member of staff may do; Django 6.1 says where they are offered."""
        where = {"action_location": action_location} if action_location else {}
        return {
            name: found
            for name, found in super().get_actions(request, **where).items()
            if name not in ACTIONS or request.user.has_perm(ACTIONS[name].permission)
        }

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and the page of an action under way."""
        page = self.admin_site.admin_view(self.bulk_act)
        return [
            path("bulk/<str:pk>/", page, name="customers_customer_bulk_act"),
            *super().get_urls(),
        ]

    def ask(
        self, request: HttpRequest, customers: QuerySet[Customer], action: BulkAction
    ) -> HttpResponse | None:
        """The page that asks; once confirmed, the action begins. None where it is done."""
        mode = mode_of(request.session)
        customers = customers.filter(mode=mode)
        total, confirmed = customers.count(), request.POST.get("confirmed")
        sent = request.POST if confirmed is not None else None
        form = FORMS[action.chooses](mode, sent)
        changed = confirmed is not None and confirmed != str(total)
        if form.is_valid() and not changed:
            return self.begin(request, customers, action, form)
        return self.show_question(request, customers, action, form, total=total, changed=changed)

    def begin(
        self,
        request: HttpRequest,
        customers: QuerySet[Customer],
        action: BulkAction,
        form: ChoiceForm,
    ) -> HttpResponse | None:
        """Begin the action, and finish it where it is small enough to wait for."""
        ids = customers.order_by().values_list("pk", flat=True).iterator()
        act = bulk.begin_bulk_act(
            ids,
            action.kind,
            mode=mode_of(request.session),
            actor=actor_of(request),
            options=form.options,
        )
        chosen = f" ({form.chosen})" if form.chosen else ""
        began = (
            f"Began “{action.title}”{chosen} for {counted_customers(act.total)}, action {act.pk}."
        )
        entry = log_admin_action(request, CHANGE, began, Customer)
        if act.total > bulk.AT_ONCE:
            return redirect("admin:customers_customer_bulk_act", act.pk)
        done, *skipped = sentences = _sentences(action, bulk.finish(act), form.chosen)
        entry.change_message = " ".join(sentences)
        entry.save(update_fields=["change_message"])
        self.message_user(request, done)
        for sentence in skipped:
            self.message_user(request, sentence, messages.WARNING)
        return None

    def show_question(
        self,
        request: HttpRequest,
        customers: QuerySet[Customer],
        action: BulkAction,
        form: ChoiceForm,
        *,
        total: int,
        changed: bool,
    ) -> HttpResponse:
        """The page that tells what would happen to whom, with a form of what is to be chosen."""
        registered = customers.exclude(password=None).count()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": action.title,
            "action": action,
            "button": action.button.format(customers=counted_customers(total)),
            "form": form,
            "media": self.media + form.media,
            "total": total,
            "customers": counted_customers(total),
            "changed": changed,
            "registered": registered,
            "guests": total - registered,
            "sample": customers.order_by("pk")[:SAMPLE],
            "more": max(0, total - SAMPLE),
            "across": request.POST.get("select_across") == "1",
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "in_background": total > bulk.AT_ONCE,
            "here": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/actions/confirm.html", context)

    def bulk_act(self, request: HttpRequest, pk: str) -> HttpResponse:
        """How far an action has come; the page reloads by itself. Raises Http404."""
        try:
            act = BulkAct.objects.get(pk=pk, mode=mode_of(request.session))
        except (BulkAct.DoesNotExist, ValueError) as error:
            raise Http404("There is no such action in this mode.") from error
        if not self.has_view_permission(request):
            raise Http404("There is no such action in this mode.")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": ACTIONS[act.kind].title,
            "act": act,
            "reached": act.done + act.refused,
            "list": reverse("admin:customers_customer_changelist"),
        }
        return TemplateResponse(request, "admin/actions/progress.html", context)


def _sentences(action: BulkAction, act: BulkAct, chosen: str) -> list[str]:
    """What was done to how many, and how many were skipped for which reason."""
    done = action.done.format(customers=counted_customers(act.done), chosen=chosen)
    skipped = sorted(act.refusals.items())
    return [
        done,
        *(f"{counted_customers(number)} skipped: {reason}." for reason, number in skipped),
    ]
