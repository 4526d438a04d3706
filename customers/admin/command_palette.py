"""What the command palette (Ctrl+K) offers: pages, types, actions, segments and customers."""

from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.urls import reverse

from customers.admin.customer_list import address_of
from customers.admin.filters import TABS
from customers.admin.search import found_customers
from customers.models import Customer, Segment
from customers.services.environments import mode_of

MOST = 8
ACTIONS = {  # on one customer: the page of each, and the permission for it
    "Reset password": ("reset_password", "customers.reset_customer_password"),
    "Merge a duplicate": ("merge", "customers.merge_customers"),
    "Anonymize": ("anonymize", "customers.anonymize_customers"),
}


def answer(request: HttpRequest) -> JsonResponse:
    """Entries of a label, a hint and an address for the text `q`, as JSON."""
    text = request.GET.get("q", "").strip()
    offers = [*_pages(request), *_types(request), *(_in_the_list(request) if text else ())]
    named = [offer for offer in offers if _is_named(offer, text)]
    entries = [*_customers(request, text), *_actions(request, text), *named]
    response = JsonResponse({"entries": entries})
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_named(offer, text):
    """Whether the entry `offer` holds every word of `text`."""
    words = f"{offer['label']} {offer['hint']}".lower()
    return all(word in words for word in text.lower().split())


def _entry(label, hint, url):
    return {"label": label[0].upper() + label[1:], "hint": hint, "url": url}


def _pages(request):
    """The pages that are of no type."""
    yield _entry("Overview", "Go to", reverse("admin:index"))
    if request.user.has_perm("customers.import_customers"):
        yield _entry("Import customers", "Go to", reverse("admin:customers_customer_import"))
    yield _entry("Second factor", "Go to", reverse("admin:second_factor"))


def _types(request):
    """The lists, and the forms for something new."""
    for group in admin.site.get_app_list(request):
        for model in group["models"]:
            if model["admin_url"]:
                yield _entry(str(model["name"]), "Go to", model["admin_url"])
            if model["add_url"]:
                yield _entry(f"Add {model['model']._meta.verbose_name}", "New", model["add_url"])


def _in_the_list(request):
    """What there is in the list of customers: the segments, and the actions on many and on one."""
    options = admin.site.get_model_admin(Customer)
    if not options.has_view_permission(request):
        return
    saved = Segment.objects.in_mode(mode_of(request.session)).is_editable_by(request.user)
    for name, filters in [*TABS.items(), *saved.values_list("name", "filters")]:
        yield _entry(name, "Segment", address_of(filters))
    for _, description in options.get_action_choices(request, []):
        yield _entry(description.rstrip("…"), "Select them first", address_of([]))
    for label, (_, permission) in ACTIONS.items():
        if request.user.has_perm(permission):
            yield _entry(label, "Open one first", address_of([]))


def _actions(request, text):
    """The actions on one customer, as `text` names both: `merge ada`."""
    action, _, whom = text.partition(" ")
    for label, (page, permission) in ACTIONS.items():
        if label.lower().startswith(action.lower()) and request.user.has_perm(permission):
            for customer in _found(request, whom):
                url = reverse(f"admin:customers_customer_{page}", args=[customer.pk])
                yield _entry(f"{label}: {customer.email}", "Customer", url)


def _customers(request, text):
    for customer in _found(request, text):
        url = reverse("admin:customers_customer_change", args=[customer.pk])
        yield {"label": customer.email, "hint": "Customer", "url": url}


def _found(request, text):
    """The customers that a search for `text` finds, at most MOST."""
    options = admin.site.get_model_admin(Customer)
    if len(text) < 2 or not options.has_view_permission(request):
        return []
    rows = options.get_queryset(request)
    return found_customers(rows, text, mode_of(request.session))[:MOST]
