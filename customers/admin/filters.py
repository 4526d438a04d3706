"""What the list of customers can be filtered by, in words and in the API's language."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any, TypeAlias

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format

from customers.admin.fields import offered
from customers.models import Customer, CustomerGroup
from customers.resources.filter_fields import InstantFormField
from customers.resources.segments import Filter

FilterPairs: TypeAlias = list[Filter]  # names of filter[q], each with its value

PARAMETER = re.compile(r"filter\[q\]\[([^\[\]]+)\]")
MOST = 50
MOMENTS = ("created_at_gteq", "created_at_lt")
MIDNIGHT = time(tzinfo=UTC)

# the tabs that all staff have
TABS: dict[str, FilterPairs] = {
    "All": [],
    "Registered": [("password_present", "true")],
    "Guests": [("password_present", "false")],
    "Prospects": [("status_eq", "prospect")],
    "Acquired": [("status_eq", "acquired")],
    "Repeat": [("status_eq", "repeat")],
}

# a name of filter[q]: its label on a chip
WORDS = {
    "status_eq": "Status",
    "status_in": "Status",
    "customer_group_id_eq": "Group",
    "tags_name_eq": "Tag",
    "tags_name_in": "Any tag",
    "password_present": "Registered",
    "created_at_gteq": "Created from",
    "created_at_lt": "Created before",
    "customer_subscriptions_reference_eq": "Subscribed to",
    "customer_addresses_address_country_code_in": "Country",
    "total_orders_count_gteq": "Orders, at least",
    "anonymization_status_eq": "Anonymization",
}


def filters_from_query(query: QueryDict) -> FilterPairs:
    """The filters in a query string, a QueryDict: pairs of a name of filter[q] and its value."""
    return [
        (match[1], value)
        for parameter, values in query.lists()
        if (match := PARAMETER.fullmatch(parameter))
        for value in values
    ][:MOST]


def without(filters: FilterPairs, place: int) -> FilterPairs:
    """`filters` but for the one at `place`."""
    return [pair for at, pair in enumerate(filters) if at != place]


def describe_filter(name: str, value: str, groups: Mapping[str, str]) -> tuple[str, str]:
    """A filter in words: what it is about and the value; `groups` maps ids to names."""
    if name == "customer_group_id_eq":
        value = groups.get(value, value)
    if name in MOMENTS and (moment := _moment(value)):
        value = date_format(timezone.localtime(moment), "j M Y, H:i T")
    if name == "password_present":
        value = {"true": "yes", "false": "no"}.get(value, value)
    return WORDS.get(name, name), value.replace(",", ", ")


class FilterForm(forms.Form):
    """The filters that staff choose from."""

    status = forms.MultipleChoiceField(
        choices=Customer.Status, required=False, widget=forms.CheckboxSelectMultiple
    )
    registered = forms.ChoiceField(
        choices=[("", "Either"), ("true", "Registered"), ("false", "Guest")], required=False
    )
    group = forms.ModelChoiceField(CustomerGroup.objects.none(), required=False, empty_label="Any")
    tags = forms.CharField(
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"placeholder": "vip, newsletter", "list": "tag-names"}),
    )
    match = forms.ChoiceField(
        label="of these tags", choices=[("any", "Any"), ("all", "All")], required=False
    )
    created_from = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    created_before = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    subscribed_to = forms.CharField(
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"placeholder": "newsletter"}),
    )
    countries = forms.CharField(
        required=False, max_length=100, widget=forms.TextInput(attrs={"placeholder": "IT, GB"})
    )
    orders = forms.IntegerField(label="Orders, at least", required=False, min_value=0)

    def __init__(self, *args: Any, mode: str, **options: Any) -> None:
        super().__init__(*args, **options)
        offered(self, "group", CustomerGroup.objects.in_mode(mode))

    def filters(self) -> FilterPairs:
        """What was chosen, as pairs of a name of filter[q] and a value."""
        chosen = self.cleaned_data
        tags = _listed(chosen["tags"].lower())
        pairs = [
            ("status_in", ",".join(chosen["status"])),
            ("password_present", chosen["registered"]),
            ("customer_group_id_eq", chosen["group"] and chosen["group"].pk),
            *([("tags_name_eq", tag) for tag in tags] if chosen["match"] == "all" else []),
            ("tags_name_in", "" if chosen["match"] == "all" else ",".join(tags)),
            ("created_at_gteq", _beginning(chosen["created_from"])),
            ("created_at_lt", _beginning(chosen["created_before"])),
            ("customer_subscriptions_reference_eq", chosen["subscribed_to"]),
            (
                "customer_addresses_address_country_code_in",
                ",".join(_listed(chosen["countries"].upper())),
            ),
            ("total_orders_count_gteq", chosen["orders"]),
        ]
        return [(name, str(value)) for name, value in pairs if value not in (None, "")]

    @staticmethod
    def initial_of(filters: FilterPairs) -> dict[str, Any]:
        """The form's values for `filters`; those that it has no field for are left out."""
        asked = QueryDict(mutable=True)
        for name, value in filters:
            asked.appendlist(name, value)
        every = asked.getlist("tags_name_eq")
        return {
            "status": (asked.get("status_in") or asked.get("status_eq") or "").split(","),
            "registered": asked.get("password_present"),
            "group": asked.get("customer_group_id_eq"),
            "tags": ", ".join(every) or asked.get("tags_name_in", "").replace(",", ", "),
            "match": "all" if every else "any",
            "created_from": _day(asked.get("created_at_gteq")),
            "created_before": _day(asked.get("created_at_lt")),
            "subscribed_to": asked.get("customer_subscriptions_reference_eq"),
            "countries": asked.get("customer_addresses_address_country_code_in"),
            "orders": asked.get("total_orders_count_gteq"),
        }


def _beginning(day):
    """When `day` begins in the zone at work, as the API reads it: as a day where that is UTC."""
    if day is None:
        return None
    moment = datetime.combine(day, time.min, timezone.get_current_timezone()).astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment.timetz() != MIDNIGHT else day.isoformat()


def _moment(text):
    """The moment that a filter's text names, None where it is none."""
    try:
        return InstantFormField().to_python(text)
    except ValidationError:
        return None


def _day(text):
    """The day on which the moment of a filter's text is in the zone at work; else the text."""
    moment = text and _moment(text)
    return timezone.localtime(moment).date().isoformat() if moment else text


def _listed(text):
    return [part.strip() for part in text.split(",") if part.strip()]
