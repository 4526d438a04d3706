"""The admin's pages: they open, they keep the rules, they show no secret."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.admin.base import ReadOnlyAdmin
from customers.models import Attachment, Customer, EventStore, Order, Tag, Webhook
from customers.tests.conftest import in_threads, needs_postgresql
from customers.tests.factories import (
    CALLBACK_URL,
    FULL,
    ONE,
    make_customer,
    make_full_customer,
    make_group,
    make_order,
    make_payment_source,
    make_placed_order,
    make_tag,
)
from customers.tests.forms import forms_without_mode

MODELS = [model for model in admin.site._registry if model._meta.app_label == "customers"]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


def url(model, page=""):
    return f"/admin/customers/{model._meta.model_name}/{page}"


def form_of(response):
    """What a browser would send back from the form of an add or change page, unchanged."""
    form = response.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    values["tags"] = [getattr(tag, "pk", tag) for tag in values.get("tags") or []]
    return {name: "" if value is None else value for name, value in values.items()}


@every_model
def test_every_page_opens(admin_client, admin_user, rf, api, model):
    make_full_customer()
    row = model.objects.first() or ONE[model._meta.db_table]()
    pages = {"": True, f"{row.pk}/change/": True, f"{row.pk}/history/": True, "?q=a": True}
    request, options = rf.get("/"), admin.site._registry[model]
    request.user, request.session = admin_user, {}
    pages["add/"] = options.has_add_permission(request)
    pages[f"{row.pk}/delete/"] = options.has_delete_permission(request, row)
    for page, offered in pages.items():
        response = admin_client.get(url(model, page))
        assert response.status_code == (200 if offered else 403), page
        assert "default-src 'self'" in response["Content-Security-Policy"]
        if offered:
            assert forms_without_mode(response) == [], page


LISTS = [*MODELS, User, Group]
every_list = pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
NOT_OFFERED = [
    "password__startswith",
    "secret_digest__startswith",
    "customer_group__customers__password__startswith",
    "tags__customers__password",
    "id__regex",
    "email__regex",
]


@every_list
def test_no_list_can_be_filtered_by_what_it_does_not_offer(admin_client, model):
    page = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
    for lookup in NOT_OFFERED:
        assert admin_client.get(page, {lookup: "("}).status_code == 400, lookup


@every_list
def test_a_list_is_filtered_by_what_it_offers_whatever_the_value(admin_client, model):
    page = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
    for name in admin.site._registry[model].list_filter:
        end = "id__exact" if model._meta.get_field(name).is_relation else "exact"
        assert admin_client.get(page, {f"{name}__{end}": "1"}).status_code in (200, 302)
        for value in ("(", "9" * 30):
            response = admin_client.get(page, {f"{name}__{end}": value})
            assert response.status_code in (200, 302, 400), (name, value)


def test_more_customers_cost_the_list_no_more_queries(admin_client):
    counts = []
    for _ in range(2):
        make_full_customer()
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(url(Customer))
        counts.append(len(queries))
        for _ in range(10):
            make_full_customer()
    assert counts[0] == counts[1]


def test_a_customer_is_found_by_a_part_of_its_address_in_any_case(admin_client):
    make_customer(email="Ada.Lovelace@example.com")
    make_customer(email="bob@example.com")
    page = admin_client.get(url(Customer), {"q": "LOVE"}).content.decode()
    assert "Ada.Lovelace@example.com" in page
    assert "bob@example.com" not in page


def test_staff_make_and_change_a_customer_but_not_its_password(admin_client):
    values = form_of(admin_client.get(url(Customer, "add/")))
    assert "password" not in values
    group, tag = make_group(), make_tag()
    values |= {"email": "ada@example.com", "customer_group": group.pk, "tags": [tag.pk]}
    assert admin_client.post(url(Customer, "add/"), values).status_code == 302
    customer = Customer.objects.get()
    assert (customer.email, customer.customer_group, [*customer.tags.all()]) == (
        "ada@example.com",
        group,
        [tag],
    )
    page = url(Customer, f"{customer.pk}/change/")
    values = form_of(admin_client.get(page))
    assert "mode" not in values
    forbidden = {"password": "x", "status": "repeat", "total_orders_count": 9, "mode": "live"}
    response = admin_client.post(page, {**values, "reference": "R", **forbidden})
    assert response.status_code == 302
    customer.refresh_from_db()
    assert (customer.reference, customer.password, customer.mode) == ("R", None, "test")
    assert (customer.status, customer.total_orders_count) == ("prospect", 0)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "text",
    [
        *('{"a":"\\ud800"}', '{"a":"\\u0000"}', '{"a":NaN}', '{"a":1e400}', '{"a":1,"a":2}'),
        *(f'{{"a":{"9" * 5000}}}', '{"a":' * 40 + "1" + "}" * 40, "[" * 50_000, "{"),
        *("[]", '"a"', "1", "true"),
    ],
    ids=lambda text: text[:16],
)
def test_json_that_the_api_refuses_is_refused_in_forms(admin_client, text):
    customer = make_customer(metadata={"size": "M"})
    page = url(Customer, f"{customer.pk}/change/")
    values = form_of(admin_client.get(page)) | {"metadata": text}
    response = admin_client.post(page, values)
    assert response.status_code == 200
    assert [*response.context["adminform"].form.errors] == ["metadata"]
    assert admin_client.post(page, {**values, "initial-metadata": text}).status_code == 200
    customer.refresh_from_db()
    assert customer.metadata == {"size": "M"}


@pytest.mark.parametrize("text", ["", " ", "null", "{}"])
def test_metadata_that_is_cleared_is_an_empty_object(admin_client, text):
    customer = make_customer(metadata={"size": "M"})
    page = url(Customer, f"{customer.pk}/change/")
    values = form_of(admin_client.get(page)) | {"metadata": text}
    assert admin_client.post(page, values).status_code == 302
    customer.refresh_from_db()
    assert customer.metadata == {}


@pytest.mark.parametrize(
    ("name", "field", "empty", "wrong"),
    [
        ("webhooks", "include_resources", [], ["{}", "[1]", '["customer", null]']),
        ("order_subscriptions", "options", {}, ["[]"]),
    ],
)
def test_other_json_of_a_form_is_of_its_type(admin_client, name, field, empty, wrong):
    row = FULL[name]()
    page = url(type(row), f"{row.pk}/change/")
    values = form_of(admin_client.get(page))
    for text in ('"a"', '{"a":NaN}', "[1e999]", *wrong):
        response = admin_client.post(page, {**values, field: text})
        assert [*response.context["adminform"].form.errors] == [field]
    assert admin_client.post(page, {**values, field: ""}).status_code == 302
    row.refresh_from_db()
    assert getattr(row, field) == empty


@pytest.mark.parametrize("wrong", ["group", "tag", "tags"])
def test_staff_cannot_mix_modes_or_pass_the_limit_of_tags(admin_client, wrong):
    page = url(Customer, "add/")
    values = form_of(admin_client.get(page)) | {"email": "ada@example.com"}
    values |= {
        "group": lambda: {"customer_group": make_group(mode="live").pk},
        "tag": lambda: {"tags": [make_tag(mode="live").pk]},
        "tags": lambda: {"tags": [make_tag().pk for _ in range(11)]},
    }[wrong]()
    response = admin_client.post(page, values)
    assert response.status_code == 200
    assert response.context["errors"]
    assert not Customer.objects.exists()


@pytest.mark.parametrize("email", ["ADA@example.com", "no address"])
def test_staff_are_told_what_is_wrong_with_an_address(admin_client, email):
    make_customer(email="ada@example.com")
    values = form_of(admin_client.get(url(Customer, "add/"))) | {"email": email}
    response = admin_client.post(url(Customer, "add/"), values)
    assert response.status_code == 200
    assert response.context["errors"]
    assert Customer.objects.count() == 1


def test_a_group_with_customers_is_kept(admin_client):
    group = make_customer(customer_group=make_group()).customer_group
    page = url(type(group), f"{group.pk}/delete/")
    assert "protected" in admin_client.get(page).content.decode().lower()
    admin_client.post(page, {"post": "yes"})
    assert type(group).objects.filter(pk=group.pk).exists()


def test_an_order_given_to_another_customer_counts_there(admin_client, admin_user):
    ada, bob = make_customer(), make_customer()
    Customer.objects.filter(pk=ada.pk).update(total_orders_count=1, status="acquired")
    order = make_placed_order(ada, number="A1")
    page = url(Order, f"{order.pk}/change/")
    values = form_of(admin_client.get(page)) | {"customer": bob.pk}
    assert admin_client.post(page, values).status_code == 302
    for customer, standing in ((ada, ("prospect", 0)), (bob, ("acquired", 1))):
        customer.refresh_from_db()
        assert (customer.status, customer.total_orders_count) == standing
    entry = EventStore.objects.get(resource_id=order.pk)
    assert entry.payload == {"customer_id": {"from": ada.pk, "to": bob.pk}}
    assert entry.who["owner"]["id"] == str(admin_user.pk)


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_staff_who_give_an_order_to_customers_at_once_do_so_one_after_the_other(admin_user):
    customers = [make_customer() for _ in range(4)]
    Customer.objects.filter(pk=customers[0].pk).update(total_orders_count=1, status="acquired")
    order = make_placed_order(customers[0], number="A1")
    page, clients = url(Order, f"{order.pk}/change/"), [Client() for _ in customers]
    for client in clients:
        client.force_login(admin_user)

    def give(number):
        return clients[number].post(page, {**values, "customer": customers[number].pk})

    for _ in range(3):  # the first is right, the one who changes nothing too; others are asked
        values = form_of(clients[0].get(page))
        statuses = sorted(response.status_code for response in in_threads(4, give))
        assert statuses == [302, 302, 409, 409]
    order.refresh_from_db()
    for customer in customers:
        customer.refresh_from_db()
        count = int(customer == order.customer)
        assert customer.total_orders_count == count


def test_a_placed_order_cannot_be_deleted_alone_or_among_others(admin_client):
    placed, draft = make_placed_order(make_customer()), make_order()
    assert admin_client.post(url(Order, f"{placed.pk}/delete/"), {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": [placed.pk, draft.pk]}
    admin_client.post(url(Order), {**selected, "post": "yes"})
    assert Order.objects.count() == 2
    selected["_selected_action"] = [draft.pk]
    admin_client.post(url(Order), {**selected, "post": "yes"})
    assert Order.objects.get() == placed


def test_staff_see_no_token_of_the_wallet(admin_client):
    source = make_payment_source(payment_source_token="pm_1NgABCDEFGHwxyz")
    for page in ("", f"{source.pk}/change/", f"{source.pk}/history/"):
        shown = admin_client.get(url(type(source), page)).content.decode()
        assert "ABCDEFGH" not in shown


READ_ONLY = [model for model in MODELS if isinstance(admin.site._registry[model], ReadOnlyAdmin)]


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
def test_what_only_the_service_writes_staff_only_read(admin_client, model):
    row = ONE[model._meta.db_table]()
    count = model.objects.count()
    assert admin_client.get(url(model, f"{row.pk}/change/")).status_code == 200
    for page in ("add/", f"{row.pk}/change/", f"{row.pk}/delete/"):
        assert admin_client.post(url(model, page), {"post": "yes"}).status_code == 403
    assert model.objects.count() == count


def test_which_types_only_the_service_writes():
    assert {model.__name__ for model in READ_ONLY} == {
        "CustomerPasswordReset",
        "Event",
        "EventCallback",
        "EventStore",
        "Export",
        "Import",
    }


def test_staff_give_a_webhook_no_address_within(admin_client):
    values = form_of(admin_client.get(url(Webhook, "add/"))) | {"topic": "customers.create"}
    within = {**values, "callback_url": "https://10.0.0.1/callbacks"}
    response = admin_client.post(url(Webhook, "add/"), within)
    assert response.status_code == 200
    assert "leads into a private network" in response.content.decode()
    assert not Webhook.objects.exists()
    admin_client.post(url(Webhook, "add/"), {**values, "callback_url": CALLBACK_URL})
    assert Webhook.objects.get().callback_url == CALLBACK_URL


def test_staff_cannot_attach_to_two_resources_or_none(admin_client):
    values = form_of(admin_client.get(url(Attachment, "add/"))) | {"name": "Note"}
    both = {"customer": make_customer().pk, "customer_group": make_group().pk}
    for keys in ({}, both):
        response = admin_client.post(url(Attachment, "add/"), {**values, **keys})
        assert response.status_code == 200
        assert "must be attached to one resource" in response.content.decode()
    assert not Attachment.objects.exists()


def test_a_tags_name_is_lower_case_from_the_admin_too(admin_client):
    values = form_of(admin_client.get(url(Tag, "add/"))) | {"name": "VIP"}
    admin_client.post(url(Tag, "add/"), values)
    assert Tag.objects.get().name == "vip"


def test_the_admins_log_tells_what_was_done_to_which_id_and_holds_no_address(admin_client):
    values = form_of(admin_client.get(url(Customer, "add/"))) | {"email": "ada@example.com"}
    admin_client.post(url(Customer, "add/"), values)
    ada, bob = Customer.objects.get(), make_customer()
    page = url(Customer, f"{ada.pk}/change/")
    admin_client.post(page, form_of(admin_client.get(page)) | {"reference": "R"})
    admin_client.post(url(Customer, f"{ada.pk}/delete/"), {"post": "yes"})
    selected = {"action": "delete_selected", "_selected_action": [bob.pk], "post": "yes"}
    admin_client.post(url(Customer), selected)
    log = LogEntry.objects.order_by("pk").values_list("object_repr", "change_message")
    assert [name for name, _ in log] == [f"customer {ada.pk}"] * 3 + [f"customer {bob.pk}"]
    assert "@" not in str(list(log))


def test_the_start_page_leads_to_the_admin(client):
    assert client.get("/")["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 302
