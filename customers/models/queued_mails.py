from django.db import models
from django.utils import timezone

from customers.db.declarations import delete, keep
from customers.db.fields import IdField, InstantField, JsonField, new_id
from customers.models.base import Mode


class QueuedMail(models.Model):
    """A mail that somebody asked for, to an address that may be nobody's.

    It is made whether or not a customer has the address, so that asking takes the same
    time; the worker finds that out, sends it, and deletes the row. `customer` is whom it tells
    of a change that has been made; such a mail goes to the address of that moment.
    """

    class Kind(models.TextChoices):
        PASSWORD_RESET = "password_reset", "Password reset"
        INVITATION = "invitation", "Invitation"
        PASSWORD_CHANGED = "password_changed", "Password changed"
        EMAIL_CHANGED = "email_changed", "E-mail address changed"  # to the old one
        WEBHOOK_FAILING = "webhook_failing", "Webhook failing"  # to whoever runs the service
        WEBHOOK_GONE = "webhook_gone", "Webhook gone"  # to the same

    id = keep(IdField(primary_key=True, default=new_id, editable=False))
    mode = keep(models.CharField(max_length=4, choices=Mode))
    kind = keep(models.CharField(max_length=32, choices=Kind))
    email = delete(models.CharField(max_length=254))
    customer = delete(
        models.ForeignKey("Customer", models.SET_NULL, null=True, related_name="+"), moves=False
    )
    actor = keep(
        JsonField(null=True), because="it names who asked by id"
    )  # None: the owner of the address, or somebody who says so
    attempts = keep(models.PositiveIntegerField(default=0))
    next_attempt_at = keep(InstantField(default=timezone.now, db_index=True))

    class Meta:
        db_table = "queued_mails"

    def __str__(self) -> str:
        return self.id
