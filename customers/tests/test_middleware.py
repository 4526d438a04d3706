"""The middleware that settings.MIDDLEWARE lists is what every request passes."""

from contextlib import contextmanager

import pytest
from django.conf import settings
from django.http import HttpResponse

from customers.tests.factories import make_customer

PLACES = range(len(settings.MIDDLEWARE) + 1)
counted = []


def counting(get_response):
    def middleware(request):
        counted.append(request.path)
        return get_response(request)

    return middleware


def blocking(get_response):
    return lambda request: HttpResponse("blocked", status=418)


@contextmanager
def listed(settings, middleware, place):
    """With the `middleware` of this module at `place` of the list."""
    name = f"{__name__}.{middleware.__name__}"
    before = settings.MIDDLEWARE
    settings.MIDDLEWARE = [*before[:place], name, *before[place:]]
    yield
    settings.MIDDLEWARE = before


@pytest.mark.parametrize("place", PLACES)
def test_middleware_sees_each_request_wherever_it_is_listed(api, settings, place):
    customer = make_customer()
    counted.clear()
    with listed(settings, counting, place):
        for _ in range(3):
            assert api.get(f"/api/customers/{customer.pk}").status_code == 200
        assert api.update("customers", customer.pk, {"reference": "R-1"}).status_code == 200
        assert api.client.get("/admin/login/").status_code == 200
        assert api.client.get("/api/nothing").status_code == 404
    path = f"/api/customers/{customer.pk}"
    assert counted == [path, path, path, path, "/admin/login/", "/api/nothing"]


@pytest.mark.parametrize("place", PLACES)
def test_middleware_that_blocks_is_passed_by_nobody(api, settings, place):
    customer = make_customer()
    with listed(settings, blocking, place):
        for path in (f"/api/customers/{customer.pk}", "/api/customers", "/admin/login/"):
            assert api.client.get(path).status_code == 418
        assert api.update("customers", customer.pk, {"reference": "R-1"}).status_code == 418
        is_before_the_probes = place <= settings.MIDDLEWARE.index("project.health.health")
        assert (api.client.get("/livez").status_code == 418) is is_before_the_probes
    customer.refresh_from_db()
    assert customer.reference is None
