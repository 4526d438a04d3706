from customers.api.base import SingletonViewSet
from customers.models import Application
from customers.resources.serializers import ResourceSerializer


class ApplicationSerializer(ResourceSerializer):
    class Meta:
        model = Application
        fields = ["name", "kind", "public_access", "redirect_uri", "uid", "scopes"]
        relationships = []
        writable = []


class ApplicationViewSet(SingletonViewSet):
    resource_name = "applications"
    path = "application"
    serializer_class = ApplicationSerializer

    @classmethod
    def row_for(cls, principal):
        return principal.application
