"""What every admin page of a resource shares."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Field, Model, QuerySet
from django.db.models.fields.related import RelatedField
from django.forms import Field as FormField
from django.forms import ModelForm, Textarea
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from customers.admin import formatting, search
from customers.admin.conflicts import FreshForm
from customers.admin.fields import JsonFormField
from customers.admin.fresh import FreshRowAdmin
from customers.admin.login import staff_of
from customers.admin.lookups import OfferedLookups
from customers.admin.paging import Paginator
from customers.db.bounds import check_value_size
from customers.db.declarations import declared
from customers.db.fields import JsonField, MetadataField
from customers.models import Customer, Resource
from customers.services import audit, principals, row_changes, row_history, tagging
from customers.services.actors import Actor
from customers.services.environments import mode_of
from customers.services.orders import lock_customers

if TYPE_CHECKING:
    from django.contrib.admin.options import _FieldsetSpec, _ListDisplayT

OTHER = ("reference", "reference_origin", "metadata")
RECORD = ("id", "created_at", "updated_at")


def actor_of(request: HttpRequest) -> Actor | None:
    """The member of staff as the audit log names it."""
    return principals.staff(request.user, mode_of(request.session)).actor


def log_admin_action(
    request: HttpRequest, flag: int, sentence: str, model: type[Model], pk: str | None = None
) -> LogEntry:
    """Enter into the admin's log what was done to the row `pk` of `model`, or to many."""
    one, many = model._meta.verbose_name, model._meta.verbose_name_plural
    return LogEntry.objects.create(
        user_id=staff_of(request).pk,
        content_type=ContentType.objects.get_for_model(model),
        object_id=pk,
        object_repr=f"{one} {pk}" if pk else str(many),
        action_flag=flag,
        change_message=sentence,
    )


def _without_name(entry):
    """`entry` of the admin's log, by id: a name may be an address, and entries outlive the row."""
    entry.object_repr = f"{entry.content_type.name} {entry.object_id}"
    entry.save(update_fields=["object_repr"])
    return entry


def _customer_in(data):
    """The id of the customer that a form's `data` names, None without one."""
    pk = data.get("customer", "")
    return pk if pk.isascii() and pk.isalnum() else None


def fields_besides(model: type[Resource], *names: str) -> list[str]:
    """The fields of `model` that may be edited and are none of `names`."""
    fields = [*model._meta.concrete_fields, *model._meta.many_to_many]
    return [field.name for field in fields if field.editable and field.name not in names]


class HasStatus(Protocol):
    """A row with a status, of a model that says its choices."""

    status: str

    def get_status_display(self) -> str:
        """The status in words."""


class InModeForm(FreshForm):
    """A form by which a new row gets the mode at work before it is checked."""

    new_mode: str | None = None  # of a new row

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.new_mode:
            self.instance.mode = self.new_mode

    def clean(self) -> dict[str, Any]:
        """Refuse what is larger than the API accepts, except for what was stored before."""
        values = super().clean()
        for name in self.changed_data:
            value = self.cleaned_data.get(name)
            try:
                if isinstance(value, str | dict | list):
                    check_value_size(value)
            except ValidationError as error:
                self.add_error(name, ValidationError(f"This {error.message}.", error.code))
        return values


