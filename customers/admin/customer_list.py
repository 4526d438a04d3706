"""The list of customers: tabs, segments and chips, in the API's own filters."""

import json
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.urls import reverse

from customers.admin.filters import (
    TABS,
    FilterForm,
    FilterPairs,
    describe_filter,
    filters_from_query,
    without,
)
from customers.admin.login import staff_of
from customers.models import Customer, CustomerGroup, Segment, Tag
from customers.resources import operations, segments
from customers.services import principals
from customers.services.environments import mode_of

MOST_TAGS = 200


class CustomerList(ChangeList):
    """Rows that fulfil the filter[q] of the address, with the words for them."""

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Django's own parameters: all but filter[q]."""
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if not name.startswith("filter[")}

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Customer]:
        self.asked, self.refusals = filters_from_query(request.GET), []
        mode = mode_of(request.session)
        try:
            principal = principals.staff(request.user, mode)
            self.root_queryset = segments.filtered_customers(self.asked, principal)
        except operations.WriteRefusedError as refused:
            self.refusals = refused.errors
            self.root_queryset = self.root_queryset.none()
        self.describe(staff_of(request), mode)
        return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        prefetch_related_objects(self.result_list, "tags")

    def describe(self, user: User, mode: str) -> None:
        """Set what the page shows above the rows."""
        saved = Segment.objects.in_mode(mode).is_editable_by(user).select_related("owner")
        names = dict(CustomerGroup.objects.in_mode(mode).values_list("pk", "name")[:MOST_TAGS])
        self.tabs = [self.tab(name, name, filters) for name, filters in TABS.items()]
        self.tabs += [self.tab(one.pk, one.name, one.filters, one) for one in saved]
        self.segment = next((tab["segment"] for tab in self.tabs if tab["current"]), None)
        self.own_segment = self.segment if self.segment and self.segment.owner == user else None
        self.can_be_saved = self.asked and not any(tab["current"] for tab in self.tabs)
        self.chips = [
            (*describe_filter(*pair, names), self.address(without(self.asked, place)))
            for place, pair in enumerate(self.asked)
        ]
        self.form = FilterForm(initial=FilterForm.initial_of(self.asked), mode=mode)
        self.tag_names = Tag.objects.in_mode(mode).order_by("name").values_list("name", flat=True)
        self.tag_names = self.tag_names[:MOST_TAGS]
        self.parameters = [(f"filter[q][{name}]", value) for name, value in self.asked]
        self.asked_json = json.dumps(self.asked)
        query = segments.query_of(self.asked)
        self.api_call = f"{settings.PUBLIC_URL}/api/customers" + (f"?{query}" if query else "")

    def tab(
        self, key: str, name: str, filters: FilterPairs, segment: Segment | None = None
    ) -> dict[str, Any]:
        current = sorted(map(tuple, filters)) == sorted(self.asked)
        address = self.address(filters)
        return {
            "key": key,
            "name": name,
            "address": address,
            "current": current,
            "segment": segment,
        }

    def address(self, filters: FilterPairs) -> str:
        """The list with `filters` and the same search."""
        return address_of(filters, self.query)


def address_of(filters: FilterPairs, text: str = "") -> str:
    """The list of customers with `filters` and the search for `text`."""
    parts = [segments.query_of(filters), urlencode({"q": text}) if text else ""]
    query = "&".join(part for part in parts if part)
    return f"{reverse('admin:customers_customer_changelist')}?{query}"
