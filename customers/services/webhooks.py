"""What the triggers of webhooks and of events do to the locked row."""

from django.core.exceptions import ValidationError
from django.utils import timezone

from customers.models import Event, Webhook, new_secret
from customers.services import audit, webhook_addresses
from customers.services.actors import Actor


def validate_callback_url(url: str) -> None:
    """Raise ValidationError unless `url` is one that may be called."""
    try:
        webhook_addresses.check_url(url)
    except webhook_addresses.ForbiddenAddressError as error:
        raise ValidationError(str(error), "invalid") from error


def reset_circuit(webhook: Webhook, *, actor: Actor | None) -> None:
    """Let calls go out again."""
    webhook.circuit_state = Webhook.Circuit.CLOSED
    webhook.circuit_failure_count = 0
    webhook.save(update_fields=["circuit_state", "circuit_failure_count"])


def regenerate_secret(webhook: Webhook, *, actor: Actor | None) -> None:
    """Sign with a new secret from now on."""
    webhook.shared_secret = new_secret()
    webhook.save(update_fields=["shared_secret"])


def disable(webhook: Webhook, *, actor: Actor | None) -> None:
    """Make no calls; one that is off stays off."""
    webhook.disabled_at = webhook.disabled_at or timezone.now()
    webhook.save(update_fields=["disabled_at"])


def enable(webhook: Webhook, *, actor: Actor | None) -> None:
    """Make calls again."""
    webhook.disabled_at = None
    webhook.save(update_fields=["disabled_at"])


def replay(event: Event, *, actor: Actor | None) -> None:
    """Call the webhooks of the `event`'s topic for it once more."""
    Event.objects.filter(pk=event.pk).update(undispatched=True)
    audit.record(event, "update", actor=actor)
