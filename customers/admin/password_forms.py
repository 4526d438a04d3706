"""Forms of staff's passwords, which take them as customers' are taken.

Where Django's save the whole member of staff, these save the password alone.
"""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminPasswordChangeForm as AdminOwnPasswordForm
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
from django.contrib.auth.models import User

from customers.services.passwords import prepare

FIELDS = ("password1", "password2", "new_password1", "new_password2")


class _PreparedPasswords(forms.BaseForm):
    """The new password and its repetition are compared and checked as they are hashed."""

    def clean(self) -> dict[str, Any] | None:
        """Django's, of the prepared passwords."""
        for name in FIELDS:
            if text := self.cleaned_data.get(name):
                self.cleaned_data[name] = prepare(text)
        return super().clean()


class NewStaffForm(_PreparedPasswords, AdminUserCreationForm):
    """A new member of staff."""


class StaffPasswordForm(_PreparedPasswords, AdminPasswordChangeForm):
    """A new password for another member of staff."""

    def save(self, commit: bool = True) -> User:
        """Set the password; save it if `commit`."""
        return _saved(super().save(commit=False), commit)


class OwnPasswordForm(_PreparedPasswords, AdminOwnPasswordForm):
    """One's own new password, by the old one."""

    def save(self, commit: bool = True) -> User:
        """Set the password; save it if `commit`."""
        return _saved(super().save(commit=False), commit)


def _saved(user: User, commit: bool) -> User:
    if commit:
        user.save(update_fields=["password"])
    return user
