from django.db import models

from customers.db.declarations import clear, keep, scrub
from customers.db.fields import JsonField
from customers.db.indexes import by_each
from customers.models.base import Resource


class EventCallback(Resource):
    """One call of a webhook: what was sent where, and what was answered.

    `response_code` is None when there was no answer; `response_message` then says why.
    """

    exportable = importable = False

    webhook = keep(
        models.ForeignKey("Webhook", models.CASCADE, related_name="last_event_callbacks"),
        says="The webhook that was called.",
    )
    event = keep(
        models.ForeignKey("Event", models.CASCADE, related_name="last_event_callbacks"), way=True
    )
    callback_url = keep(
        models.CharField("callback URL", max_length=2000),
        says="The web address that was called.",
        example="https://example.com/callbacks",
    )
    payload = clear(JsonField(null=True), searched=True, says="The document that was sent.")
    response_code = keep(
        models.CharField(max_length=3, null=True),
        says="The HTTP status that was answered, null without an answer.",
        example="200",
    )
    response_message = scrub(
        models.CharField(max_length=255, null=True),
        says="What was answered, or why nothing was.",
        example="OK",
    )

    class Meta(Resource.Meta):
        db_table = "event_callbacks"
        verbose_name = "event callback"
        indexes = [
            *Resource.Meta.indexes,
            *by_each("response_code", "response_message", "callback_url"),
            models.Index(fields=["created_at"], name="event_callbacks_by_age"),
        ]

    def __str__(self) -> str:
        return self.id
