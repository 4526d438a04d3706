import uuid
from collections.abc import Iterable
from typing import Any

from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models import Q

from customers.db.declarations import Tells, clear, keep, redact
from customers.db.fields import InstantField, JsonField
from customers.db.indexes import JsonContainmentIndex, RowCountTriggers, TrigramIndex
from customers.models.base import Resource, Viewer
from customers.models.emails import EmailKeyField, validate_email_address


def new_reference() -> str:
    """32 random characters by which other systems may know a customer."""
    return uuid.uuid4().hex


def _new_reference(_customer):
    return new_reference()


def _address_of_nobody(customer):
    return f"{customer.pk}@anonymized.invalid"


class Customer(Resource):
    """A person who buys: registered when there is a password, a guest otherwise.

    At `email_refused_at` a mail server refused the address for good, saying `email_refusal`.
    """

    class Status(models.TextChoices):
        PROSPECT = "prospect", "Prospect"
        ACQUIRED = "acquired", "Acquired"
        REPEAT = "repeat", "Repeat"

    class AnonymizationStatus(models.TextChoices):
        REQUESTED = "requested", "Requested"
        STARTED = "started", "Started"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    # A request can still be cancelled, and what failed left the customer as it was.
    FORGOTTEN = (AnonymizationStatus.STARTED, AnonymizationStatus.COMPLETED)
    ANONYMIZING = (AnonymizationStatus.REQUESTED, *FORGOTTEN)  # nothing is begun with them

    import_key = "email"

    email = redact(
        models.CharField("e-mail", max_length=254, validators=[validate_email_address]),
        to=_address_of_nobody,
        tells=Tells.EMAIL,
        says="The e-mail address, which no two customers have, whatever the case of its letters.",
        example="ada@example.com",
    )
    email_key = EmailKeyField(of="email", max_length=3 * 254)  # lower case may be longer
    email_refused_at = clear(InstantField(null=True, editable=False), audited=False, exported=False)
    email_refusal = clear(  # what the mail server said, which may quote the address
        models.CharField(max_length=255, null=True, editable=False), audited=False, exported=False
    )
    password = clear(
        models.CharField(max_length=255, null=True, editable=False), secret=True, exported=False
    )
    status = keep(
        models.CharField(max_length=10, choices=Status, default=Status.PROSPECT, editable=False),
        says="By the number of placed orders: prospect none, acquired one, repeat more.",
    )
    total_orders_count = keep(
        models.PositiveIntegerField(default=0, editable=False),
        says="How many of the customer's orders have been placed, those cancelled later, too.",
    )
    shopper_reference = redact(
        models.CharField(
            max_length=128,
            default=new_reference,
            null=True,
            blank=True,
            validators=[MinLengthValidator(3)],
        ),
        to=_new_reference,
        tells=Tells.CODE,
        says=(
            "The name by which a payment gateway knows the customer, of 3 to 128 characters; "
            "random where none was given."
        ),
        example="shopper-1815",
    )
    profile_id = redact(
        models.CharField(
            "profile id", max_length=255, default=new_reference, null=True, blank=True
        ),
        to=_new_reference,
        tells=Tells.CODE,
        says=(
            "The identifier of the customer's profile in another system; random where none was "
            "given."
        ),
        example="profile-1815",
    )
    tax_exemption_code = clear(
        models.CharField(max_length=255, null=True, blank=True),
        exported=False,
        says="The code by which a tax service exempts the customer.",
        example="EX-7",
    )
    anonymization_status = keep(
        models.CharField(max_length=10, choices=AnonymizationStatus, null=True, editable=False),
        says="How far the customer's anonymization is, null where none was asked for.",
    )
    anonymization_info = keep(
        JsonField(null=True, editable=False),
        because="it names who asked by id alone",
        says=(
            "The moments of each step of the anonymization, and the ids of who asked for it and "
            "who cancelled it."
        ),
    )
    anonymize_at = keep(InstantField(null=True, editable=False, db_index=True))
    anonymization_attempts = keep(
        models.PositiveSmallIntegerField(default=0, db_default=0, editable=False), audited=False
    )
    customer_group = keep(
        models.ForeignKey(
            "CustomerGroup", models.PROTECT, related_name="customers", null=True, blank=True
        ),
        says="The group that the customer is in.",
    )
    tags: "models.ManyToManyField[Any, Any]" = clear(
        models.ManyToManyField("Tag", related_name="customers", blank=True)
    )

    class Meta(Resource.Meta):
        db_table = "customers"
        permissions = [
            ("reset_customer_password", "Can send customers a link to choose a new password"),
            ("invite_customers", "Can invite guests to choose a password"),
            ("change_customer_email", "Can change the e-mail addresses of customers"),
            ("merge_customers", "Can merge duplicate customers"),
            ("anonymize_customers", "Can have customers anonymized"),
            ("import_customers", "Can import customers from a file"),
            ("export_customers", "Can export customers to a file"),
        ]
        constraints = [
            *Resource.Meta.constraints,
            models.UniqueConstraint(
                fields=["mode", "email_key"],
                name="customers_email_unique",
                violation_error_message="has already been taken",
                violation_error_code="taken",
            ),
            models.CheckConstraint(
                condition=Q(total_orders_count=0, status="prospect")
                | Q(total_orders_count=1, status="acquired")
                | Q(total_orders_count__gte=2, status="repeat"),
                name="customers_status_follows_orders",
                violation_error_message="does not fit the number of orders",
            ),
        ]
        indexes = [
            *Resource.Meta.indexes,
            models.Index(fields=["mode", "status", "-created_at", "id"], name="customers_status"),
            models.Index(fields=["mode", "status", "id"], name="customers_by_status"),
            models.Index(fields=["mode", "total_orders_count", "id"], name="customers_orders"),
            models.Index(
                fields=["mode", "anonymization_status", "id"], name="customers_anonymization"
            ),
            TrigramIndex(fields=["email_key"], name="customers_email_parts"),
            models.Index(  # one or two letters, which are in no trigram
                fields=["mode", "email_key"],
                opclasses=["", "varchar_pattern_ops"],
                name="customers_email_begins",
            ),
            JsonContainmentIndex(fields=["metadata"], name="customers_metadata"),
            RowCountTriggers(fields=["mode", "status"], name="customers_tallied"),
        ]

    def __str__(self) -> str:
        return self.email

    def __repr__(self) -> str:
        return f"<Customer: {self.pk}>"

    def prepare_save(self, update_fields: Iterable[str] | None) -> set[str] | None:
        """Of another address it is not known that it was refused."""
        names = super().prepare_save(update_fields)
        if names is not None and "email" in names:
            self.email_refused_at = self.email_refusal = None
            names |= {"email_refused_at", "email_refusal"}
        return names

    @classmethod
    def visible_q(cls, principal: Viewer) -> Q:
        """A customer sees itself."""
        return Q(pk=principal.owner_id or "")

    @property
    def status_for_order_count(self) -> str:
        """The status that the number of placed orders gives."""
        names = [self.Status.PROSPECT, self.Status.ACQUIRED, self.Status.REPEAT]
        return names[min(self.total_orders_count, 2)]

    @property
    def has_password(self) -> bool:
        """Whether the customer is registered: one without a password is a guest."""
        return self.password is not None

    @property
    def is_forgotten(self) -> bool:
        """Whether its anonymization has begun: nothing is written about it any more."""
        return self.anonymization_status in self.FORGOTTEN

    @property
    def is_being_anonymized(self) -> bool:
        """Whether its anonymization has been asked for, has begun, or is done."""
        return self.anonymization_status in self.ANONYMIZING
