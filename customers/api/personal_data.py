"""What is held on one customer, for whoever may see everything."""

import orjson
from django.http import HttpResponse

from customers.api import errors
from customers.api.base import ApiView
from customers.jobs import personal_data
from customers.models import Customer


class PersonalDataView(ApiView):
    def get(self, request, pk):
        if not request.user.sees_all:
            raise errors.UnauthorizedError
        self._query()
        customer = Customer.objects.visible_to(request.user).with_id(pk)
        body = orjson.dumps({"data": None, "meta": {"personal_data": personal_data.of(customer)}})
        return HttpResponse(body, content_type=errors.CONTENT_TYPE)
