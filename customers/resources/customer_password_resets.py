from customers.api.base import ResourceViewSet
from customers.models import CustomerPasswordReset
from customers.resources.fields import TextField
from customers.resources.filters import COMMON, Filters
from customers.resources.serializers import PasswordResetSerializer


class CustomerPasswordResetSerializer(PasswordResetSerializer):
    customer_email = TextField()
    customer_password = TextField(write_only=True, required=False)
    _reset_password_token = TextField(write_only=True, required=False)

    class Meta:
        model = CustomerPasswordReset
        fields = ["customer_email", "reset_password_token", "reset_password_at"]
        relationships = ["customer", "events", "event_stores"]
        writable = ["customer_email", "customer_password", "_reset_password_token"]
        create_only = ["customer_email"]
        update_only = channel_writable = ["customer_password", "_reset_password_token"]


class CustomerPasswordResetFilters(Filters):
    class Meta:
        model = CustomerPasswordReset
        fields = [*COMMON, "reset_password_at"]

    relationships = ["customer", "events"]


class CustomerPasswordResetViewSet(ResourceViewSet):
    resource_name = "customer_password_resets"
    queryset = CustomerPasswordReset.objects.select_related("customer")
    serializer_class = CustomerPasswordResetSerializer
    filterset_class = CustomerPasswordResetFilters
