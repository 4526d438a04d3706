from rest_framework_json_api import serializers

from customers.api.base import SingletonViewSet
from customers.models import Organization
from customers.resources.fields import MomentField, ObjectField, TextField


class OrganizationSerializer(serializers.Serializer):
    name = TextField()
    slug = TextField()
    domain = TextField()
    support_phone = TextField()
    support_email = TextField()
    logo_url = TextField()
    favicon_url = TextField()
    primary_color = TextField()
    config = ObjectField()
    created_at = MomentField()
    updated_at = MomentField()
    reference = TextField()
    reference_origin = TextField()
    metadata = ObjectField()

    class Meta:
        model = Organization
        relationships = []


class OrganizationViewSet(SingletonViewSet):
    resource_name = "organizations"
    path = "organization"
    serializer_class = OrganizationSerializer

    @classmethod
    def row_for(cls, principal):
        return Organization()