class TaggableForm(FreshForm):
    """A form with tags, of the row's mode, and no more than a record may have."""

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError for tags of the other mode, and for too many."""
        values = super().clean()
        tags = values.get("tags") or []
        if any(tag.mode != self.instance.mode for tag in tags):
            raise ValidationError({"tags": "You cannot use a tag of the other mode."})
        try:
            tagging.check_count(tags)
        except tagging.TooManyTagsError as error:
            raise ValidationError({"tags": f"A record {error}."}) from error
        return values


class ResourceAdmin(OfferedLookups, FreshRowAdmin[Resource]):
    """A resource's pages: they show and make rows of the mode that the staff member works in."""

    readonly_fields = ["id", "created_at", "updated_at"]
    ordering = ["-id"]
    show_full_result_count = False
    paginator = Paginator
    list_per_page = 25

    def get_list_display(self, request: HttpRequest) -> "_ListDisplayT[Any]":
        """The columns that the model declares, where the page names none."""
        if self.list_display != ("__str__",):  # Django's own
            return self.list_display
        found = [field for field, said in declared(self.model).values() if said.column]
        found.sort(key=lambda field: field.is_relation)  # what tells rows apart comes first
        return [*(field.name for field in found), "created_at"]

    def get_list_select_related(self, request: HttpRequest) -> bool | list[str] | tuple[str, ...]:
        keys = {field.name for field in self.opts.concrete_fields if field.is_relation}
        shown = [name for name in self.get_list_display(request) if name in keys]
        return self.list_select_related or shown

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> "_FieldsetSpec":
        """The type's own fields first, then those that every resource has."""
        if self.fieldsets:
            return self.fieldsets
        own = [name for name in self.get_fields(request, obj) if name not in {*OTHER, *RECORD}]
        return [
            (None, {"fields": own}),
            ("Other systems", {"fields": OTHER}),
            ("Record", {"fields": RECORD}),
        ]

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [*(super().get_exclude(request, obj) or []), "mode"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(mode=mode_of(request.session))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        if not search_term.strip():
            return queryset, False
        mode = mode_of(request.session)
        return search.found_rows(queryset, search_term, self.search_fields, mode), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_field_queryset(
        self, db: str | None, db_field: RelatedField, request: HttpRequest
    ) -> QuerySet | None:
        """The rows of the mode at work, for the choices of a key."""
        rows = super().get_field_queryset(db, db_field, request)
        model = db_field.related_model
        if not issubclass(model, Resource):
            return rows
        if rows is None:
            rows = model.objects.all()
        return rows.filter(mode=mode_of(request.session))

    def formfield_for_dbfield(
        self, db_field: Field, request: HttpRequest, **options: Any
    ) -> FormField | None:
        """JSON is read as the API does; metadata console.js shows as keys and values."""
        if isinstance(db_field, JsonField):
            options |= {"form_class": JsonFormField, "default": db_field.get_default}
        if isinstance(db_field, MetadataField):
            options["widget"] = Textarea(attrs={"rows": 6, "data-pairs": ""})
        return super().formfield_for_dbfield(db_field, request, **options)

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        """The form; a new row is of the mode at work before it is checked."""
        form = super().get_form(request, obj, change=change, **kwargs)
        mode = mode_of(request.session) if obj is None else None
        return type(form.__name__, (InModeForm, form), {"new_mode": mode})

    def locked(self, row: Resource, data: Mapping[str, str]) -> Resource:
        """`row` read again, locked after its customers and the one that `data` gives it to.

        Of a forgotten one too, as it may be deleted: what saves calls `_check_open`.
        """
        owners = [*row_history.owners_of(row), _customer_in(data)]
        rows = self.model.objects.in_mode(row.mode)
        customers = [Customer(pk=pk) for pk in owners if pk]
        return row_changes.lock(row, rows, *customers, forgotten_too=True)

    def lock_named(self, data: Mapping[str, str]) -> None:
        lock_customers(_customer_in(data), forgotten_too=True)  # the form refuses them

    def save_model(
        self, request: HttpRequest, row: Resource, form: ModelForm, change: bool
    ) -> None:
        """Save `row`, locked if it is not new, and record what changed."""
        actor = actor_of(request)
        with transaction.atomic():
            if not change:
                row_changes.admit(row)
                super().save_model(request, row, form, change)
                audit.record(row, "create", actor=actor)
                return
            before = audit.audited_values(self.model.objects.get(pk=row.pk))
            super().save_model(request, row, form, change)
            if self.columns_of(form):
                fresh = self.model.objects.get(pk=row.pk)
                row_changes.record_update(fresh, before, actor=actor)

    def log_addition(self, request: HttpRequest, row: Resource, message: Any) -> LogEntry:
        return _without_name(super().log_addition(request, row, message))

    def log_change(self, request: HttpRequest, row: Resource, message: Any) -> LogEntry:
        return _without_name(super().log_change(request, row, message))

    def log_deletions(self, request: HttpRequest, rows: QuerySet) -> Any:
        entries = super().log_deletions(request, rows) or []
        for entry in entries if isinstance(entries, list) else [entries]:
            _without_name(entry)
        return entries

    def delete_model(self, request: HttpRequest, row: Resource) -> None:
        with transaction.atomic():
            row_changes.delete_locked_row(self.locked(row, {}), actor=actor_of(request))

    def delete_queryset(self, request: HttpRequest, rows: QuerySet) -> None:
        with transaction.atomic():
            for row in sorted(rows, key=lambda row: (row.owning_customer_id or "", row.pk)):
                self.delete_model(request, row)

    @admin.display(description="status", ordering="status")
    def state(self, row: HasStatus) -> SafeString:
        """The status of a row that has one."""
        return formatting.pill(row.status, row.get_status_display())


class ReadOnlyAdmin(ResourceAdmin):
    """A resource that is only written by the service itself."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class TaggableAdmin(ResourceAdmin):
    """A resource with tags, which are written by the tagging service."""

    autocomplete_fields = ["tags"]

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (TaggableForm, form), {})

    def save_related(
        self, request: HttpRequest, form: ModelForm, formsets: list, change: bool
    ) -> None:
        if "tags" in form.cleaned_data:
            tags = form.cleaned_data.pop("tags")
            tagging.replace_tags(form.instance, tags, actor=actor_of(request))
        super().save_related(request, form, formsets, change)
