from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group, User

from customers.admin.fresh import FreshRowAdmin
from customers.admin.lookups import OfferedLookups

admin.site.unregister([User, Group])


class PasswordForm(AdminPasswordChangeForm):
    """A member of staff's new password, which is all that is saved."""

    def save(self, commit=True):
        user = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user


@admin.register(User)
class StaffAdmin(OfferedLookups, FreshRowAdmin, UserAdmin):
    change_password_form = PasswordForm


@admin.register(Group)
class RoleAdmin(OfferedLookups, FreshRowAdmin, GroupAdmin):
    pass
