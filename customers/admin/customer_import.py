"""Customers from a file: nothing is written before staff have seen what is in it."""

import csv
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods, require_safe

from customers.admin.base import actor_of, log_admin_action
from customers.admin.customer_export import csv_file
from customers.admin.formatting import counted_customers
from customers.admin.login import staff_of
from customers.admin.pages import Pages, action_page, paths_of
from customers.jobs import imports, uploads
from customers.models import Customer, Import, Upload
from customers.resources import operations
from customers.services import principals, spreadsheets
from customers.services.csv_files import ENCODINGS, UTF_8, UnreadableInputError
from customers.services.environments import mode_of
from customers.services.imports import TooManyJobsError

PAGE = method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
TRIGGERS = {"interrupt": ("Stopped", "_interrupt"), "resume": ("Resumed", "_start")}
SAMPLE = 3  # rows that the preview shows
SHOWN = 20  # rows with errors that it shows


class UploadForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label="CSV file",
        widget=forms.FileInput({"accept": ".csv,text/csv"}),
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )


class MappingForm(forms.Form):
    """What each column is; the e-mail addresses must be among them, and nothing twice."""

    def __init__(self, columns: Mapping[int, str], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        guessed, names = uploads.guess_mapping(columns), list(columns.values())
        for at, column in columns.items():
            again = names.count(column) > 1
            self.fields[f"column{at}"] = forms.ChoiceField(
                label=f"{column} (column {at + 1})" if again else column,
                choices=[("", "leave it out"), *uploads.choices_for(column).items()],
                initial=guessed.get(at, ""),
                required=False,
            )
        self.columns = columns

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError where the addresses are missing or something is named twice."""
        chosen = [value for value in self.cleaned_data.values() if value]
        if "email" not in chosen:
            raise forms.ValidationError("Choose the column that has the e-mail address.")
        if twice := sorted({name for name in chosen if chosen.count(name) > 1}):
            label = uploads.choices_for(twice[0])[twice[0]]
            raise forms.ValidationError(f"Two columns are set to {label}.")
        return self.cleaned_data

    @property
    def mapping(self) -> dict[int, str]:
        """The attribute that each column is, by its place, of those that are not left out."""
        found = {at: self.cleaned_data[f"column{at}"] for at in self.columns}
        return {at: name for at, name in found.items() if name}


class ImportMixin(admin.ModelAdmin):
    """The pages of an import: upload, preview, how far it is, and what it refused."""

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and the pages of an import."""
        pages: Pages = {
            "import/": ("import", self.upload),
            "import/<str:pk>/": ("import_preview", self.preview),
            "imports/<str:pk>/": ("import_progress", self.progress),
            "imports/<str:pk>/errors.csv": ("import_errors", self.errors),
        }
        return [*paths_of(self, pages), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, which leads to an import whoever may begin one."""
        may = request.user.has_perm("customers.import_customers")
        return super().changelist_view(request, {"may_import": may, **(extra_context or {})})

    @PAGE
    def upload(self, request: HttpRequest) -> HttpResponse:
        """Takes a file and stores it for the preview."""
        self.check_import(request)
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            content, mode = form.cleaned_data["file"].read(), mode_of(request.session)
            try:
                stored, encoding = uploads.store_upload(content, mode=mode, user=staff_of(request))
                return _to_preview(stored, encoding)
            except UnreadableInputError as error:
                form.add_error("file", f"The file {error}.")
        columns = uploads.attributes()
        return action_page(self, request, "upload", title="Import", form=form, columns=columns)

    @PAGE
    def preview(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Shows what each column is and what is wrong, then begins the import."""
        self.check_import(request)
        upload = self.upload_for(request, pk)
        columns = uploads.columns_of(upload)
        form = MappingForm(columns, request.POST if request.method == "POST" else None)
        if not form.is_bound:
            form = MappingForm(columns, {name: form[name].initial for name in form.fields})
        context, mapping = {}, form.mapping if form.is_valid() else {}
        if mapping and request.POST.get("go") == "import":
            try:
                return self.begin_import(request, upload, mapping)
            except Upload.DoesNotExist as error:
                raise Http404("The file has been imported, or is gone.") from error
            except TooManyJobsError as error:
                form.add_error(None, f"The mode {error}.")
        if mapping:
            context = self.found_in(upload, mapping, request)
        context |= _samples_of(upload, columns, form) | _encoding_of(request)
        return action_page(self, request, "preview", title="What is in the file", **context)

    def upload_for(self, request: HttpRequest, pk: str) -> Upload:
        """The file `pk` of the member of staff's own, in the mode at work. Raises Http404."""
        try:
            mode = mode_of(request.session)
            return Upload.objects.get(pk=pk, mode=mode, user=staff_of(request))
        except (Upload.DoesNotExist, ValueError) as error:
            raise Http404("You have no such file in this mode.") from error

    def found_in(
        self, upload: Upload, mapping: Mapping[int, str], request: HttpRequest
    ) -> dict[str, Any]:
        """The errors of an upload, the first by row and column as a spreadsheet counts them."""
        rows = uploads.cells_in(upload, mapping)
        numbers, given = list(rows), list(rows.values())
        values, actor = uploads.values_in(given), actor_of(request)
        found, is_all = imports.faults("customers", values, mode=upload.mode, actor=actor)
        columns = uploads.columns_of(upload)
        named = {name: columns[at] for at, name in mapping.items()}
        told = [
            (numbers[at], named.get(name, name), message, given[at].get(name, ""))
            for at, errors in found[:SHOWN]
            for name, message in errors
        ]
        return {"told": told, "wrong": len(found), "shown": SHOWN, "is_all": is_all}

    def begin_import(
        self, request: HttpRequest, upload: Upload, mapping: Mapping[int, str]
    ) -> HttpResponse:
        """Begin the import, and lead to its page.

        Raises Upload.DoesNotExist where another has begun it, and TooManyJobsError.
        """
        job = uploads.begin_upload_import(upload, mapping, actor=actor_of(request))
        began = f"Began the import of {counted_customers(job.inputs_size)}."
        log_admin_action(request, ADDITION, began, Customer)
        return redirect("admin:customers_customer_import_progress", job.pk)

    @PAGE
    def progress(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Shows how far an import is; lets it stop, and resume where it stopped."""
        job = self.job_for(request, pk)
        if request.method == "POST":
            self.fire_trigger(request, job)
            return redirect("admin:customers_customer_import_progress", pk)
        return action_page(self, request, "import", title="Import", job=job)

    def fire_trigger(self, request: HttpRequest, job: Import) -> None:
        """Stop or resume `job`, as asked; say why not where it has meanwhile ended."""
        move = TRIGGERS.get(request.POST.get("move", ""))
        if move is None:
            raise BadRequest("There is no such move.")
        did, trigger = move
        try:
            operations.update(job, principals.staff(request.user, job.mode), {trigger: True})
        except operations.WriteRefusedError:
            self.message_user(request, "The import has moved on meanwhile.", messages.WARNING)
        else:
            log_admin_action(request, CHANGE, f"{did} the import {job.pk}.", Customer)

    @method_decorator(require_safe)
    def errors(self, request: HttpRequest, pk: str) -> HttpResponse:
        """The file of what an import refused: which row, whose, which column, and what is wrong."""
        job = self.job_for(request, pk)
        response = csv_file(f"errors-{job.pk}.csv")
        lines = csv.writer(response)
        lines.writerow(["row", "customer", "column", "error"])
        for number, *texts in job.refusals:
            lines.writerow([number, *(spreadsheets.defused(text or "") for text in texts)])
        return response

    def job_for(self, request: HttpRequest, pk: str) -> Import:
        """The import `pk` of the mode at work. Raises PermissionDenied and Http404."""
        self.check_import(request)
        try:
            jobs = Import.objects.in_mode(mode_of(request.session))
            return jobs.filter(resource_type="customers").with_id(pk)
        except Import.DoesNotExist as error:
            raise Http404("There is no such import in this mode.") from error

    def check_import(self, request: HttpRequest) -> None:
        """Raise PermissionDenied for who may not import."""
        if not request.user.has_perm("customers.import_customers"):
            raise PermissionDenied


def _to_preview(upload, encoding):
    """The way to the preview of an `upload`, which says how it was read where that may be wrong."""
    query = {} if encoding == UTF_8 else {"encoding": encoding}
    return redirect(
        reverse("admin:customers_customer_import_preview", args=[upload.pk], query=query)
    )


def _encoding_of(request):
    """What the address of a preview says about how its file was read."""
    encoding = request.GET.get("encoding")
    return {"encoding": encoding if encoding in ENCODINGS else None}


def _samples_of(upload, columns, form):
    """What the preview shows of an upload: its `form`, beside it the first cells; how many rows."""
    rows = uploads.cells_in(upload, {at: f"column{at}" for at in columns})
    first = list(rows.values())[:SAMPLE]
    fields = [(field, [row.get(field.name, "") for row in first]) for field in form]
    return {"form": form, "fields": fields, "total": counted_customers(len(rows))}
