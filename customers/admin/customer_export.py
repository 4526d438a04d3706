"""Customers into a file: at once, or in the background where they are many."""

import csv
import gzip
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from customers.admin.base import actor_of, log_admin_action
from customers.admin.filters import filters_from_query
from customers.admin.formatting import counted_customers
from customers.admin.pages import Pages, action_page, paths_of
from customers.db.fields import instant
from customers.jobs import bulk, exports
from customers.models import Customer, Export
from customers.resources import operations
from customers.resources.export_checks import ExportRefusedError
from customers.services import spreadsheets
from customers.services.environments import mode_of

COLUMNS = [
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


CSV = "text/csv; charset=utf-8"


class ExportMixin(admin.ModelAdmin):
    """The customers' list's export: its action, and the pages of one in the background."""

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and the pages of an export."""
        pages: Pages = {
            "exports/<str:pk>/": ("export_progress", self.export_progress),
            "exports/<str:pk>/customers.csv": ("export_file", self.export_file),
        }
        return [*paths_of(self, pages), *super().get_urls()]

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whether the member of staff may export customers."""
        return request.user.has_perm("customers.export_customers")

    @admin.action(description="Export CSV…", permissions=["export"])
    def export_csv(self, request: HttpRequest, customers: QuerySet[Customer]) -> HttpResponse:
        """Asks, then answers a file; its cells are no formulas to a spreadsheet.

        What is too large to wait for becomes an export in the background.
        """
        customers = customers.filter(mode=mode_of(request.session))
        total = customers.count()
        confirmed = request.POST.get("confirmed") == str(total)
        if not confirmed or total > settings.MAX_EXPORT_RECORDS:
            return self.show_export(request, total)
        if total > bulk.AT_ONCE:
            return self.begin_export(request, customers, total)
        response = csv_file("customers.csv")
        csv.writer(response).writerows(_lines_of(customers))
        log_admin_action(request, CHANGE, f"Exported {counted_customers(total)}.", Customer)
        return response

    def begin_export(
        self, request: HttpRequest, customers: QuerySet[Customer], total: int
    ) -> HttpResponse:
        """Begin an export in the background, and lead to its page, or say why there is none."""
        try:
            job = exports.begin_export(
                "customers",
                mode=mode_of(request.session),
                actor=actor_of(request),
                format=Export.Format.CSV,
                filters=_filters_of(request, customers),
                fields=FIELDS,
            )
        except (ExportRefusedError, operations.WriteRefusedError) as error:
            return self.show_export(request, total, error=f"The export {error}.")
        began = f"Began the export {job.pk} of {counted_customers(job.records_count)}."
        log_admin_action(request, ADDITION, began, Customer)
        return redirect("admin:customers_customer_export_progress", job.pk)

    @method_decorator(require_safe)
    def export_progress(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Shows how far an export is, and leads to its file when it is done."""
        job = self.export_for(request, pk)
        return action_page(self, request, "export_progress", title="Export CSV", job=job)

    @method_decorator(require_safe)
    def export_file(self, request: HttpRequest, pk: str) -> HttpResponseBase:
        """The file of an export that is done."""
        job = self.export_for(request, pk)
        if not job.has_file:
            raise Http404("This export has no file, or no longer has one.")
        parts = (gzip.decompress(part) for part in exports.export_content(job))
        return csv_file(f"customers-{job.pk}.csv", parts)

    def export_for(self, request: HttpRequest, pk: str) -> Export:
        """The export `pk` of customers of the mode. Raises PermissionDenied and Http404."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            rows = Export.objects.in_mode(mode_of(request.session))
            kinds = {"resource_type": "customers", "format": Export.Format.CSV}
            return rows.filter(**kinds).with_id(pk)
        except Export.DoesNotExist as error:
            raise Http404("There is no such export in this mode.") from error

    def show_export(
        self, request: HttpRequest, total: int, error: str | None = None
    ) -> HttpResponse:
        """The page that asks whether `total` customers are to be exported."""
        context = {
            "total": total,
            "customers": counted_customers(total),
            "across": request.POST.get("select_across") == "1",
            "selected": request.POST.getlist("_selected_action"),
            "columns": COLUMNS,
            "in_background": total > bulk.AT_ONCE,
            "fields": FIELDS,
            "too_many": total > settings.MAX_EXPORT_RECORDS,
            "most": settings.MAX_EXPORT_RECORDS,
            "error": error,
            "here": request.get_full_path(),
        }
        return action_page(self, request, "export", title="Export CSV", **context)


def csv_file(name: str, parts: Iterable[bytes] | None = None) -> Any:
    """A response that is saved as the file `name`: of `parts`, or with its mark alone."""
    kind = HttpResponse if parts is None else StreamingHttpResponse
    response = kind(spreadsheets.MARK if parts is None else parts, content_type=CSV)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _filters_of(request: HttpRequest, customers: QuerySet[Customer]) -> dict[str, Any]:
    """The filters of an export of `customers`, those of the list where one of each will do."""
    asked = filters_from_query(request.GET)
    across = request.POST.get("select_across") == "1" and not request.GET.get("q")
    if across and len(dict(asked)) == len(asked):
        return dict(asked)
    return {"id_in": list(customers.order_by().values_list("pk", flat=True))}


def _lines_of(customers: QuerySet[Customer]) -> Iterator[list[str]]:
    """The lines of an export: the names, then each customer's cells, defused."""
    yield COLUMNS
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
