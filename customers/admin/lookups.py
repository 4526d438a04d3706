"""What lists may be filtered by: what they offer, and nothing else that an address may ask for."""

from collections.abc import Sequence

from django.contrib import admin
from django.http import HttpRequest

ENDS = {"", "exact", "isnull", "id__exact"}  # how Django's filters end the parameters they make
LONGEST_NUMBER = 18  # digits, which fit every column


class OfferedLookups(admin.ModelAdmin):
    """A list that is filtered by the fields in `list_filter` and by the `linked_lookups`."""

    linked_lookups: Sequence[str] = ()  # of links on other pages

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Whether an address may filter by `lookup` and `value`."""
        name, _, end = lookup.partition("__")
        offered = name in self.list_filter and end in ENDS
        fits = not (value.isdigit() and len(value) > LONGEST_NUMBER)
        return (offered and fits) or lookup in self.linked_lookups
