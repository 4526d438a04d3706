from typing import Any

from customers.models import CustomerSubscription, Resource
from customers.resources.base import ResourceType
from customers.resources.customer_emails import EXAMPLE_EMAIL, WHOSE, CustomerEmailSerializer
from customers.resources.fields import TextField
from customers.resources.filters import COMMON, Filters
from customers.services import subscriptions


class CustomerSubscriptionSerializer(CustomerEmailSerializer):
    """To a guest, the second of one customer to one topic looks like the first."""

    customer_email = TextField(help_text=WHOSE, initial=EXAMPLE_EMAIL)
    reference = TextField(
        max_length=255, help_text="The topic, such as a newsletter's name.", initial="newsletter"
    )

    class Meta:
        model = CustomerSubscription
        fields = ["customer_email"]
        relationships = ["customer", "events", "event_stores"]
        writable = ["customer_email"]
        create_only = ["customer_email"]
        channel_writable = writable

    def create(self, values: dict[str, Any]) -> Resource:
        """As always; for a guest who repeats what is there, a row that is not saved."""
        if self.sent_email and (repeated := subscriptions.repeated(values)):
            self.is_repeated = True
            return self.echo(repeated)
        return super().create(values)

    def check(self, row: Any) -> None:
        """As always; a guest is not told whether the customer has the subscription."""
        if self.sent_email:
            row.customer_id = None
        super().check(row)


class CustomerSubscriptionFilters(Filters):
    class Meta:
        model = CustomerSubscription
        fields = COMMON

    relationships = ["customer", "events"]


class CustomerSubscriptionType(ResourceType):
    name = "customer_subscriptions"
    queryset = CustomerSubscription.objects.select_related("customer")
    serializer_class = CustomerSubscriptionSerializer
    filterset_class = CustomerSubscriptionFilters
