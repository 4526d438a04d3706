from typing import Any

from customers.models import Webhook, validate_callback_headers, validate_paths
from customers.resources import webhook_includes
from customers.resources.base import ResourceType
from customers.resources.fields import ListField, ObjectField, SecretField
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.triggers import TriggeredSerializer
from customers.services import webhooks

STATE = ["disabled_at", "circuit_state", "circuit_failure_count"]


class WebhookSerializer(TriggeredSerializer):
    """An address to call, checked when it is written; what is included, by its topic.

    `callback_headers`, which no API that this one is compatible with has, are never shown.
    """

    shared_secret = SecretField()
    include_resources = ListField(required=False, allow_null=True, validators=[validate_paths])
    callback_headers = ObjectField(
        write_only=True, required=False, allow_null=True, validators=[validate_callback_headers]
    )
    triggers = {
        "_disable": webhooks.disable_webhook,
        "_enable": webhooks.enable_webhook,
        "_reset_circuit": webhooks.reset_circuit,
        "_regenerate_shared_secret": webhooks.regenerate_secret,
    }
    allowed_on_create = frozenset({"_disable", "_enable"})

    class Meta:
        model = Webhook
        fields = ["name", "topic", "callback_url", "include_resources", *STATE, "shared_secret"]
        relationships = ["last_event_callbacks", "event_stores"]
        writable = ["name", "topic", "callback_url", "include_resources", "callback_headers"]

    def validate_callback_url(self, value: str) -> str:
        """Raises ValidationError for an address that must not be called."""
        webhooks.validate_callback_url(value)
        return value

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for what cannot be included."""
        webhook_includes.validate_includes(values, self.instance, mode=self.principal.mode)
        return super().validate(webhooks.receiver_values(values, self.instance))


class WebhookFilters(Filters):
    class Meta:
        model = Webhook
        fields = [*COMMON, "name", "topic", *STATE]

    sortable = [*COMMON_SORT, *STATE]


class WebhookType(ResourceType):
    name = "webhooks"
    queryset = Webhook.objects.all()
    serializer_class = WebhookSerializer
    filterset_class = WebhookFilters
