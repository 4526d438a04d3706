from customers.models import EventCallback
from customers.resources.base import ResourceType
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.serializers import ResourceSerializer

ANSWER = ["response_code", "response_message"]


class EventCallbackSerializer(ResourceSerializer):
    class Meta:
        model = EventCallback
        fields = ["callback_url", "payload", *ANSWER]
        relationships = ["webhook", "event_stores"]
        writable = []


class EventCallbackFilters(Filters):
    class Meta:
        model = EventCallback
        fields = [*COMMON, "callback_url", *ANSWER]

    relationships = ["webhook"]
    sortable = [*COMMON_SORT, *ANSWER]


class EventCallbackType(ResourceType):
    name = "event_callbacks"
    actions = frozenset({"list", "retrieve"})
    queryset = EventCallback.objects.all()
    serializer_class = EventCallbackSerializer
    filterset_class = EventCallbackFilters
