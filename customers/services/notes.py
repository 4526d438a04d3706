"""What staff write about a customer: attachments that are marked as notes."""

from django.db import transaction
from django.db.models import QuerySet

from customers.models import Attachment, Customer
from customers.services import audit
from customers.services.actors import Actor
from customers.services.orders import lock_customers

ORIGIN = "app-orders--note"  # how the hosted dashboard marks its notes
MARK = "--note"  # how every one of its applications ends the mark


def notes_on(customer: Customer) -> QuerySet[Attachment]:
    """The attachments of `customer` that are notes, the latest first."""
    return customer.attachments.filter(reference_origin__endswith=MARK).order_by("-id")


def add_note(customer: Customer, text: str, *, author: str, actor: Actor | None) -> Attachment:
    """Write `text` down about `customer`, in the name of `author`; return the attachment."""
    with transaction.atomic():
        lock_customers(customer.pk)
        note = Attachment.objects.create(
            mode=customer.mode,
            customer=customer,
            name=author[:255],
            description=text,
            reference_origin=ORIGIN,
        )
        audit.record(note, "create", actor=actor)
    return note
