"""The staff and their roles: no one grants or revokes permissions that they lack themselves."""

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import ManyToManyField, Model, Q, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest

from customers.admin.fresh import FreshRowAdmin
from customers.admin.lookups import OfferedLookups
from customers.admin.password_forms import NewStaffForm, StaffPasswordForm

if TYPE_CHECKING:
    from django.contrib.admin.options import _FieldsetSpec, _ListFilterT

Holder = TypeVar("Holder", User, Group)

admin.site.unregister([User, Group])


def _permissions_of(user):
    """The permissions of `user`, a member of the staff who is no superuser, active or not."""
    return Permission.objects.filter(Q(user=user) | Q(group__user=user))


class NoneAbove(OfferedLookups, Generic[Holder]):
    """Rows that whoever is no superuser changes as far as they have all that these may."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_within(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_within(request, obj)

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **options: Any
    ) -> ModelMultipleChoiceField | None:
        """The permissions that the member of staff has, and the roles that hold no others."""
        if not request.user.is_superuser:
            own = Permission.objects.filter(pk__in=_permissions_of(request.user).values("pk"))
            beyond = Permission.objects.exclude(pk__in=own.values("pk"))
            roles = Group.objects.exclude(permissions__in=beyond)
            is_role = db_field.related_model is Group
            options["queryset"] = roles if is_role else own
        return super().formfield_for_manytomany(db_field, request, **options)

    def permissions_within(self, holder: Holder) -> QuerySet[Permission]:
        """The permissions that come with `holder`."""
        raise NotImplementedError

    def _is_within(self, request, obj):
        if obj is None or request.user.is_superuser:
            return True
        own = _permissions_of(request.user).values("pk")
        return not self.permissions_within(obj).exclude(pk__in=own).exists()


@admin.register(User)
class StaffAdmin(NoneAbove[User], FreshRowAdmin[User], UserAdmin):
    add_form = NewStaffForm
    change_password_form = StaffPasswordForm

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> "_FieldsetSpec":
        """Who is a superuser is for superusers to see and to say."""
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return fieldsets
        return [
            (title, {**shown, "fields": [f for f in shown["fields"] if f != "is_superuser"]})
            for title, shown in fieldsets
        ]

    def get_list_filter(self, request: HttpRequest) -> "list[_ListFilterT]":
        names = super().get_list_filter(request)
        return [name for name in names if request.user.is_superuser or name != "is_superuser"]

    def permissions_within(self, user: User) -> QuerySet[Permission]:
        return Permission.objects.all() if user.is_superuser else _permissions_of(user)


@admin.register(Group)
class RoleAdmin(NoneAbove[Group], FreshRowAdmin[Group], GroupAdmin):  # type: ignore[misc]  # GroupAdmin's request may be None
    def permissions_within(self, role: Group) -> QuerySet[Permission]:
        return role.permissions.all()
