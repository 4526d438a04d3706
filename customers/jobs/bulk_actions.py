"""What staff can do to many customers at once: a class each, which is all that a new one costs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from django.conf import settings

from customers.jobs import mails
from customers.models import Customer, CustomerGroup, QueuedMail
from customers.resources import operations
from customers.services import audit, principals, row_changes, tagging
from customers.services.actors import Actor

Options: TypeAlias = Mapping[str, Any]

ACTIONS: dict[str, "BulkAction"] = {}  # by kind


class CustomerSkippedError(Exception):
    """It cannot be done to this customer; the message, a few words, says why."""


class BulkAction:
    """Something that is done to many customers; whoever writes a subclass has registered it.

    The sentences are whole ones: `{customers}` stands for "3 customers", `{chosen}` for what was
    chosen. The console offers it to whoever has the `permission`, and asks before it is done.
    """

    kind: ClassVar[str]  # its name among the list's actions, and in the table of bulk acts
    title: ClassVar[str]
    permission: ClassVar[str]
    chooses: ClassVar[str | None] = None  # the field of customers whose value is to be chosen
    explanation: ClassVar[str]  # what will happen
    button: ClassVar[str]
    done: ClassVar[str]  # what has happened

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        ACTIONS[cls.kind] = cls()

    def apply(
        self, customers: Sequence[Customer], options: Options, actor: Actor | None
    ) -> Iterable[str]:
        """Do it to the locked `customers`; returns, of each who was skipped, the reason.

        `options` are {"tags": "a,b"} or {"customer_group": id or None}, as `chooses` says.
        """
        for customer in customers:
            try:
                self.apply_to(customer, options, actor)
            except CustomerSkippedError as error:
                yield str(error)

    def apply_to(self, customer: Customer, options: Options, actor: Actor | None) -> None:
        """Do it to the locked `customer`. Raises CustomerSkippedError."""
        raise NotImplementedError


class AddTags(BulkAction):
    kind = "add_tags"
    title = "Add tags"
    permission = "customers.change_customer"
    chooses = "tags"
    explanation = "The tags are added to those that each customer has."
    button = "Add to {customers}"
    done = "Added {chosen} to {customers}."

    def apply(
        self, customers: Sequence[Customer], options: Options, actor: Actor | None
    ) -> Iterator[str]:
        for _ in tagging.retag_all(customers, add=options["tags"], actor=actor):
            yield f"more than {settings.MAX_TAGS} tags"


class RemoveTags(BulkAction):
    kind = "remove_tags"
    title = "Remove tags"
    permission = "customers.change_customer"
    chooses = "tags"
    explanation = "The tags are removed from each customer who has them."
    button = "Remove from {customers}"
    done = "Removed {chosen} from {customers}."

    def apply(
        self, customers: Sequence[Customer], options: Options, actor: Actor | None
    ) -> list[str]:
        tagging.retag_all(customers, remove=options["tags"], actor=actor)
        return []


class SetGroup(BulkAction):
    kind = "set_group"
    title = "Set the group"
    permission = "customers.change_customer"
    chooses = "customer_group"
    explanation = "Each customer leaves their group, and joins the one you choose."
    button = "Set for {customers}"
    done = "Set the group of {customers} to {chosen}."

    def apply_to(self, customer: Customer, options: Options, actor: Actor | None) -> None:
        group = options["customer_group"]
        if group and not CustomerGroup.objects.in_mode(customer.mode).filter(pk=group).exists():
            raise CustomerSkippedError("the group was deleted")
        before = audit.audited_values(customer)
        if before["customer_group_id"] != group:
            customer.customer_group_id = group
            customer.save(update_fields=["customer_group"])
            row_changes.record_update(customer, before, actor=actor)


class SendReset(BulkAction):
    kind = "send_reset"
    title = "Send a password reset"
    permission = "customers.reset_customer_password"
    explanation = (
        "Each registered customer is sent a link to choose a new password. Guests, who have no "
        "password, are skipped."
    )
    button = "Send to {customers}"
    done = "Sent {customers} a link to choose a new password."

    def apply_to(self, customer: Customer, options: Options, actor: Actor | None) -> None:
        if not customer.has_password:
            raise CustomerSkippedError("guest, no password")
        mails.request_reset(customer.email, mode=customer.mode, actor=actor)


class SendInvitation(BulkAction):
    kind = "send_invitation"
    title = "Send an invitation"
    permission = "customers.invite_customers"
    explanation = (
        "Each guest is sent a link to choose a password, and so to register. Customers already "
        "registered are skipped."
    )
    button = "Send to {customers}"
    done = "Sent {customers} an invitation."

    def apply_to(self, customer: Customer, options: Options, actor: Actor | None) -> None:
        if customer.has_password:
            raise CustomerSkippedError("already registered")
        kind = QueuedMail.Kind.INVITATION
        mails.request_reset(customer.email, mode=customer.mode, actor=actor, kind=kind)


class RequestAnonymization(BulkAction):
    kind = "request_anonymization"
    title = "Request anonymization"
    permission = "customers.anonymize_customers"
    explanation = (
        "Personal data is permanently removed from each customer and all related records. Until "
        "it begins, each request can be cancelled on the customer's page."
    )
    button = "Request for {customers}"
    done = "Requested anonymization for {customers}."

    def apply_to(self, customer: Customer, options: Options, actor: Actor | None) -> None:
        principal = principals.InternalPrincipal(customer.mode, actor)
        try:
            operations.update(customer, principal, {"_request_anonymization": True})
        except operations.WriteRefusedError as error:
            raise CustomerSkippedError(error.errors[0][1]) from error
