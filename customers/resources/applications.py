from customers.models import Application
from customers.resources.base import SingletonType
from customers.resources.protocols import Principal
from customers.resources.serializers import ResourceSerializer


class ApplicationSerializer(ResourceSerializer):
    class Meta:
        model = Application
        fields = ["name", "kind", "public_access", "redirect_uri", "uid", "scopes"]
        relationships = []
        writable = []


class ApplicationType(SingletonType):
    name = "applications"
    path = "application"
    serializer_class = ApplicationSerializer

    @classmethod
    def row_for(cls, principal: Principal) -> Application:
        """The application that the token is for."""
        return principal.application
