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
        models.ForeignKey("Webhook", models.CASCADE, related_name="last_event_callbacks")
    )
    event = keep(
        models.ForeignKey("Event", models.CASCADE, related_name="last_event_callbacks"), way=True
    )
    callback_url = keep(models.CharField("callback URL", max_length=2000))
    payload = clear(JsonField(null=True), searched=True)
    response_code = keep(models.CharField(max_length=3, null=True))
    response_message = scrub(models.CharField(max_length=255, null=True))

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
