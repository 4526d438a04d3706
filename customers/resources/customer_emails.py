"""Types whose customer may be named by an e-mail address."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError

from customers.models import Customer, Resource, email_key
from customers.resources import errors
from customers.resources.fields import TextField
from customers.resources.serializers import ResourceSerializer
from customers.services import customers

POINTER = "/data/attributes/customer_email"
EXAMPLE_EMAIL = "ada@example.com"
WHOSE = "The customer's e-mail address, which also says whose it is, instead of the relationship."


class CustomerEmailSerializer(ResourceSerializer):
    """A type whose customer may be named by `customer_email` instead of the relationship."""

    customer_email = TextField(
        required=False, allow_null=True, help_text=WHOSE, initial=EXAMPLE_EMAIL
    )
    makes_customers: ClassVar[bool] = True  # for an address that no customer has
    sent_email: str | None = None  # by a guest, who gets it back as sent, whoever has the address

    def fill_defaults(self, values: dict[str, Any]) -> dict[str, Any]:
        """As of any type, with the customer who has the address."""
        named = "customer_email" in values
        email = values.pop("customer_email", None)
        if email is not None:
            values = {**values, "customer": self._customer_of(email, values.get("customer"))}
        elif named and self.instance and self.instance.customer_id:
            raise errors.UnprocessableError("can't be blank", pointer=POINTER, error="blank")
        return super().fill_defaults(values)

    def create(self, values: dict[str, Any]) -> Resource:
        """Make a row, which has a guest's address as it was sent."""
        return self.echo(super().create(values))

    def update(self, row: Resource, values: dict[str, Any]) -> Resource:
        """Change the locked `row`, which has a guest's address as it was sent."""
        return self.echo(super().update(row, values))

    def echo(self, row: Any) -> Any:
        """`row`, with the address that a guest has sent."""
        row.sent_email = self.sent_email
        return row

    def _customer_of(self, email: str, given: Customer | None) -> Customer:
        """The customer with the address `email`, who is `given` where one is."""
        if self.owner:
            if email_key(email) != self.owner.email_key:  # whoever else has it
                raise errors.UnprocessableError("must be the customer's", pointer=POINTER)
            return self.owner
        if not self.principal.sees_all:
            self.sent_email = email
        found = self._find_customer(email, make=self.makes_customers and not given)
        if given and given != found:
            raise errors.UnprocessableError("must be the customer's", pointer=POINTER)
        return found

    def _find_customer(self, email: str, *, make: bool) -> Customer:
        mode, actor = self.principal.mode, self.principal.actor
        try:
            if make:
                return customers.customer_for_email(email, mode=mode, actor=actor)
            return customers.customer_by_email(email, mode=mode)
        except customers.CustomerNotFoundError as error:
            raise errors.UnprocessableError("must exist", pointer=POINTER, error="blank") from error
        except ValidationError as error:
            raise errors.UnprocessableError(error.messages[0], pointer=POINTER) from error
