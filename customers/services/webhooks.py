"""Whom webhooks call, and what their triggers and those of events do to the locked row."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from customers.models import Event, Webhook, new_secret
from customers.services import audit, webhook_addresses
from customers.services.actors import Actor

CIRCUIT = ["circuit_state", "circuit_failure_count", "next_call_at", "failed_probes"]
GONE = "The receiver answered 410 (Gone)."


def validate_callback_url(url: str) -> None:
    """Raise ValidationError unless `url`, without its user, is one that may be called."""
    try:
        bare, _ = webhook_addresses.split_user(url)
        webhook_addresses.check_url(bare)
    except webhook_addresses.ForbiddenAddressError as error:
        raise ValidationError(str(error), "invalid") from error


def receiver_values(values: Mapping[str, Any], webhook: Webhook | None) -> dict[str, Any]:
    """`values` of `webhook`, or of a new one, with the address and the headers as they are kept.

    A user and a password in the address, one that was validated, become the header Authorization,
    so that nobody is shown them. Headers that are kept go to no other receiver: with another
    scheme, host or port they are gone unless they are given anew.
    """
    if not values.keys() & {"callback_url", "callback_headers"}:
        return dict(values)
    old = webhook.callback_url if webhook else None
    url, authorization = webhook_addresses.split_user(values.get("callback_url", old) or "")
    kept = webhook.callback_headers if webhook and _is_same_receiver(webhook, url) else None
    headers = dict(values.get("callback_headers", kept) or {})
    if authorization:
        others = {name: text for name, text in headers.items() if name.lower() != "authorization"}
        headers = {**others, "Authorization": authorization}
    found = {**values, "callback_headers": headers or None}
    return {**found, "callback_url": url} if "callback_url" in values else found


def _is_same_receiver(webhook, url):
    return webhook_addresses.origin(webhook.callback_url) == webhook_addresses.origin(url)


def reset_circuit(webhook: Webhook, *, actor: Actor | None) -> None:
    """Let calls go out again, whatever the receiver has asked for."""
    webhook.close_circuit()
    webhook.save(update_fields=CIRCUIT)


def regenerate_secret(webhook: Webhook, *, actor: Actor | None) -> None:
    """Sign with a new secret from now on."""
    webhook.shared_secret = new_secret()
    webhook.save(update_fields=["shared_secret"])


def disable_webhook(webhook: Webhook, *, actor: Actor | None) -> None:
    """Make no calls; one that is off stays off, and its owner knows why."""
    webhook.disabled_at = webhook.disabled_at or timezone.now()
    webhook.disabled_reason = None
    webhook.save(update_fields=["disabled_at", "disabled_reason"])


def disable_gone(webhook: Webhook) -> None:
    """Make no calls of the locked `webhook` any more, since its receiver wants none."""
    before = audit.audited_values(webhook)
    webhook.disabled_at, webhook.disabled_reason = timezone.now(), GONE
    webhook.save(update_fields=["disabled_at", "disabled_reason"])
    changes = audit.changes_between(before, audit.audited_values(webhook))
    audit.record(webhook, "update", actor=None, changes=changes)


def enable_webhook(webhook: Webhook, *, actor: Actor | None) -> None:
    """Make calls again."""
    webhook.disabled_at = webhook.disabled_reason = None
    webhook.save(update_fields=["disabled_at", "disabled_reason"])


def replay(event: Event, *, actor: Actor | None) -> None:
    """Call the webhooks of the `event`'s topic for it once more."""
    Event.objects.filter(pk=event.pk).update(undispatched=True)
    audit.record(event, "update", actor=actor)
