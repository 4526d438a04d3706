"""Saving, deleting and counting segments of customers."""

from collections.abc import Callable

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, DELETION
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
    JsonResponse,
)
from django.views.decorators.http import require_GET, require_POST

from customers.admin.base import log_admin_action
from customers.admin.customer_list import address_of
from customers.admin.filters import MOST, TABS, FilterForm
from customers.admin.login import staff_of
from customers.db.paging import count_rows
from customers.models import Customer, Segment
from customers.resources import operations, segments
from customers.services import principals, strict_json
from customers.services.environments import mode_of

MOST_SEGMENTS = 20  # of one's own, and shared by all


class SegmentForm(forms.ModelForm):
    class Meta:
        model = Segment
        fields = ["name", "shared"]


def for_viewers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """`view` for staff who may see customers; PermissionDenied for others."""

    def wrapped(request, **names):
        if not admin.site.get_model_admin(Customer).has_view_permission(request):
            raise PermissionDenied
        return view(request, **names)

    return wrapped


@require_GET
@for_viewers
def choose_filters(request: HttpRequest) -> HttpResponse:
    """The list with the filters that the form was filled with."""
    form = FilterForm(request.GET, mode=mode_of(request.session))
    if not form.is_valid():
        for name, errors in form.errors.items():
            label = form.fields[name].label or name.replace("_", " ").capitalize()
            messages.error(request, f"{label}: {' '.join(map(str, errors))}")
        return HttpResponseRedirect(address_of([]))
    return HttpResponseRedirect(address_of(form.filters(), request.GET.get("q", "")))


@require_POST
@for_viewers
def save(request: HttpRequest) -> HttpResponse:
    """Save the filters in `filters` under a name, for oneself or for all."""
    filters = _filters(request.POST.get("filters", ""))
    mode = mode_of(request.session)
    try:
        segments.filtered_customers(filters or [], principals.staff(request.user, mode))
    except operations.WriteRefusedError:
        filters = None
    if not filters:
        return HttpResponseBadRequest("These are not valid filters.\n", content_type="text/plain")
    segment = Segment(mode=mode, owner=staff_of(request), filters=filters)
    form = SegmentForm(request.POST, instance=segment)
    may_share = admin.site.get_model_admin(Customer).has_change_permission(request)
    if form.is_valid() and form.cleaned_data["shared"] and not may_share:
        form.add_error("shared", "You are not allowed to share segments.")
    saved = Segment.objects.in_mode(mode)
    own, shared = saved.filter(owner=staff_of(request)), saved.filter(shared=True)
    if form.is_valid() and own.filter(name=segment.name).exists():
        form.add_error("name", "You have a segment of this name already.")
    if form.is_valid() and own.count() >= MOST_SEGMENTS:
        form.add_error(None, f"You have {MOST_SEGMENTS} segments. Delete one first.")
    if form.is_valid() and form.cleaned_data["shared"] and shared.count() >= MOST_SEGMENTS:
        full = f"There are {MOST_SEGMENTS} shared segments. Save this one for yourself only."
        form.add_error("shared", full)
    if form.is_valid():
        segment.save(force_insert=True)
        log_admin_action(request, ADDITION, f"Saved “{segment.name}”.", Segment, segment.pk)
        messages.success(request, f"The segment “{segment.name}” was saved.")
    else:
        messages.error(
            request, " ".join(str(text) for texts in form.errors.values() for text in texts)
        )
    return HttpResponseRedirect(address_of(filters))


@require_POST
@for_viewers
def delete_segment(request: HttpRequest, pk: str) -> HttpResponse:
    """Delete one's own segment. 404 for another's."""
    own = Segment.objects.in_mode(mode_of(request.session)).filter(owner=staff_of(request))
    try:
        segment = own.get(pk=pk)
    except Segment.DoesNotExist as error:
        raise Http404("You have no such segment.") from error
    segment.delete()
    log_admin_action(request, DELETION, f"Deleted “{segment.name}”.", Segment, pk)
    messages.success(request, "The segment was deleted. Its customers were not changed.")
    return HttpResponseRedirect(address_of([]))


@require_GET
@for_viewers
def counts(request: HttpRequest) -> JsonResponse:
    """How many customers each tab and segment has, as JSON."""
    mode = mode_of(request.session)
    principal = principals.staff(request.user, mode)
    saved = Segment.objects.in_mode(mode).is_editable_by(staff_of(request))
    asked = {**TABS, **{segment.pk: segment.filters for segment in saved}}
    found = {key: _counted(filters, principal) for key, filters in asked.items()}
    response = JsonResponse({"counts": found})
    response.headers["Cache-Control"] = "no-store"
    return response


def _counted(filters, principal):
    try:
        found = count_rows(segments.filtered_customers(filters, principal))
    except operations.WriteRefusedError:  # a filter that an earlier version had
        return "?"
    return f"{found.number:,}" if found.exact else f"~{found.number:,}"


def _filters(text):
    """The pairs of texts in the JSON `text`, MOST at most, or None."""
    try:
        pairs = strict_json.read_strict_json(text.encode())
        return [(str(name), str(value)) for name, value in pairs] if len(pairs) <= MOST else None
    except (strict_json.InvalidJsonError, ValueError, TypeError):
        return None
