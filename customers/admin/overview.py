"""The console's first page: how the customers are doing, in numbers and small pictures."""

from typing import Any

from django.urls import reverse
from django.utils.html import format_html

from customers.models import Customer
from customers.services import statistics

CHART_HEIGHT = 96
BAR_STEP, BAR_WIDTH = 20, 15
STRIP_WIDTH, GAP = 600, 3
NEWEST = 4


def overview(mode: str, *, shows_webhooks: bool) -> dict[str, Any]:
    """What the overview's template shows of `mode`."""
    by_day, by_status = statistics.sign_ups(mode), statistics.by_status(mode)
    dates = list(by_day)
    statuses = [_status(status, number) for status, number in by_status.items()]
    return {
        "bars": _bars(by_day),
        "width": BAR_STEP * len(by_day),
        "first": dates[0],
        "last": dates[-1],
        "new": f"{sum(by_day.values()):,}",
        "today": by_day[dates[-1]],
        "statuses": statuses,
        "parts": _strip(by_status),
        "total": f"{sum(by_status.values()):,}",
        "resets": statistics.resets(mode),
        "webhooks": list(statistics.failing_webhooks(mode)) if shows_webhooks else None,
        "newest": Customer.objects.in_mode(mode).order_by("-created_at", "-id")[:NEWEST],
    }


def _status(status, number):
    changelist = reverse("admin:customers_customer_changelist")
    address = format_html("{}?filter[q][status_eq]={}", changelist, status.value)
    return {
        "status": status.value,
        "label": status.label,
        "number": f"{number:,}",
        "address": address,
    }


def _bars(by_day):
    """A bar for each day, the highest as high as the chart; a line where nothing happened."""
    most = max(by_day.values()) or 1
    bars = []
    for place, (date, number) in enumerate(by_day.items()):
        height = max(round(CHART_HEIGHT * number / most), 2)
        bars.append(
            {
                "date": date,
                "number": number,
                "x": place * BAR_STEP,
                "y": CHART_HEIGHT - height,
                "width": BAR_WIDTH,
                "height": height,
            }
        )
    return bars


def _strip(by_status):
    """The parts of a strip as long as STRIP_WIDTH, in proportion to the numbers."""
    shown = {status: number for status, number in by_status.items() if number}
    total, x = sum(shown.values()), 0
    free = STRIP_WIDTH - GAP * (len(shown) - 1)
    parts = []
    for status, number in shown.items():
        width = round(free * number / total, 1)
        parts.append(
            {
                "status": status.value,
                "label": status.label,
                "number": number,
                "x": x,
                "width": width,
            }
        )
        x += width + GAP
    return parts
