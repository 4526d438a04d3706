"""What members of staff may do: four roles, each a group of permissions."""

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

VIEW, WRITE = ("view",), ("view", "add", "change", "delete")
HELP = {  # what support changes to help a customer
    "customer": ("change",),
    "address": WRITE,
    "customeraddress": WRITE,
    "customersubscription": WRITE,
    "attachment": WRITE,
    "skulist": WRITE,
    "skulistitem": WRITE,
    "order": ("change",),
    "ordersubscription": ("change",),
    "return": ("change",),
}
REACH = {  # what marketing changes to reach customers
    "customer": ("change",),
    "customergroup": WRITE,
    "customersubscription": WRITE,
    "attachment": WRITE,
    "tag": WRITE,
}
ACTS = {
    "viewer": set(),
    "support": {
        "anonymize_customers",
        "change_customer_email",
        "merge_customers",
        "reset_customer_password",
    },
    "marketing": {"import_customers", "export_customers", "invite_customers"},
}
CHANGES = {"viewer": {}, "support": HELP, "marketing": REACH}
HIDDEN = {"application"}  # the credentials of programs are for administrators
ADMINISTRATOR = "administrator"
ROLES = [*ACTS, ADMINISTRATOR]


def make_roles() -> list[str]:
    """Make the group of each role with exactly its permissions; return their names."""
    for role in ROLES:
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(Permission.objects.filter(_permissions_of(role)))
    return ROLES


def _permissions_of(role):
    """The condition on the permissions that `role` has."""
    ours = Q(content_type__app_label="customers")
    if role == ADMINISTRATOR:
        return ours | Q(content_type__app_label="auth", content_type__model__in=["user", "group"])
    viewed = {model._meta.model_name for model in apps.get_app_config("customers").get_models()}
    found = Q(codename__in=ACTS[role] | {f"view_{name}" for name in viewed - HIDDEN})
    for name, acts in CHANGES[role].items():
        found |= Q(codename__in=[f"{act}_{name}" for act in acts])
    return ours & found
