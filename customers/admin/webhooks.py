from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from customers.admin.base import ResourceAdmin
from customers.admin.fresh import FreshRowAdmin
from customers.models import TOPICS, Webhook, validate_callback_headers, validate_paths
from customers.resources import operations, webhook_includes
from customers.services import webhooks

WRITING = ("new_headers", "remove_headers")


class WebhookForm(forms.ModelForm):
    """The form of a webhook; headers are written by it, and never shown."""

    topic = forms.ChoiceField(choices=[(topic, topic) for topic in sorted(TOPICS)])
    new_headers = forms.CharField(
        label="Headers to send",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
        help_text="One on a line, such as “Authorization: Bearer …”. They take the place of all "
        "that are sent now, and are not shown again.",
    )
    remove_headers = forms.BooleanField(required=False, label="Send none of these any more")
    changes_headers = False

    def clean_callback_url(self) -> str:
        url = self.cleaned_data["callback_url"]
        try:
            webhooks.validate_callback_url(url)
        except forms.ValidationError as error:
            raise forms.ValidationError(f"The address {error.message}.") from error
        return url

    def clean_new_headers(self) -> dict[str, str]:
        lines = self.cleaned_data["new_headers"].splitlines()
        pairs = [line.partition(":") for line in lines if line.strip()]
        headers = {name.strip(): text.strip() for name, _, text in pairs}
        try:
            if len(headers) < len(pairs):
                raise forms.ValidationError("names a header twice")
            validate_callback_headers(headers)
        except forms.ValidationError as error:
            raise forms.ValidationError(f"This {error.message}.") from error
        return headers

    def clean_include_resources(self) -> list[str] | None:
        paths = self.cleaned_data["include_resources"]
        validate_paths(paths)
        return paths

    def clean(self) -> dict[str, Any]:
        super().clean()
        values = self.cleaned_data
        try:
            webhook_includes.check_webhook_includes(
                values.get("topic", "customers"),
                values.get("include_resources"),
                mode=values.get("mode", self.instance.mode),
            )
        except operations.WriteRefusedError as error:
            raise forms.ValidationError({"include_resources": error.errors[0][1]}) from error
        if "callback_url" in values and "new_headers" in values:
            self._set_receiver(values)
        return values

    def _set_receiver(self, values):
        """Give the row the headers, and take out of the address what nobody is to be shown."""
        given = {"callback_url": values["callback_url"]}
        if values["new_headers"] or values.get("remove_headers"):
            given["callback_headers"] = values["new_headers"]
        found = webhooks.receiver_values(given, self.instance)
        values["callback_url"], headers = found["callback_url"], found["callback_headers"]
        self.changes_headers = headers != self.instance.callback_headers
        self.instance.callback_headers = headers


@admin.register(Webhook)
class WebhookAdmin(ResourceAdmin):
    form = WebhookForm
    list_display = ["name", "topic", "callback_url", "circuit_state", "disabled_at", "mode"]
    list_filter = ["mode", "topic", "circuit_state"]
    search_fields = ["name__holds", "id__exact"]
    readonly_fields = [
        "id",
        "headers_sent",
        "disabled_at",
        "disabled_reason",
        "circuit_state",
        "circuit_failure_count",
        "next_call_at",
        "created_at",
        "updated_at",
    ]

    def get_fields(self, request: HttpRequest, obj: Webhook | None = None) -> list[Any]:
        """What writes headers is for those who may."""
        names = [*super().get_fields(request, obj)]
        may = self.has_change_permission(request, obj) if obj else True
        return names if may else [name for name in names if name not in WRITING]

    @staticmethod
    def columns_of(form: WebhookForm) -> list[str]:  # type: ignore[override]
        columns = FreshRowAdmin.columns_of(form)
        return [*columns, "callback_headers"] if form.changes_headers else columns

    @admin.display(description="headers sent")
    def headers_sent(self, webhook: Webhook) -> str:
        """Their names."""
        return ", ".join(sorted(webhook.callback_headers or ())) or "—"
