"""What every answer carries, and what is answered when something outside of us fails."""

import sys

from django.conf import settings
from django.http import HttpResponse
from django.template.loader import render_to_string

from customers.api import errors
from customers.api.urls import router
from customers.services.faults import Fault, fault_of
from customers.services.passwords import Busy

POLICY = "; ".join(
    [
        "default-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "base-uri 'none'",
    ]
)


def content_security_policy(get_response):
    """Allow pages to load what this host serves, and nothing else (W3C CSP Level 3)."""

    def middleware(request):
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return middleware


MOST_LEARNED = 100  # hosts and schemes


def programs(get_response):
    """Answer what the API has a route for; the API's own `answered` stands further in.

    What the middleware between the two does to a program's answer depends on the host and
    the scheme alone, unless a script of another site sent the request: it adds headers.
    They are learned from the first answer and put on the others here.
    """
    learned = {}

    def middleware(request):
        path = request.path_info
        match = path.startswith("/api/") and router.resolve(path[5:])
        if not match:
            return get_response(request)
        match.route = f"api/{match.route}"
        request.resolver_match = match
        if "HTTP_ORIGIN" in request.META or request.method == "OPTIONS":
            return get_response(request)
        place = request.META.get("HTTP_HOST"), request.is_secure()
        if (added := learned.get(place)) is not None:
            response = _answer(request, match)
            response.headers._store.update(added)  # as they were when Django had checked them
            return response
        response = get_response(request)
        own = getattr(response, "own_headers", None)
        if own is not None and len(learned) < MOST_LEARNED:
            known = response.headers._store
            learned[place] = {key: pair for key, pair in known.items() if pair[0] not in own}
        return response

    return middleware


def answered(get_response):
    """What `programs` found a route for, without what only people need: sessions, forms."""

    def middleware(request):
        if not request.resolver_match:
            return get_response(request)
        response = _answer(request, request.resolver_match)
        response.own_headers = {*response.headers}
        return response

    return middleware


def _answer(request, match):
    response = match.func(request, *match.args, **match.kwargs)
    response.headers["Content-Length"] = str(len(response.content))
    return response


class FaultMiddleware:
    """503 or 507 where something outside of the service failed: a sentence, and when to try again.

    In JSON:API's shape for programs, as a plain page for people.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        return failed(request, exception)


def failed(request, exception):
    """The response to `exception`, None when it is a mistake of ours."""
    if errors.is_api(request):
        return errors.failure(exception)
    fault = Fault(503, str(exception), 1) if isinstance(exception, Busy) else fault_of(exception)
    return fault and unavailable(request, fault)


def unavailable(request, fault):
    """The response that tells `fault`, to programs in JSON:API's shape, as a page to people."""
    if errors.is_api(request):
        return errors.told(fault)
    context = {"name": settings.ORGANIZATION_NAME, "fault": fault}
    page = render_to_string("unavailable.html", context)
    return HttpResponse(page, status=fault.status, headers=fault.headers)


def server_error(request):
    """What is answered to an exception that no view raised, but what is around the views."""
    return failed(request, sys.exc_info()[1]) or errors.server_error(request)
