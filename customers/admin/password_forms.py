"""Forms of staff's passwords."""

from django.contrib.admin.forms import AdminPasswordChangeForm as AdminOwnPasswordForm
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import User


class PasswordOnlyMixin:
    """A form of Django's, which saves the whole member of staff; this saves the password alone."""

    def save(self, commit: bool = True) -> User:
        """Set the password; save it if `commit`."""
        user = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user


class StaffPasswordForm(PasswordOnlyMixin, AdminPasswordChangeForm):
    """A new password for another member of staff."""


class OwnPasswordForm(PasswordOnlyMixin, AdminOwnPasswordForm):
    """One's own new password, by the old one."""
