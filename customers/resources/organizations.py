from rest_framework_json_api import serializers

from customers.models import Organization
from customers.resources.base import SingletonType
from customers.resources.fields import MomentField, ObjectField, TextField
from customers.services import tokens


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
        relationships = ["event_stores"]


class OrganizationType(SingletonType):
    name = "organizations"
    path = "organization"
    serializer_class = OrganizationSerializer

    @classmethod
    def row_for(cls, principal: tokens.Principal) -> Organization:
        """The organization, which is made of settings."""
        return Organization()
