"""Webhooks: what may be one, and what its triggers do to the locked row."""

from django.conf import settings
from django.utils import timezone

from customers.models import CustomerPaymentSource, Event, Webhook, new_secret
from customers.resources import operations
from customers.services import audit, principals

URL_PARTS = ("self", "related")
UNTOLD = {"reset_password_token", "shared_secret", *CustomerPaymentSource.TOKENS}
MOST_BYTES = 2**20  # of a payload with what is included: the worker holds many at once


def check_includes(topic, paths, *, mode):
    """Check that documents about `topic`'s type can include `paths`.

    Raises operations.WriteRefusedError."""
    resource_type = topic.partition(".")[0]
    operations.check_include(resource_type, principals.service(mode), paths or ())


def reset_circuit(webhook, *, actor):
    """Let calls go out again."""
    webhook.circuit_state = Webhook.Circuit.CLOSED
    webhook.circuit_failure_count = 0
    webhook.save(update_fields=["circuit_state", "circuit_failure_count"])


def regenerate_secret(webhook, *, actor):
    """Sign with a new secret from now on."""
    webhook.shared_secret = new_secret()
    webhook.save(update_fields=["shared_secret"])


def disable(webhook, *, actor):
    """Make no calls; one that is off stays off."""
    webhook.disabled_at = webhook.disabled_at or timezone.now()
    webhook.save(update_fields=["disabled_at"])


def enable(webhook, *, actor):
    webhook.disabled_at = None
    webhook.save(update_fields=["disabled_at"])


def replay(event, *, actor):
    """Call the webhooks of the `event`'s topic for it once more."""
    Event.objects.filter(pk=event.pk).update(undispatched=True)
    audit.record(event, "update", actor=actor)


def payload_of(event, webhook):
    """What `webhook` is told about `event`: the document of the row as it is now.

    Of a row that is gone it holds the id alone. Links are relative. Secrets are left out,
    whatever is included: the payload goes elsewhere, and is kept with the callback. Where what
    is to be included is too large, nothing is, and `meta` says so: the receiver can fetch it.
    """
    principal = principals.service(event.mode)
    row = None
    if not event.name.endswith(".destroy"):
        row = operations.row(event.resource_type, event.resource_id, principal)
    if row is None:
        document = operations.remains(event.resource_type, event.resource_id, principal)
    else:
        paths = list(webhook.include_resources or ())
        if event.name.endswith(".tagged") and "tags" not in paths:
            paths.append("tags")
        document = _document(row, principal, paths)
    for resource in [document["data"], *document.get("included", ())]:
        for name in UNTOLD & resource["attributes"].keys():
            del resource["attributes"][name]
        _make_relative(resource["links"])
        for relationship in resource.get("relationships", {}).values():
            _make_relative(relationship["links"])
    return document


def _document(row, principal, paths):
    try:
        return operations.document(row, principal, paths, MOST_BYTES)
    except operations.TooLargeError:
        return operations.document(row, principal) | {"meta": {"included_left_out": True}}


def _make_relative(links):
    for name in URL_PARTS:
        if name in links:
            links[name] = links[name].removeprefix(settings.PUBLIC_URL)
