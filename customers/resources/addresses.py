from typing import Any

from customers.models import Address
from customers.resources.base import ResourceType
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.serializers import TaggableSerializer

WRITTEN = [
    "business",
    "first_name",
    "last_name",
    "company",
    "line_1",
    "line_2",
    "city",
    "zip_code",
    "state_code",
    "country_code",
    "phone",
    "email",
    "notes",
    "lat",
    "lng",
    "billing_info",
]


class AddressSerializer(TaggableSerializer):
    class Meta:
        model = Address
        fields = [*WRITTEN, "full_name", "full_address", "name"]
        relationships = ["events", "tags", "event_stores"]
        writable = channel_writable = WRITTEN

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Asks for a zip code where no country is named, as most countries do."""
        if self.instance is None and self.lacks("country_code"):
            self.require("zip_code", values)
        return super().validate(values)


class AddressFilters(Filters):
    class Meta:
        model = Address
        fields = [*COMMON, *WRITTEN]

    relationships = ["events", "tags"]
    sortable = [*COMMON_SORT, "city", "state_code", "country_code"]


class AddressType(ResourceType):
    name = "addresses"
    queryset = Address.objects.all()
    serializer_class = AddressSerializer
    filterset_class = AddressFilters
