from customers.api.base import ResourceViewSet
from customers.models import Webhook, validate_paths
from customers.resources import serializers, webhook_includes
from customers.resources.fields import ListField, SecretField
from customers.resources.filters import COMMON, COMMON_SORT, Filters

STATE = ["disabled_at", "circuit_state", "circuit_failure_count"]


class WebhookSerializer(serializers.WebhookSerializer):
    shared_secret = SecretField()
    include_resources = ListField(required=False, allow_null=True, validators=[validate_paths])
    triggers = {
        "_disable": webhook_includes.disable,
        "_enable": webhook_includes.enable,
        "_reset_circuit": webhook_includes.reset_circuit,
        "_regenerate_shared_secret": webhook_includes.regenerate_secret,
    }
    at_once = frozenset({"_disable", "_enable"})

    class Meta:
        model = Webhook
        fields = ["name", "topic", "callback_url", "include_resources", *STATE, "shared_secret"]
        relationships = ["last_event_callbacks", "event_stores"]
        writable = ["name", "topic", "callback_url", "include_resources"]


class WebhookFilters(Filters):
    class Meta:
        model = Webhook
        fields = [*COMMON, "name", "topic", *STATE]

    sortable = [*COMMON_SORT, *STATE]


class WebhookViewSet(ResourceViewSet):
    resource_name = "webhooks"
    queryset = Webhook.objects.all()
    serializer_class = WebhookSerializer
    filterset_class = WebhookFilters
