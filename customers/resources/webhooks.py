from customers.api.base import ResourceViewSet
from customers.models import Webhook, validate_paths
from customers.resources import serializers
from customers.resources.documents import ForWriters
from customers.resources.fields import ListField
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.services import webhooks

STATE = ["disabled_at", "circuit_state", "circuit_failure_count"]


class WebhookSerializer(serializers.WebhookSerializer):
    shared_secret = ForWriters()
    include_resources = ListField(required=False, allow_null=True, validators=[validate_paths])
    triggers = {
        "_disable": webhooks.disable,
        "_enable": webhooks.enable,
        "_reset_circuit": webhooks.reset_circuit,
        "_regenerate_shared_secret": webhooks.regenerate_secret,
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
