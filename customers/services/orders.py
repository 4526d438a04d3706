"""What an order means for its customer: a count, and a status that follows it."""

from customers.models import Customer, Event, Order, OrderSubscription
from customers.services import audit
from customers.services.actors import Actor
from customers.services.audit import Changes
from customers.services.customers import refuse_forgotten
from customers.services.transitions import apply_transition


def lock_customers(*ids: str | None, forgotten_too: bool = False) -> list[Customer]:
    """Lock the customers with the given ids, None left out, before anything that belongs to them.

    Returns them as they are under the lock. Raises ForgottenError when one has been
    anonymized, unless `forgotten_too`: whoever has waited for the anonymization finds it here.
    """
    wanted = sorted({pk for pk in ids if pk})
    if not wanted:
        return []
    found = list(Customer.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
    if not forgotten_too:
        refuse_forgotten(*found)
    return found


def count_order(customer_id: str | None, change: int, *, actor: Actor | None) -> None:
    """Add `change` to the number of a customer's placed orders and let its status follow.

    Writes customers.acquired and customers.repeat, each once in a customer's life. The
    caller's transaction holds the customer's lock.
    """
    if customer_id is None or not change:
        return
    customer = Customer.objects.select_for_update().get(pk=customer_id)
    before = audit.audited_values(customer)
    customer.total_orders_count += change  # under the lock
    customer.status = customer.status_for_order_count
    customer.save(update_fields=["total_orders_count", "status"])
    changes = audit.changes_between(before, audit.audited_values(customer))
    audit.record(customer, "update", actor=actor, changes=changes)
    reached = {"acquired": 1, "repeat": 2}
    for name, count in reached.items():
        if before["total_orders_count"] < count <= customer.total_orders_count:
            known = Event.objects.filter(resource_id=customer.pk, name=f"customers.{name}")
            if not known.exists():
                audit.publish(customer, name)


def follow_order(order: Order, changes: Changes, *, actor: Actor | None) -> None:
    """Count `order` for its customer when `changes`, of audit.changes_between, placed or moved it.

    Its returns and subscriptions go with it to another customer.
    """
    placed_before, _ = changes.get("placed_at", (order.placed_at, None))
    customer_before, _ = changes.get("customer_id", (order.customer_id, None))
    before = customer_before if placed_before else None
    after = order.customer_id if order.placed_at else None
    if before != after:
        count_order(before, -1, actor=actor)
        count_order(after, 1, actor=actor)
    if customer_before != order.customer_id:
        hand_over(order, actor=actor)
    if order.placed_at and not placed_before:
        activate_subscriptions(order, actor=actor)


def hand_over(order: Order, *, actor: Actor | None) -> None:
    """Give the returns and subscriptions of the locked `order` its customer."""
    for rows in (order.returns, order.order_subscriptions):
        for row in rows.select_for_update().order_by("pk"):
            before = audit.audited_values(row)
            row.customer = order.customer
            row.save(update_fields=["customer"])
            changes = audit.changes_between(before, audit.audited_values(row))
            audit.record(row, "update", actor=actor, changes=changes)


def activate_subscriptions(order: Order, *, actor: Actor | None) -> None:
    """Activate the drafts that repeat the `order`, just placed, and wait for it."""
    drafts = order.order_subscriptions.select_for_update().filter(
        status=OrderSubscription.Status.DRAFT, activate_by_source_order=True
    )
    for subscription in drafts:
        before = audit.audited_values(subscription)
        apply_transition(subscription, "activate")
        changes = audit.changes_between(before, audit.audited_values(subscription))
        audit.record(subscription, "update", actor=actor, changes=changes)
