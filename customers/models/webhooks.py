import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from customers.db.declarations import keep
from customers.db.fields import InstantField, JsonField
from customers.db.indexes import by_each
from customers.models.base import Resource, ResourceQuerySet
from customers.models.callback_headers import validate_callback_headers
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


class WebhookQuerySet(ResourceQuerySet["Webhook"]):
    def callable_at(self, moment: datetime) -> Self:
        """Those that are on, whose circuit is closed and whose receiver is not to be spared."""
        return self._on_at(moment).filter(circuit_state=Webhook.Circuit.CLOSED)

    def probed_at(self, moment: datetime) -> Self:
        """Those that are on and whose open circuit may be tried by one call."""
        return self._on_at(moment).filter(circuit_state=Webhook.Circuit.OPEN)

    def _on_at(self, moment: datetime) -> Self:
        rested = Q(next_call_at=None) | Q(next_call_at__lte=moment)
        return self.filter(rested, disabled_at=None)


class Webhook(Resource):
    """An address that is called for every event of one topic.

    Its circuit opens, and calls wait, when too many calls in a row have failed. None is made
    before `next_call_at`: the receiver asked for that time, or the open circuit is tried then,
    after `failed_probes` that were in vain. `callback_headers`, credentials most often, go with
    each call and are shown to nobody. `disabled_reason` says why the service switched it off.
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
    callback_headers = keep(
        JsonField(null=True, editable=False, validators=[validate_callback_headers]),
        because="they are what a receiver asks for",
        secret=True,
        exported=False,
        says="Headers that calls carry besides, such as Authorization, by name; never shown.",
        example={"X-Token": "secret"},
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
    disabled_reason = keep(models.CharField(max_length=255, null=True, editable=False))
    circuit_state = keep(
        models.CharField(max_length=6, choices=Circuit, default=Circuit.CLOSED, editable=False),
        says="Whether calls go out: closed when they do, open when too many in a row have failed.",
    )
    circuit_failure_count = keep(
        models.PositiveIntegerField(default=0, editable=False),
        says="How many calls in a row have failed.",
    )
    next_call_at = keep(InstantField(null=True, editable=False), audited=False)
    failed_probes = keep(
        models.PositiveIntegerField(default=0, db_default=0, editable=False), audited=False
    )

    objects: ClassVar = WebhookQuerySet.as_manager()

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
        """It is named by the id when nobody named it, and another address need not be spared."""
        if not self.name:
            self.name = f"Webhook {self.pk}"
        names = super().prepare_save(update_fields)
        if names is not None and "callback_url" in names:
            self.next_call_at = None
            names.add("next_call_at")
        return names

    def close_circuit(self) -> None:
        """Let calls go out again, at once; nothing is saved."""
        self.circuit_state = self.Circuit.CLOSED
        self.circuit_failure_count = self.failed_probes = 0
        self.next_call_at = None
