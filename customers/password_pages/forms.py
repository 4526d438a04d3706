"""The forms of the password pages."""

from django import forms
from django.core.exceptions import ValidationError

from customers.models import validate_email_address
from customers.services.passwords import prepare


class ForgotForm(forms.Form):
    """Whose password: an address, which need not be anybody's."""

    email = forms.CharField(
        label="E-mail address",
        max_length=254,
        validators=[validate_email_address],
        widget=forms.EmailInput({"autocomplete": "email", "autofocus": True}),
        error_messages={"required": "Enter your e-mail address."},
    )


class ChooseForm(forms.Form):
    """The new password, twice, taken to the letter."""

    password = forms.CharField(
        label="New password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password", "autofocus": True}),
        error_messages={"required": "Enter a new password."},
    )
    again = forms.CharField(
        label="Repeat the password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        error_messages={"required": "Enter the password again."},
    )

    def clean_again(self) -> str:
        """The password again. Raises ValidationError unless the two are the same."""
        again = self.cleaned_data["again"]
        if prepare(self.cleaned_data.get("password", again)) != prepare(again):
            raise ValidationError("The passwords do not match.")
        return again
