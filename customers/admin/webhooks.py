from typing import Any

from django import forms
from django.contrib import admin

from customers.admin.base import ResourceAdmin
from customers.models import TOPICS, Webhook, validate_paths
from customers.resources import operations, webhook_includes
from customers.services import webhook_addresses


class WebhookForm(forms.ModelForm):
    topic = forms.ChoiceField(choices=[(topic, topic) for topic in sorted(TOPICS)])

    def clean_callback_url(self) -> str:
        url = self.cleaned_data["callback_url"]
        try:
            webhook_addresses.check_url(url)
        except webhook_addresses.ForbiddenAddressError as error:
            raise forms.ValidationError(f"The address {error}.") from error
        return url

    def clean_include_resources(self) -> list[str] | None:
        paths = self.cleaned_data["include_resources"]
        validate_paths(paths)
        return paths

    def clean(self) -> dict[str, Any]:
        super().clean()
        values = self.cleaned_data
        try:
            webhook_includes.check_includes(
                values.get("topic", "customers"),
                values.get("include_resources"),
                mode=values.get("mode", self.instance.mode),
            )
        except operations.WriteRefusedError as error:
            raise forms.ValidationError({"include_resources": error.errors[0][1]}) from error
        return values


@admin.register(Webhook)
class WebhookAdmin(ResourceAdmin):
    form = WebhookForm
    list_display = ["name", "topic", "callback_url", "circuit_state", "disabled_at", "mode"]
    list_filter = ["mode", "topic", "circuit_state"]
    search_fields = ["name__holds", "id__exact"]
    readonly_fields = [
        "id",
        "disabled_at",
        "circuit_state",
        "circuit_failure_count",
        "created_at",
        "updated_at",
    ]
