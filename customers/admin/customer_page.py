"""What the page of a customer shows beside its form."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, Model
from django.http import HttpRequest
from django.urls import reverse

from customers.admin import formatting
from customers.models import (
    Attachment,
    Customer,
    CustomerAddress,
    CustomerPaymentSource,
    CustomerSubscription,
    Event,
    EventStore,
    Order,
    OrderSubscription,
    Return,
    SkuList,
    Tag,
)
from customers.services import audit, notes, statistics

MOST = 10
MOST_EVENTS = 40
MOST_TAGS = 200

# topic: what happened, in words; {} stands for the row that it happened to
WORDS = {
    "customers.create": "Became a customer",
    "customers.acquired": "Placed the first order",
    "customers.repeat": "Became a repeat customer",
    "customers.create_password": "Registered with a password",
    "customers.metadata_update": "Metadata was changed",
    "customers.tagged": "Tags were changed",
    "customer_password_resets.create": "A link to choose a password was created",
    "customer_password_resets.destroy": "A link to choose a password was deleted",
    "customer_password_resets.reset_password": "A new password was chosen",
    "customer_addresses.create": "An address was added to the address book",
    "customer_subscriptions.create": "Subscribed to {}",
    "orders.create": "Order {} was created",
    "orders.pending": "Order {} is pending",
    "orders.place": "Order {} was placed",
    "orders.approve": "Order {} was approved",
    "orders.cancel": "Order {} was cancelled",
    "orders.tagged": "Order {} was tagged",
    "order_subscriptions.create": "Order subscription {} was created",
    "order_subscriptions.activate": "Order subscription {} was activated",
    "order_subscriptions.deactivate": "Order subscription {} was deactivated",
    "order_subscriptions.cancel": "Order subscription {} was cancelled",
}
MAILS = {
    ("invitation", "sent"): "Invited by e-mail to choose a password",
    ("invitation", "failed"): "An invitation could not be sent",
    ("invitation", "refused"): "An invitation was refused by the mail server",
}
OUTCOMES = {"sent": "was sent", "refused": "was refused by the mail server"}
KINDS = {"cancel": "bad", "reject": "bad", "destroy": "bad", "place": "good", "acquired": "good"}


class CustomerPage:
    """One customer as `request`'s member of staff may see it, in a constant number of queries."""

    def __init__(self, customer: Customer, request: HttpRequest) -> None:
        self.customer, self.request = customer, request
        self.initials, self.tint = formatting.initials(customer.email), formatting.tint(customer.pk)
        self.email = formatting.breakable(customer.email)
        self.state = formatting.pill(customer.status, customer.get_status_display())
        self.api_url = f"{settings.PUBLIC_URL}/api/customers/{customer.pk}"
        self.tags = sorted(customer.tags.all(), key=lambda tag: tag.name)
        self.tag_names = Tag.objects.in_mode(customer.mode).order_by("name")[:MOST_TAGS]
        self.may_change = _options(type(customer)).has_change_permission(request)
        self.is_forgotten = customer.is_being_anonymized
        self.may_note = _options(Attachment).has_add_permission(request)
        self.statistics = statistics.spending(customer) if self.sees(Order) else None
        self.orders = self.of(Order)
        self.returns = self.of(Return, "order")
        self.order_subscriptions = self.of(OrderSubscription)
        self.addresses = self.of(CustomerAddress, "address")
        self.wallet = self.of(CustomerPaymentSource)
        self.subscriptions = self.of(CustomerSubscription)
        self.sku_lists = self.lists()
        self.attachments, self.notes = self.attached()
        self.timeline = self.happened()

    def sees(self, model: type[Model]) -> bool:
        return _options(model).has_view_permission(self.request)

    def of(self, model: type[Model], *related: str) -> list[Model]:
        """The latest rows of `model` that are the customer's, at most MOST."""
        if not self.sees(model):
            return []
        rows = model._default_manager.filter(customer=self.customer, mode=self.customer.mode)
        if related:
            rows = rows.select_related(*related)
        return [_linked(row) for row in rows.order_by("-id")[:MOST]]

    def lists(self) -> list[Model]:
        if not self.sees(SkuList):
            return []
        rows = self.customer.sku_lists.annotate(items=Count("sku_list_items")).order_by("-id")
        return [_linked(row) for row in rows[:MOST]]

    def attached(self) -> tuple[list[Model], list[Attachment]]:
        """The attachments that are no notes, and the notes."""
        if not self.sees(Attachment):
            return [], []
        rows = self.customer.attachments.exclude(reference_origin__endswith=notes.MARK)
        rows = rows | self.customer.attachments.filter(reference_origin=None)
        written = notes.notes_on(self.customer)[:MOST_EVENTS]
        return [_linked(row) for row in rows.order_by("-id")[:MOST]], list(written)

    def happened(self) -> list[dict[str, Any]]:
        """What happened, the latest first: events of the customer and of the rows shown."""
        lines = [_note(note) for note in self.notes]
        if self.sees(Event):
            shown = [*self.orders, *self.returns, *self.order_subscriptions]
            about = {row.pk: row for row in [*shown, *self.subscriptions, *self.addresses]}
            resets = self.customer.customer_password_resets.order_by("-id")
            ids = [self.customer.pk, *about, *resets.values_list("pk", flat=True)[:MOST]]
            found = Event.objects.filter(mode=self.customer.mode, resource_id__in=ids)
            for event in found.order_by("-id")[:MOST_EVENTS]:
                lines.append(_happened(event, about.get(event.resource_id)))
        if self.sees(EventStore):
            log = EventStore.objects.filter(resource_id=self.customer.pk, event=audit.MAIL)
            lines += [_mailed(entry) for entry in log.order_by("-id")[:MOST_EVENTS]]
        return sorted(lines, key=lambda line: line["at"], reverse=True)[:MOST_EVENTS]


def _options(model):
    return admin.site.get_model_admin(model)


def _linked(row):
    """`row` with the address of its page, and its status as a pill where it has one."""
    row.page = reverse(f"admin:customers_{row._meta.model_name}_change", args=[row.pk])
    if hasattr(row, "get_status_display"):
        row.state = formatting.pill(row.status, row.get_status_display())
    return row


def _note(note):
    return {"at": note.created_at, "author": note.name, "text": note.description or ""}


def _mailed(entry):
    outcome_of = entry.payload.get("mail", {}).get("to")
    if outcome_of is None:  # forgotten with the person
        return {"at": entry.created_at, "words": "An e-mail was written", "kind": ""}
    kind, _, outcome = outcome_of.partition(" ")
    words = MAILS.get((kind, outcome)) or (
        f"E-mail “{kind.replace('_', ' ')}” {OUTCOMES.get(outcome, 'failed')}"
    )
    return {"at": entry.created_at, "words": words, "kind": "" if outcome == "sent" else "bad"}


def _happened(event, row):
    name = row if row is not None else "…"
    act = event.name.partition(".")[2]
    plain = event.name.replace("_", " ").replace(".", ": ").capitalize()
    if event.name.startswith("returns."):
        words = f"Return {name}: {act.replace('_', ' ')}"
    else:
        words = WORDS.get(event.name, plain).format(name)
    page = getattr(row, "page", None)
    return {"at": event.created_at, "words": words, "page": page, "kind": KINDS.get(act, "")}
