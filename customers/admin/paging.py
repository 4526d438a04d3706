"""Pages of the lists, however long these are."""

from django.core import paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

from customers.db.paging import Count, count_rows, load_page


class Paginator(paginator.Paginator):
    """As Django's; it neither counts every row each time nor reads those it passes over.

    Beyond settings.MAX_COUNTED rows the number may be an estimate.
    """

    object_list: QuerySet

    @cached_property
    def counted(self) -> Count:
        return count_rows(self.object_list)

    @property
    def count(self) -> int:
        return self.counted.number

    def page(self, number: int | str) -> paginator.Page:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        found = load_page(self.object_list, start, self.per_page, self.counted)
        return paginator.Page(found, number, self)
