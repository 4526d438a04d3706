import secrets
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from customers.db.declarations import keep
from customers.db.fields import InstantField, JsonField
from customers.db.indexes import by_each
from customers.models.base import Resource
from customers.models.events import TOPICS
from customers.models.transitions import move


def new_secret() -> str:
    """32 random hexadecimal digits by which a receiver knows that a call is ours."""
    return secrets.token_hex(16)


def validate_topic(value: str) -> None:
    if value not in TOPICS:
        raise ValidationError("is not a topic", code="inclusion")


def validate_paths(value: Any) -> None:
    if value is not None and not (
        isinstance(value, list) and all(isinstance(path, str) for path in value)
    ):
        raise ValidationError("must be a list of relationship paths", code="invalid")


class Webhook(Resource):
    """An address that is called for every event of one topic.

    Its circuit opens, and calls wait, when too many calls in a row have failed.
    """

    exportable = importable = False

    class Circuit(models.TextChoices):
        CLOSED = "closed", "Closed"
        OPEN = "open", "Open"

    transitions = {"disable": move(stamp="disabled_at"), "enable": move(clears="disabled_at")}

    name = keep(
        models.CharField(max_length=255, null=True, blank=True),
        says=(
            "What people call the webhook; no two have the same, and the id is taken where none is "
            "given."
        ),
    )
    topic = keep(
        models.CharField(max_length=64, validators=[validate_topic]),
        says="The events that it is called for, by their name.",
        example="customers.create",
    )
    callback_url = keep(
        models.CharField("callback URL", max_length=2000),
        says="The public web address (https) that is called.",
        example="https://192.0.32.10/callbacks",
    )
    include_resources = keep(
        JsonField(null=True, blank=True, default=list, validators=[validate_paths]),
        because="only paths are taken",
        says="The paths of relationships that come with the resource, such as customer_group.",
        example=["customer_group"],
    )
    shared_secret = keep(
        models.CharField(max_length=64, default=new_secret, editable=False),
        secret=True,
        exported=False,
        says="What calls are signed with; null to whoever may only read.",
    )
    disabled_at = keep(
        InstantField(null=True, editable=False),
        says="When it was switched off, null while it is on.",
    )
    circuit_state = keep(
        models.CharField(max_length=6, choices=Circuit, default=Circuit.CLOSED, editable=False),
        says="Whether calls go out: closed when they do, open when too many in a row have failed.",
    )
    circuit_failure_count = keep(
        models.PositiveIntegerField(default=0, editable=False),
        says="How many calls in a row have failed.",
    )

    class Meta(Resource.Meta):
        db_table = "webhooks"
        constraints = [
            *Resource.Meta.constraints,
            models.UniqueConstraint(
                fields=["mode", "name"],
                name="webhooks_name_unique",
                violation_error_message="has already been taken",
                violation_error_code="taken",
            ),
        ]
        indexes = [
            *Resource.Meta.indexes,
            *by_each("topic", "disabled_at", "circuit_state", "circuit_failure_count"),
        ]

    def __str__(self) -> str:
        return self.name or f"Webhook {self.pk}"

    def prepare_save(self, update_fields: Iterable[str] | None) -> set[str] | None:
        """It is named by the id when nobody named it."""
        if not self.name:
            self.name = f"Webhook {self.pk}"
        return super().prepare_save(update_fields)
