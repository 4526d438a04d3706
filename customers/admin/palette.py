"""What the palette (Ctrl+K) offers: types, what may be made, and customers."""

from django.contrib import admin
from django.http import JsonResponse
from django.urls import reverse

from customers.admin.search import found_customers
from customers.models import Customer
from customers.services.modes import mode_of

MOST = 8


def answer(request):
    """Entries of a label, a hint and an address for the text `q`, as JSON."""
    text = request.GET.get("q", "").strip()
    entries = [*_customers(request, text), *_types(request, text)]
    response = JsonResponse({"entries": entries})
    response.headers["Cache-Control"] = "no-store"
    return response


def _types(request, text):
    """The lists, and the forms for something new, whose names hold every word of `text`."""
    words = text.lower().split()
    for group in admin.site.get_app_list(request):
        for model in group["models"]:
            name, one = str(model["name"]), str(model["model"]._meta.verbose_name)
            offers = [(name, "Go to", model["admin_url"]), (f"Add {one}", "New", model["add_url"])]
            for label, hint, url in offers:
                if url and all(word in f"{label} {hint}".lower() for word in words):
                    yield {"label": label[0].upper() + label[1:], "hint": hint, "url": url}


def _customers(request, text):
    """The customers that a search for `text` finds, at most MOST."""
    options = admin.site.get_model_admin(Customer)
    if len(text) < 2 or not options.has_view_permission(request):
        return
    rows = options.get_queryset(request)
    for customer in found_customers(rows, text, mode_of(request.session))[:MOST]:
        url = reverse("admin:customers_customer_change", args=[customer.pk])
        yield {"label": customer.email, "hint": "Customer", "url": url}
