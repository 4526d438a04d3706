"""What is held on one customer, for whoever may see everything."""

import orjson
from django.http import HttpResponse
from rest_framework.request import Request

from customers.api import errors
from customers.api.base import ApiView
from customers.jobs import personal_data
from customers.models import Customer
from customers.resources.errors import UnauthorizedError
from customers.services import permissions


class PersonalDataView(ApiView):
    """/customers/{id}/personal_data"""

    def get(self, request: Request, pk: str) -> HttpResponse:
        """All of it. Raises UnauthorizedError."""
        if not permissions.may_see_everything(self.principal):
            raise UnauthorizedError
        self.query()
        customer = Customer.objects.visible_to(self.principal).with_id(pk)
        body = orjson.dumps({"data": None, "meta": {"personal_data": personal_data.of(customer)}})
        return HttpResponse(body, content_type=errors.CONTENT_TYPE)
