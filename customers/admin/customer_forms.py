"""The small forms on the page of a customer: its tags and notes."""

from collections.abc import Callable
from functools import wraps

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from customers.admin.base import actor_of
from customers.admin.login import staff_of
from customers.models import Attachment, Customer, Tag
from customers.services import audit, notes, tagging
from customers.services.customers import ForgottenError
from customers.services.transactions import retry_on_conflict

LONGEST_NOTE = 5000


def form_of(action: str) -> Callable:
    """A form on the page of the customer `pk`, for staff who may do `action` to customers.

    The view is given the customer, locked; where there is none, a page says what became of it.
    """

    def decorate(view):
        @require_POST
        @wraps(view)
        def wrapped(request, pk):
            try:
                return retry_on_conflict(lambda: _locked(view, request, pk, action))
            except Http404:
                return _options().gone(request, pk)

        return wrapped

    return decorate


def _locked(view, request, pk, action):
    with transaction.atomic():
        customer = _customer(request, pk, action)
        if customer.is_forgotten:
            messages.error(request, str(ForgottenError()))
            return _back(customer)
        return view(request, customer)


@form_of("change")
def change_tags(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Put the tags in `add`, names with commas between, on the customer; take `remove` off."""
    before = _names(customer)
    try:
        with transaction.atomic():
            _retag(request, customer)
            _log_tags(request, customer, before)
    except (tagging.TooManyTagsError, ValidationError) as error:
        text = " ".join(getattr(error, "messages", [f"A customer {error}."]))
        messages.error(request, text)
    except IntegrityError:
        messages.error(request, "Someone has just created the same tag; add it again.")
    return _back(customer)


def _retag(request, customer):
    """Change the tags as asked. Raises tagging.TooManyTagsError and ValidationError."""
    found = Tag.objects.in_mode(customer.mode)
    names = {name.strip().lower() for name in request.POST.get("add", "").split(",")} - {""}
    known = {tag.name: tag for tag in found.named(names)}
    added = [known.get(name) or _new_tag(request, name, customer.mode) for name in names]
    tagging.add_tags(customer, added, actor=actor_of(request))
    removed = found.named([request.POST.get("remove", "")])
    tagging.remove_tags(customer, removed, actor=actor_of(request))


def _log_tags(request, customer, before):
    """Enter into the admin's log which tags were added and removed."""
    after = _names(customer)
    changes = [("Added", after - before), ("Removed", before - after)]
    sentences = [
        f"{did} the tag{'s' * (len(names) > 1)} {', '.join(sorted(names))}."
        for did, names in changes
        if names
    ]
    if sentences:
        _options().log_change(request, customer, " ".join(sentences))


def _names(customer):
    return set(customer.tags.values_list("name", flat=True))


def _new_tag(request, name, mode):
    """A new tag, by staff who may make some. Raises ValidationError."""
    if not admin.site.get_model_admin(Tag).has_add_permission(request):
        raise ValidationError(f"There is no tag “{name[:25]}”.")
    tag = Tag(mode=mode, name=name)
    try:
        tag.full_clean()
    except ValidationError as error:
        texts = " and ".join(text.rstrip(".") for text in error.messages)
        raise ValidationError(f"“{name[:40]}” is not a valid tag: it {texts}.") from error
    tag.save(force_insert=True)
    audit.record(tag, "create", actor=actor_of(request))
    return tag


@form_of("view")
def note(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Write the note `text` about the customer."""
    if not admin.site.get_model_admin(Attachment).has_add_permission(request):
        raise PermissionDenied
    text = request.POST.get("text", "").replace("\0", "").strip()
    if not text or len(text) > LONGEST_NOTE:
        messages.error(request, f"A note must have 1 to {LONGEST_NOTE} characters.")
        return _back(customer)
    staff = staff_of(request)
    author = staff.get_full_name() or staff.get_username()
    notes.add_note(customer, text, author=author, actor=actor_of(request))
    _options().log_change(request, customer, "Wrote a note.")
    return _back(customer)


def _customer(request, pk, action):
    """The customer of the mode at work, locked. Raises Http404, and PermissionDenied."""
    customer = _options().get_object(request, pk)
    if not getattr(_options(), f"has_{action}_permission")(request, customer):
        raise PermissionDenied
    try:
        return _options().locked(customer, {})
    except Customer.DoesNotExist as error:
        raise Http404("The customer has just been deleted.") from error


def _options():
    return admin.site.get_model_admin(Customer)


def _back(customer):
    return HttpResponseRedirect(reverse("admin:customers_customer_change", args=[customer.pk]))
