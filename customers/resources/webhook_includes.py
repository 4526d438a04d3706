"""The documents that webhooks are told, and what these may include."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from customers.models import CustomerPaymentSource, Event, Resource, Webhook
from customers.resources import operations
from customers.resources.protocols import Principal
from customers.services import principals

URL_PARTS = ("self", "related")
UNTOLD = {"reset_password_token", "shared_secret", *CustomerPaymentSource.TOKENS}
MOST_BYTES = 2**20  # of a payload with what is included: the worker holds many at once


def check_webhook_includes(topic: str, paths: Iterable[str] | None, *, mode: str) -> None:
    """Check that documents about `topic`'s type can include `paths`.

    Raises operations.WriteRefusedError.
    """
    resource_type = topic.partition(".")[0]
    operations.check_include(resource_type, principals.service(mode), paths or ())


def validate_includes(values: Mapping[str, Any], webhook: Webhook | None, *, mode: str) -> None:
    """Raise ValidationError unless `webhook`, changed or made by `values`, has what it includes.

    Without a topic nothing is known of it.
    """
    topic = values.get("topic") or (webhook.topic if webhook else "")
    if not topic:
        return
    paths = values.get("include_resources", getattr(webhook, "include_resources", None))
    try:
        check_webhook_includes(topic, paths, mode=mode)
    except operations.WriteRefusedError as error:
        message = error.errors[0][1].rstrip(".")
        refused = ValidationError(f"cannot be: {message}", "invalid")
        raise ValidationError({"include_resources": refused}) from error


def payload_of(event: Event, webhook: Webhook) -> dict[str, Any]:
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
        document = operations.tombstone(event.resource_type, event.resource_id, principal)
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


def _document(row: Resource, principal: Principal, paths: list[str]) -> dict[str, Any]:
    try:
        return operations.document(row, principal, paths, MOST_BYTES)
    except operations.TooLargeError:
        return operations.document(row, principal) | {"meta": {"included_left_out": True}}


def _make_relative(links: dict[str, str]) -> None:
    for name in URL_PARTS:
        if name in links:
            links[name] = links[name].removeprefix(settings.PUBLIC_URL)
