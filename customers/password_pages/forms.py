"""The forms of the password pages."""

from django import forms
from django.core.exceptions import ValidationError

from customers.models import validate_email_address
from customers.services.passwords import prepare


def _address(label, required, **attributes):
    return forms.CharField(
        label=label,
        max_length=254,
        validators=[validate_email_address],
        widget=forms.EmailInput({"autocomplete": "email", **attributes}),
        error_messages={"required": required},
    )


def _password(label, required, **attributes):
    """A field for a password, which is taken to the letter."""
    return forms.CharField(
        label=label,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password", **attributes}),
        error_messages={"required": required},
    )


class ForgotForm(forms.Form):
    """Whose password: an address, which need not be anybody's."""

    email = _address("E-mail address", "Enter your e-mail address.", autofocus=True)


class KnownForm(forms.Form):
    """Who it is: the address and the password that the customer has."""

    email = _address(
        "E-mail address", "Enter your e-mail address.", autocomplete="username", autofocus=True
    )
    current = _password(
        "Current password", "Enter the password you have.", autocomplete="current-password"
    )


class NewEmailForm(KnownForm):
    """Another address, for who knows the password."""

    new_email = _address("New e-mail address", "Enter the new e-mail address.")


class ChooseForm(forms.Form):
    """The new password, twice."""

    password = _password("New password", "Enter a new password.", autofocus=True)
    again = _password("Repeat the password", "Enter the password again.")

    def clean_again(self) -> str:
        """The password again. Raises ValidationError unless the two are the same."""
        again = self.cleaned_data["again"]
        if prepare(self.cleaned_data.get("password", again)) != prepare(again):
            raise ValidationError("The passwords do not match.")
        return again


class NewPasswordForm(ChooseForm, KnownForm):
    """Another password, for who knows the one there is."""

    password = _password("New password", "Enter a new password.")
