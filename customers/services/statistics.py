"""Numbers about customers: what one has spent, and how all are doing."""

from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from customers.db.paging import count_rows
from customers.models import Customer, CustomerPasswordReset, Order, Webhook, formatted

DAYS = 30


def spending(customer: Customer) -> dict[str, Any]:
    """The first and last placed order's moment, and what was spent, by currency.

    A dictionary of `first`, `last` and `spent`, a list of amounts as people write them.
    Currencies are never added up, and cancelled orders cost nothing.
    """
    amount = Coalesce("total_amount_with_taxes_cents", "total_amount_cents")
    placed = Order.objects.filter(customer=customer, placed_at__isnull=False).order_by()
    by_currency = placed.values("currency_code").annotate(
        first=Min("placed_at"),
        last=Max("placed_at"),
        cents=Sum(amount, filter=~Q(status=Order.Status.CANCELLED)),
    )
    rows = sorted(by_currency, key=lambda row: -(row["cents"] or 0))
    amounts = [formatted(row["cents"], row["currency_code"]) for row in rows]
    return {
        "first": min((row["first"] for row in rows), default=None),
        "last": max((row["last"] for row in rows), default=None),
        "spent": [text for text in amounts if text],
    }


def by_status(mode: str) -> dict[Customer.Status, int]:
    """The number of customers of each status, in the order of the statuses."""
    rows = Customer.objects.in_mode(mode)
    return {status: count_rows(rows.filter(status=status)).number for status in Customer.Status}


def sign_ups(mode: str) -> dict[date, int]:
    """The number of new customers of each of the last 30 days, by date, today last.

    Days are those of the time zone at work.
    """
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    start = today - timedelta(days=DAYS - 1)
    rows = Customer.objects.in_mode(mode).filter(created_at__gte=start).order_by()
    days = rows.annotate(day=TruncDate("created_at")).values("day").annotate(number=Count("pk"))
    found = {row["day"]: row["number"] for row in days}
    dates = [(start + timedelta(days=number)).date() for number in range(DAYS)]
    return {date: found.get(date, 0) for date in dates}


def resets(mode: str) -> dict[str, int]:
    """The password resets of the last seven days: how many began, how many of them ended well."""
    since = timezone.now() - timedelta(days=7)
    rows = CustomerPasswordReset.objects.in_mode(mode).filter(created_at__gte=since).order_by()
    return rows.aggregate(begun=Count("pk"), done=Count("reset_password_at"))


def failing_webhooks(mode: str, most: int = 5) -> QuerySet[Webhook]:
    """The webhooks whose last calls failed or whose receivers are gone, the worst first.

    At most `most`; of those that somebody has disabled, none.
    """
    failing = Q(disabled_at=None, circuit_failure_count__gt=0) | Q(disabled_reason__isnull=False)
    rows = Webhook.objects.in_mode(mode).filter(failing)
    return rows.order_by("-circuit_failure_count", "id")[:most]
