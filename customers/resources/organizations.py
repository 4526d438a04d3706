from rest_framework_json_api import serializers

from customers.models import Organization
from customers.resources.base import SingletonType
from customers.resources.protocols import Principal


class OrganizationSerializer(serializers.Serializer):
    name = serializers.CharField()
    slug = serializers.CharField()
    domain = serializers.CharField()
    support_phone = serializers.CharField()
    support_email = serializers.CharField()
    logo_url = serializers.CharField()
    favicon_url = serializers.CharField()
    primary_color = serializers.CharField()
    config = serializers.JSONField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    reference = serializers.CharField()
    reference_origin = serializers.CharField()
    metadata = serializers.JSONField()

    class Meta:
        model = Organization
        relationships = []


class OrganizationType(SingletonType):
    name = "organizations"
    path = "organization"
    serializer_class = OrganizationSerializer

    @classmethod
    def row_for(cls, principal: Principal) -> Organization:
        """The organization, which is made of settings."""
        return Organization()
