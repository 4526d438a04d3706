from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.utils.formats import date_format

from customers.admin import formatting
from customers.admin.base import TaggableAdmin, fields_besides
from customers.admin.bulk import BulkActs
from customers.admin.customer_acts import CustomerActs
from customers.admin.customer_list import CustomerList
from customers.admin.customer_page import Story
from customers.admin.files import Files
from customers.admin.search import found_customers
from customers.models import Customer
from customers.services.environments import mode_of

CODES = [
    "reference",
    "reference_origin",
    "shopper_reference",
    "profile_id",
    "tax_exemption_code",
    "metadata",
]
OWN = fields_besides(Customer, "email", "customer_group", "tags", "mode", *CODES)


@admin.register(Customer)
class CustomerAdmin(BulkActs, Files, CustomerActs, TaggableAdmin):
    list_display = ["person", "state", "group", "tag_names", "orders", "created"]
    list_select_related = ["customer_group"]
    search_fields = ["email_key__holds", "reference__exact", "id__exact"]
    search_help_text = (
        "A part of the e-mail address of three characters or more, its beginning, "
        "or a reference, order number or name."
    )
    autocomplete_fields = ["customer_group", "tags"]
    readonly_fields = ["id", "anonymization_status", "created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["email", *OWN, "customer_group"]}),
        (
            "Other systems",
            {"fields": CODES},
        ),
        ("Record", {"fields": ["id", "anonymization_status", "created_at", "updated_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", *OWN, "customer_group", "tags"]}), fieldsets[1]]

    def get_fieldsets(self, request, obj=None):
        """Tags are chosen with a new customer, and later in their own place on its page."""
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request, obj=None):
        """With another address an account gets another owner: a permission of its own."""
        names = super().get_readonly_fields(request, obj)
        return names if obj is None or _may_change_email(request) else ["email", *names]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if "email" in request.POST and not _may_change_email(request):
            raise PermissionDenied
        return super().change_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        """The form, and around that of a customer, unless it asks about conflicts, the story."""
        if obj is not None and not context["adminform"].form.conflicts:
            context["story"] = Story(self.get_object(request, obj.pk), request)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_search_results(self, request, queryset, search_term):
        if not search_term.strip():
            return queryset, False
        return found_customers(queryset, search_term, mode_of(request.session)), False

    def get_changelist(self, request, **kwargs):
        return CustomerList

    @admin.display(description="customer", ordering="email_key")
    def person(self, customer):
        return formatting.person(customer)

    @admin.display(description="group")
    def group(self, customer):
        return customer.customer_group or "—"

    @admin.display(description="tags")
    def tag_names(self, customer):
        return formatting.tags(customer)

    @admin.display(description="orders", ordering="total_orders_count")
    def orders(self, customer):
        return customer.total_orders_count

    @admin.display(ordering="created_at")
    def created(self, customer):
        return date_format(customer.created_at, "j M Y")


def _may_change_email(request):
    return request.user.has_perm("customers.change_customer_email")
