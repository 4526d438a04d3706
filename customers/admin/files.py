"""Customers from a file and into one: nothing is written before staff have seen what is in it."""

import csv
import gzip

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods, require_safe

from customers.admin.base import log_admin_action, who_is
from customers.admin.bulk import counted
from customers.admin.filters import filters_from_query
from customers.db.fields import instant
from customers.jobs import bulk, exports, imports, spreadsheets, uploads
from customers.models import Customer, Export, Import, Upload
from customers.resources import operations
from customers.services import principals
from customers.services.environments import mode_of

PAGE = method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
TRIGGERS = {"interrupt": ("Stopped", "_interrupt"), "resume": ("Resumed", "_start")}
SAMPLE = 3  # rows that the preview shows
EXPORTED = [
    "id",
    "email",
    "registered",
    "status",
    "total_orders_count",
    "customer_group",
    "tags",
    "reference",
    "reference_origin",
    "created_at",
]

FIELDS = [  # the same, as exports name them; a group and tags are JSON there
    *("id", "email", "has_password", "status", "total_orders_count"),
    *("customer_group.name", "tags.name", "reference", "reference_origin", "created_at"),
]


class UploadForm(forms.Form):
    file = forms.FileField(
        label="CSV file",
        widget=forms.FileInput({"accept": ".csv,text/csv"}),
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )


class MeaningForm(forms.Form):
    """What each column is; the addresses must be among them, and nothing twice."""

    def __init__(self, columns, *args, **options):
        super().__init__(*args, **options)
        guessed = uploads.guess(columns)
        for number, column in enumerate(columns):
            self.fields[f"column{number}"] = forms.ChoiceField(
                label=column,
                choices=[("", "leave it out"), *uploads.COLUMNS.items()],
                initial=guessed.get(column, ""),
                required=False,
            )
        self.columns = columns

    def clean(self):
        chosen = [value for value in self.cleaned_data.values() if value]
        if "email" not in chosen:
            raise forms.ValidationError("Say which column has the e-mail address.")
        if twice := sorted({name for name in chosen if chosen.count(name) > 1}):
            raise forms.ValidationError(f"Two columns are said to be {uploads.COLUMNS[twice[0]]}.")
        return self.cleaned_data

    @property
    def meaning(self):
        found = {column: self.cleaned_data[f"column{at}"] for at, column in enumerate(self.columns)}
        return {column: name for column, name in found.items() if name}


