from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from customers.admin import formatting
from customers.admin.base import TaggableAdmin, fields_besides
from customers.admin.bulk import BulkActionsMixin
from customers.admin.customer_actions import CustomerActionsMixin
from customers.admin.customer_export import ExportMixin
from customers.admin.customer_import import ImportMixin
from customers.admin.customer_list import CustomerList
from customers.admin.customer_page import CustomerPage
from customers.admin.search import found_customers
from customers.models import Customer, CustomerGroup
from customers.services.environments import mode_of

if TYPE_CHECKING:
    from django.contrib.admin.options import _FieldsetSpec

CODES = (
    "reference",
    "reference_origin",
    "shopper_reference",
    "profile_id",
    "tax_exemption_code",
    "metadata",
)
OWN = fields_besides(Customer, "email", "customer_group", "tags", "mode", *CODES)


@admin.register(Customer)
class CustomerAdmin(
    BulkActionsMixin, ImportMixin, ExportMixin, CustomerActionsMixin, TaggableAdmin
):
    list_display = ["person", "state", "group", "tag_names", "orders", "created"]
    list_select_related = ["customer_group"]
    search_fields = ["email_key__holds", "reference__exact", "id__exact"]
    search_help_text = (
        "A part of the e-mail address of three characters or more, its beginning, "
        "or a reference, order number or name."
    )
    autocomplete_fields = ["customer_group", "tags"]
    readonly_fields = ["id", "anonymization_status", "created_at", "updated_at"]
    fieldsets: "ClassVar[_FieldsetSpec]" = [
        (None, {"fields": ["email", *OWN, "customer_group"]}),
        ("Other systems", {"fields": CODES}),
        ("Record", {"fields": ["id", "anonymization_status", "created_at", "updated_at"]}),
    ]
    add_fieldsets: "ClassVar[_FieldsetSpec]" = [
        (None, {"fields": ["email", *OWN, "customer_group", "tags"]}),
        ("Other systems", {"fields": CODES}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> "_FieldsetSpec":
        """Tags are chosen with a new customer, and later in their own place on its page."""
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> list[str] | tuple[str, ...]:
        """With another address an account gets another owner: a permission of its own."""
        names = super().get_readonly_fields(request, obj)
        return names if obj is None or _may_change_email(request) else ["email", *names]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if "email" in request.POST and not _may_change_email(request):
            raise PermissionDenied
        return super().change_view(request, object_id, form_url, extra_context)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        """The form; that of a customer stands on its page, unless it asks about conflicts."""
        if obj is not None and not context["adminform"].form.conflicts:
            context["customer_page"] = CustomerPage(self.get_object(request, obj.pk), request)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        if not search_term.strip():
            return queryset, False
        return found_customers(queryset, search_term, mode_of(request.session)), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CustomerList]:
        return CustomerList

    @admin.display(description="customer", ordering="email_key")
    def person(self, customer: Customer) -> SafeString:
        return formatting.person(customer)

    @admin.display(description="group")
    def group(self, customer: Customer) -> CustomerGroup | str:
        return customer.customer_group or "—"

    @admin.display(description="tags")
    def tag_names(self, customer: Customer) -> SafeString | str:
        return formatting.shown_tags(customer)

    @admin.display(description="orders", ordering="total_orders_count")
    def orders(self, customer: Customer) -> int:
        return customer.total_orders_count

    @admin.display(ordering="created_at")
    def created(self, customer: Customer) -> str:
        return date_format(localtime(customer.created_at), "j M Y")


def _may_change_email(request):
    return request.user.has_perm("customers.change_customer_email")
