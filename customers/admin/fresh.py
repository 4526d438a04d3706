"""Pages of rows that others change, too: each action works on the locked row as it is now."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, ProtectedError, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from customers.admin.conflicts import VERSION, FreshForm, PageVersion
from customers.admin.pages import Actions
from customers.models import Customer, DeletionRefusedError
from customers.services import row_history
from customers.services.environments import mode_of
from customers.services.transactions import ConcurrentUpdateError, retry_on_conflict

Row = TypeVar("Row", bound=Model)

BUSY = "Someone else is changing this right now. Nothing was changed; save again."


class StalePageError(Exception):
    """What a page shows no longer exists, and nothing is written; gone.html knows the `reason`."""

    def __init__(self, reason: str, **context: Any) -> None:
        super().__init__(reason)
        self.context = {"reason": reason, **context}


class FreshRowAdmin(admin.ModelAdmin, Generic[Row]):
    """Pages that write their changes to the locked row, and say so when there is none any more."""

    actions: Actions = ["delete_selected"]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Row:
        """The row. Raises Http404 where there is none, as the API does."""
        row = super().get_object(request, object_id, from_field)
        if row is None:
            raise Http404(f"There is no such {self.opts.verbose_name} in this mode.")
        return row

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        """The form; that of a row carries what it shows, and the state of the row's customers."""
        form, states = super().get_form(request, obj, change=change, **kwargs), {}
        if obj is not None and kwargs.get("fields"):
            states = self._states_shown(obj)
        return type(
            form.__name__,
            (FreshForm, form),
            {"page_customers": states, "is_of_row": obj is not None},
        )

    def _states_shown(self, row):
        """The states of the customers of `row`, which is read again if they have just changed."""
        owners = row_history.owners_of(row)
        states = row_history.states_of(owners)
        if len(states) < len(owners) or any(begun for begun, _ in states.values()):
            with suppress(type(row).DoesNotExist):
                row.refresh_from_db()
        return states

    def locked(self, row: Row, data: Mapping[str, str]) -> Row:
        """`row`, locked and read again. Raises its DoesNotExist and ConcurrentUpdateError."""
        return self.model.objects.select_for_update(of=("self",)).get(pk=row.pk)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form, or the answer to it; a change is retried after a collision."""
        view = partial(super().changeform_view, request, object_id, form_url, extra_context)
        if object_id is None and request.method == "POST":
            return retry_on_conflict(lambda: self._lock_and_add(request, view))
        if object_id is None:
            return view()
        return self._of_row(request, object_id, view, checks=True)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        view = partial(super().delete_view, request, object_id, extra_context)
        try:
            return self._of_row(request, object_id, view)
        except (DeletionRefusedError, ProtectedError) as error:
            self.message_user(request, self._why_refused(error), messages.ERROR)
            return HttpResponseRedirect(self._page_of(object_id))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        view = partial(super().history_view, request, object_id, extra_context)
        return self._of_row(request, object_id, view)

    def _of_row(self, request, object_id, view, checks=False):
        """What `view` answers about the row; all it writes is written, or nothing.

        With `checks` it is the form that writes: its page must not be out of date.
        """
        try:
            if request.method != "POST":
                return view()
            return retry_on_conflict(lambda: self._lock_and_view(request, object_id, view, checks))
        except StalePageError as stale:
            return self._gone_page(request, object_id, status=409, **stale.context)
        except ConcurrentUpdateError:
            self.message_user(request, BUSY, messages.ERROR)
            return HttpResponseRedirect(self._page_of(object_id))
        except Http404:
            return self.gone(request, object_id)

    def _lock_and_add(self, request, view):
        with transaction.atomic():
            self.lock_named(request.POST)
            return view()

    def lock_named(self, data: Mapping[str, str]) -> None:
        """Lock what a new row of `data` is to belong to."""

    def _lock_and_view(self, request, object_id, view, checks):
        """What `view` answers, after the row's customers and the row are locked."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        with transaction.atomic():
            row = self.get_object(request, unquote(object_id))
            try:
                row = self.locked(row, request.POST)
            except self.model.DoesNotExist as error:
                raise Http404("The row has just been deleted.") from error
            if checks:
                self._check_open(row, PageVersion.read(request.POST.get(VERSION), row))
            return view()

    def _check_open(self, row, version):
        """Raise StalePageError where a page of `version`, None if unknown, may not write `row`."""
        states = row_history.states_of(row_history.owners_of(row))
        shown = version.customers if version else {}
        for pk in shown.keys() - states.keys():
            if not Customer.objects.filter(pk=pk).exists():
                raise StalePageError(
                    "customer_gone", customer_end=self._end_of(Customer, pk, row.mode)
                )
        for pk, (begun, merger) in states.items():
            _, known_merger = shown.get(pk, (begun, merger))
            if begun:
                raise StalePageError("anonymized", customer=Customer.objects.get(pk=pk))
            if merger != known_merger:
                raise StalePageError("grown", customer=Customer.objects.get(pk=pk))

    def _end_of(self, model, pk, mode):
        """What gone.html says about the row `pk` of `model`, {} where the log says nothing."""
        end = row_history.end_of(model._meta.db_table, pk, mode=mode)
        if end is None:
            return {}
        target = Customer.objects.in_mode(mode).filter(pk=end.merged_into).first()
        return {"end": end, "target": target, "is_merged": end.merged_into is not None}

    def gone(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The answer about a row that is not there: 404, or 409 to a page that was to be saved."""
        pk, mode = unquote(object_id), mode_of(request.session)
        known = {}
        if hasattr(self.model, "mode") and self.has_view_or_change_permission(request):
            known = self._end_of(self.model, pk, mode)
        was_open = PageVersion.read(request.POST.get(VERSION), self.model(pk=pk)) is not None
        status = 409 if was_open else 404
        return self._gone_page(request, object_id, status=status, reason="gone", **known)

    def _gone_page(self, request, object_id, *, status, **context):
        context |= {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "This no longer exists" if status == 404 else "Nothing was saved",
            "name": self.opts.verbose_name,
            "was_sent": request.method == "POST",
            "sees_customers": request.user.has_perm("customers.view_customer"),
            "page": self._page_of(object_id),
            "list": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }
        response = TemplateResponse(request, "admin/gone.html", context, status=status)
        add_never_cache_headers(response)
        return response

    def _page_of(self, object_id):
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[object_id])

    def save_model(self, request: HttpRequest, row: Row, form: ModelForm, change: bool) -> None:
        """Save a new `row`, or of an old one, locked, what was changed in the form."""
        if not change:
            row.save(force_insert=True)
            return
        columns = self.columns_of(form)
        if columns:
            fresh = self.model.objects.get(pk=row.pk)
            for name in columns:
                setattr(fresh, name, getattr(row, name))
            fresh.save(update_fields=columns)

    @staticmethod
    def columns_of(form: ModelForm) -> list[str]:
        """The names of the columns that `form` changes."""
        fields = {field.name for field in form.instance._meta.concrete_fields}
        return [name for name in form.changed_data if name in fields]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        """The form; 409 where it asks about conflicts."""
        form = context["adminform"].form
        conflicts = context["conflicts"] = form.conflicts
        if conflicts and form.has_only_conflicts:
            context["errors"] = None
        response = super().render_change_form(request, context, add, change, form_url, obj)
        if conflicts:
            response.status_code = 409
        return response

    @admin.action(permissions=["delete"], description="Delete selected %(verbose_name_plural)s")
    def delete_selected(self, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
        """As Django's, but all or nothing, and retried after a collision."""
        if not request.POST.get("post"):
            return delete_selected(self, request, rows)
        try:
            return retry_on_conflict(lambda: self._delete_selected(request, rows))
        except (DeletionRefusedError, ProtectedError) as error:
            self.message_user(request, self._why_refused(error), messages.ERROR)
        except (ConcurrentUpdateError, self.model.DoesNotExist):
            self.message_user(request, BUSY, messages.ERROR)
        return None

    def _delete_selected(self, request, rows):
        with transaction.atomic():
            return delete_selected(self, request, rows.all())

    @staticmethod
    def _why_refused(error):
        if isinstance(error, ProtectedError):
            return "Nothing was deleted: something that needs it has just been created."
        return f"Nothing was deleted: {error}."
