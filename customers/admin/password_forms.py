"""Forms of staff's passwords: Django's save the whole member of staff, these the password alone."""

from django.contrib.admin.forms import AdminPasswordChangeForm as AdminOwnPasswordForm
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import User


class StaffPasswordForm(AdminPasswordChangeForm):
    """A new password for another member of staff."""

    def save(self, commit: bool = True) -> User:
        """Set the password; save it if `commit`."""
        return _saved(super().save(commit=False), commit)


class OwnPasswordForm(AdminOwnPasswordForm):
    """One's own new password, by the old one."""

    def save(self, commit: bool = True) -> User:
        """Set the password; save it if `commit`."""
        return _saved(super().save(commit=False), commit)


def _saved(user: User, commit: bool) -> User:
    if commit:
        user.save(update_fields=["password"])
    return user