class Files:
    """Pages of the customers' list: import, how far it is, what it refused; and an export."""

    def get_urls(self):
        pages = {
            "import/": (self.upload, "import"),
            "import/<str:pk>/": (self.preview, "import_preview"),
            "imports/<str:pk>/": (self.progress, "import_progress"),
            "imports/<str:pk>/errors.csv": (self.errors, "import_errors"),
            "exports/<str:pk>/": (self.export_progress, "export_progress"),
            "exports/<str:pk>/customers.csv": (self.export_file, "export_file"),
        }
        return [
            *(
                path(route, self.admin_site.admin_view(view), name=f"customers_customer_{name}")
                for route, (view, name) in pages.items()
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        may = request.user.has_perm("customers.import_customers")
        return super().changelist_view(request, {"may_import": may, **(extra_context or {})})

    def has_export_permission(self, request):
        return request.user.has_perm("customers.export_customers")

    @admin.action(description="Export CSV…", permissions=["export"])
    def export_csv(self, request, customers):
        """Asks, then answers a file; its cells are no formulas to a spreadsheet.

        What is too large to wait for becomes an export in the background.
        """
        customers = customers.filter(mode=mode_of(request.session))
        total = customers.count()
        confirmed = request.POST.get("confirmed") == str(total)
        if not confirmed or total > settings.MAX_EXPORT_RECORDS:
            return self.show_export(request, customers, total)
        if total > bulk.AT_ONCE:
            return self.begin_export(request, customers, total)
        response = _csv_file("customers.csv")
        csv.writer(response).writerows(_cells_of(customers))
        log_admin_action(request, CHANGE, f"Exported {counted(total)}.", Customer)
        return response

    def begin_export(self, request, customers, total):
        try:
            job = exports.begin(
                "customers",
                mode=mode_of(request.session),
                actor=who_is(request),
                format=Export.Format.CSV,
                filters=_filters_of(request, customers),
                fields=FIELDS,
            )
        except (exports.ExportRefusedError, operations.WriteRefusedError) as error:
            return self.show_export(request, customers, total, error=f"The export {error}.")
        began = f"Began the export {job.pk} of {counted(job.records_count)}."
        log_admin_action(request, ADDITION, began, Customer)
        return redirect("admin:customers_customer_export_progress", job.pk)

    @method_decorator(require_safe)
    def export_progress(self, request, pk):
        """Shows how far an export is, and leads to its file when it is done."""
        job = self.export_for(request, pk)
        return self.file_page(request, "export_progress", title="Export CSV", job=job)

    @method_decorator(require_safe)
    def export_file(self, request, pk):
        """The file of an export that is done."""
        job = self.export_for(request, pk)
        if not job.has_file:
            raise Http404("There is no file of this export, or not any more.")
        parts = (gzip.decompress(part) for part in exports.content_of(job))
        return _csv_file(f"customers-{job.pk}.csv", parts)

    def export_for(self, request, pk):
        """The export `pk` of customers of the mode. Raises PermissionDenied and Http404."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            rows = Export.objects.in_mode(mode_of(request.session))
            kinds = {"resource_type": "customers", "format": Export.Format.CSV}
            return rows.filter(**kinds).with_id(pk)
        except Export.DoesNotExist as error:
            raise Http404("There is no such export in this mode.") from error

    @PAGE
    def upload(self, request):
        """Takes a file and keeps it for the preview."""
        self.check_import(request)
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            content, mode = form.cleaned_data["file"].read(), mode_of(request.session)
            try:
                kept = uploads.keep(content, mode=mode, user=request.user)
                return redirect("admin:customers_customer_import_preview", kept.pk)
            except imports.UnreadableInputError as error:
                form.add_error("file", f"The file {error}.")
        columns = uploads.COLUMNS
        return self.file_page(request, "upload", title="Import", form=form, columns=columns)

    @PAGE
    def preview(self, request, pk):
        """Shows what each column is and what is wrong, then begins the import."""
        self.check_import(request)
        try:
            mode = mode_of(request.session)
            upload = Upload.objects.get(pk=pk, mode=mode, user=request.user)
        except (Upload.DoesNotExist, ValueError) as error:
            raise Http404("There is no such file of yours in this mode.") from error
        columns = uploads.columns_of(upload)
        form = MeaningForm(columns, request.POST if request.method == "POST" else None)
        if not form.is_bound:
            form = MeaningForm(columns, {name: form[name].initial for name in form.fields})
        context, meaning = {}, form.meaning if form.is_valid() else {}
        if meaning:
            if request.POST.get("go") == "import":
                try:
                    return self.begin_import(request, upload, meaning)
                except Upload.DoesNotExist as error:
                    raise Http404("The file has been imported, or is gone.") from error
                except imports.TooManyJobsError as error:
                    form.add_error(None, f"The mode {error}.")
            context = self.found_in(upload, meaning, request)
        rows = uploads.rows_of(upload, {name: str(at) for at, name in enumerate(columns)})
        samples = list(rows.values())
        fields = [
            (field, [row.get(str(at), "") for row in samples[:SAMPLE]])
            for at, field in enumerate(form)
        ]
        context |= {"form": form, "fields": fields, "total": counted(len(samples))}
        return self.file_page(request, "preview", title="What is in the file", **context)

    def found_in(self, upload, meaning, request):
        """The first errors of an upload, by row and column as a spreadsheet counts them."""
        rows = uploads.rows_of(upload, meaning)
        numbers, given = list(rows), list(rows.values())
        found = imports.faults("customers", given, mode=upload.mode, actor=who_is(request))
        columns = {name: column for column, name in meaning.items()}
        told = [
            (numbers[at], columns.get(name, name), message, given[at].get(name, ""))
            for at, errors in found
            for name, message in errors
        ]
        return {"told": told, "wrong": len(found)}

    def begin_import(self, request, upload, meaning):
        job = uploads.begin(upload, meaning, actor=who_is(request))
        began = f"Began the import of {counted(job.inputs_size)}."
        log_admin_action(request, ADDITION, began, Customer)
        return redirect("admin:customers_customer_import_progress", job.pk)

    @PAGE
    def progress(self, request, pk):
        """Shows how far an import is; lets it stop, and go on where it stopped."""
        job = self.job_for(request, pk)
        if request.method == "POST":
            self.move(request, job)
            return redirect("admin:customers_customer_import_progress", pk)
        return self.file_page(request, "import", title="Import", job=job)

    def move(self, request, job):
        """Stop `job` or let it go on, as asked; say why not where it has meanwhile ended."""
        did, trigger = TRIGGERS.get(request.POST.get("move"), (None, None))
        if trigger is None:
            raise BadRequest("There is no such move.")
        try:
            operations.update(job, principals.staff(request.user, job.mode), {trigger: True})
        except operations.WriteRefusedError:
            self.message_user(request, "The import has moved on meanwhile.", messages.WARNING)
        else:
            log_admin_action(request, CHANGE, f"{did} the import {job.pk}.", Customer)

    @method_decorator(require_safe)
    def errors(self, request, pk):
        """The file of what an import refused: which row, whose, which column, and what is wrong."""
        job = self.job_for(request, pk)
        response = _csv_file(f"errors-{job.pk}.csv")
        lines = csv.writer(response)
        lines.writerow(["row", "customer", "column", "error"])
        for number, *texts in job.refusals:
            lines.writerow([number, *(spreadsheets.defused(text or "") for text in texts)])
        return response

    def job_for(self, request, pk):
        """The import `pk` of the mode at work. Raises PermissionDenied and Http404."""
        self.check_import(request)
        try:
            jobs = Import.objects.in_mode(mode_of(request.session))
            return jobs.filter(resource_type="customers").with_id(pk)
        except Import.DoesNotExist as error:
            raise Http404("There is no such import in this mode.") from error

    def check_import(self, request):
        if not request.user.has_perm("customers.import_customers"):
            raise PermissionDenied

    def show_export(self, request, customers, total, error=None):
        context = {
            "total": total,
            "customers": counted(total),
            "across": request.POST.get("select_across") == "1",
            "selected": request.POST.getlist("_selected_action"),
            "columns": EXPORTED,
            "in_background": total > bulk.AT_ONCE,
            "fields": FIELDS,
            "too_many": total > settings.MAX_EXPORT_RECORDS,
            "most": settings.MAX_EXPORT_RECORDS,
            "error": error,
            "here": request.get_full_path(),
        }
        return self.file_page(request, "export", title="Export CSV", **context)

    def file_page(self, request, name, **context):
        context |= {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, f"admin/acts/{name}.html", context)


def _csv_file(name, parts=None):
    """An answer to be kept as the file `name`: of `parts`, an iterable, or still to be written."""
    kind = HttpResponse if parts is None else StreamingHttpResponse
    response = kind(parts or (), content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _filters_of(request, customers):
    """The filters of an export of `customers`, those of the list where one of each will do."""
    asked = filters_from_query(request.GET)
    across = request.POST.get("select_across") == "1" and not request.GET.get("q")
    if across and len(dict(asked)) == len(asked):
        return dict(asked)
    return {"id_in": list(customers.order_by().values_list("pk", flat=True))}


def _cells_of(customers):
    """The lines of an export: the names, then each customer's cells, defused."""
    yield EXPORTED
    rows = customers.select_related("customer_group").prefetch_related("tags")
    for customer in rows.iterator(chunk_size=500):
        yield [
            spreadsheets.defused(str(value))
            for value in (
                customer.pk,
                customer.email,
                "yes" if customer.has_password else "no",
                customer.status,
                customer.total_orders_count,
                customer.customer_group or "",
                ",".join(sorted(tag.name for tag in customer.tags.all())),
                customer.reference or "",
                customer.reference_origin or "",
                instant(customer.created_at),
            )
        ]
