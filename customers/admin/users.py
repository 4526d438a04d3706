from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

from customers.admin.lookups import OfferedLookups

admin.site.unregister([User, Group])


@admin.register(User)
class StaffAdmin(OfferedLookups, UserAdmin):
    pass


@admin.register(Group)
class RoleAdmin(OfferedLookups, GroupAdmin):
    pass
