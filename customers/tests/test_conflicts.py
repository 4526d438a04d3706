"""The console writes what its user changed, and asks where others changed the same."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone

from customers.admin.base import ReadOnlyAdmin
from customers.admin.fresh import FreshRowAdmin
from customers.jobs import anonymization, merging
from customers.models import Attachment, Customer, EventStore, Order, Resource, Tag
from customers.services.applications import create_application
from customers.tests.factories import (
    ONE,
    make_address,
    make_attachment,
    make_customer,
    make_full_customer,
    make_group,
    make_order,
    make_order_subscription,
    make_placed_order,
    make_tag,
    make_webhook,
)
from customers.tests.forms import sent_by

pytestmark = pytest.mark.thorough


def make_user():
    return User.objects.create_user("sam", email="sam@example.com", is_staff=True)


MAKERS = {
    **ONE,
    "applications": lambda: create_application(name="Shop", mode="test")[0],
    "auth_user": make_user,
    "auth_group": lambda: Group.objects.create(name="Helpers"),
}
WRITTEN = [
    model
    for model, options in admin.site._registry.items()
    if not isinstance(options, ReadOnlyAdmin)
]
every_type = pytest.mark.parametrize("model", WRITTEN, ids=lambda model: model.__name__)
# what is not a resource: the field that a page changes, and what others change behind it
OTHERS = {
    User: ("first_name", {"last_name": "Theirs", "last_login": timezone.now(), "is_active": False}),
    Group: ("name", {}),
}
BEHIND = {"reference_origin": "theirs", "metadata": {"by": ["them"]}}


def page_of(row):
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def opened(client, row):
    """What the page of `row` would send if nothing were changed on it."""
    response = client.get(page_of(row))
    assert response.status_code == 200
    return sent_by(response)


def saved(row):
    """The columns of `row` as they are in the database, and its tags or the like."""
    row = type(row).objects.get(pk=row.pk)
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return values | {
        field.name: set(getattr(row, field.name).values_list("pk", flat=True))
        for field in row._meta.many_to_many
    }


def change_behind(row):
    """Let others change all that can be changed of any row but what `mine` names."""
    name, values = OTHERS.get(type(row), ("reference", BEHIND))
    if values:
        type(row).objects.filter(pk=row.pk).update(**values)
    for field in row._meta.many_to_many:
        related = field.related_model
        one = related.objects.first() or (make_tag() if related is Tag else Group.objects.create())
        getattr(row, field.name).set([one])
    return name


def test_every_type_that_staff_write_is_written_by_the_shared_base_and_nowhere_else():
    for model, options in admin.site._registry.items():
        assert isinstance(options, FreshRowAdmin), model
        assert (options.inlines, options.list_editable, options.save_as) == ((), (), False), model
        assert issubclass(model, Resource) or model in OTHERS


@every_type
def test_a_page_writes_what_was_changed_on_it_and_asks_where_others_did(
    admin_client, admin_user, model
):
    row = MAKERS[model._meta.db_table]()
    shown = opened(admin_client, row)
    name = change_behind(row)
    before = saved(row)
    logged = EventStore.objects.count()

    assert admin_client.post(page_of(row), shown).status_code == 302  # nothing was changed
    assert (saved(row), EventStore.objects.count(), said()) == (before, logged, "[]")

    values = {**shown, name: "mine"}
    assert admin_client.post(page_of(row), values).status_code == 302
    after = saved(row)
    moved_on = after.pop("updated_at", 1) > before.pop("updated_at", 0)
    assert (after, moved_on) == ({**before, name: "mine"}, True)
    assert said() == f'[{{"changed": {{"fields": ["{name.replace("_", " ").capitalize()}"]}}}}]'
    if issubclass(model, Resource):
        entry = EventStore.objects.filter(event="update").latest("id")
        assert entry.payload == {name: {"from": before[name], "to": "mine"}}
        assert entry.who["owner"]["id"] == str(admin_user.pk)

    before, values = saved(row), {**shown, name: "mine, too"}  # a page as old as the first
    response = admin_client.post(page_of(row), values)
    assert response.status_code == 409
    (conflict,) = response.context["conflicts"]
    assert (conflict.name, conflict.mine, conflict.saved) == (name, "mine, too", "mine")
    assert (conflict.change.actor if conflict.change else "admin") == "admin"
    assert saved(row) == before


def said():
    return LogEntry.objects.latest("pk").change_message


def test_a_page_is_asked_again_until_all_is_chosen(admin_client):
    customer = make_customer()
    values = opened(admin_client, customer) | {"reference": "mine"}
    Customer.objects.update(reference="theirs")
    for choice in ({}, {}, {"keep_reference": "both"}):
        response = admin_client.post(page_of(customer), values | choice)
        assert response.status_code == 409
        assert Customer.objects.get().reference == "theirs"
        values = sent_by(response)
        assert (values["reference"], "keep_reference" in values) == (["mine"], False)
    for choice, kept in (("saved", "theirs"), ("mine", "mine")):
        answer = admin_client.post(page_of(customer), {**values, "keep_reference": choice})
        assert (answer.status_code, Customer.objects.get().reference) == (302, kept)


def conflicts_of(client, row, values):
    """What a page of `row` is asked that sends `values`: pairs of mine and what is saved."""
    before = saved(row)
    response = client.post(page_of(row), values)
    assert response.status_code == 409, response.content
    assert saved(row) == before
    return {found.name: (found.mine, found.saved) for found in response.context["conflicts"]}


def test_every_kind_of_field_is_told_apart_and_shown_in_words(admin_client):
    mine, theirs = make_group(name="Mine"), make_group(name="Theirs")
    ours, vip = make_tag(name="ours"), make_tag(name="vip")
    bob = make_customer(email="bob@example.com")
    customer, order = make_customer(metadata={"a": 1}), make_order(language_code="de")
    subscription = make_order_subscription()
    order.tags.add(vip)
    now = timezone.now()
    cases = {  # row: what is sent, what others have saved meanwhile, what is shown of both
        customer: [
            {"customer_group": mine.pk, "metadata": '{"a": 2}'},
            {"customer_group": theirs, "metadata": {"a": 3}},
            {"customer_group": ("Mine", "Theirs"), "metadata": ('{\n "a": 2\n}', '{\n "a": 3\n}')},
        ],
        order: [
            {
                "guest": "on",
                "language_code": "",
                "payment_status": "paid",
                "total_amount_cents": "7",
                "customer": "",
                "tags": [ours.pk],
            },
            {
                "language_code": "it",
                "payment_status": "voided",
                "total_amount_cents": 9,
                "customer": bob,
                "coupon_code": "FREE",
            },
            {
                "language_code": ("(empty)", "it"),
                "payment_status": ("Paid", "Voided"),
                "total_amount_cents": ("7", "9"),
                "tags": ("ours", "(empty)"),
            },
        ],
        subscription: [
            {
                "next_run_at_0": "2030-01-02",
                "next_run_at_1": "03:04:05",
                "place_target_order": "false",
            },
            {
                "next_run_at": now.replace(2031, 2, 3, 4, 5, 6, 789_000),
                "place_target_order": None,
            },
            {
                "next_run_at": ("2 Jan 2030, 03:04:05 UTC", "3 Feb 2031, 04:05:06 UTC"),
                "place_target_order": ("No", "(empty)"),
            },
        ],
    }
    for row, (sent, behind, asked) in cases.items():
        values = opened(admin_client, row) | sent
        type(row).objects.filter(pk=row.pk).update(**behind)
        if row == order:
            order.tags.clear()
        assert conflicts_of(admin_client, row, values) == asked


def test_what_both_have_changed_to_the_same_is_no_conflict(admin_client):
    group, customer = make_group(), make_customer()
    values = opened(admin_client, customer)
    Customer.objects.update(customer_group=group, reference="R", metadata={"a": 1})
    before = saved(customer)
    sent = {"customer_group": group.pk, "reference": "R", "metadata": '{ "a": 1 }'}
    assert admin_client.post(page_of(customer), {**values, **sent}).status_code == 302
    assert saved(customer) == before


def test_what_a_form_cannot_show_exactly_stands_where_it_is_not_touched(admin_client):
    moment = timezone.now().replace(microsecond=123_000)
    texts = {"description": "One\nTwo\r\nThree ", "reference": " R "}
    rows = [
        make_attachment(customer=make_customer(), **texts),
        make_order_subscription(next_run_at=moment, expires_at=moment + timedelta(days=9)),
        make_webhook(include_resources=None, metadata={"float": 1.0, "null": None}),
    ]
    for row in rows:
        before = saved(row)
        values = opened(admin_client, row) | {"reference_origin": "mine"}
        assert admin_client.post(page_of(row), values).status_code == 302
        after = saved(row)
        assert after.pop("updated_at") > before.pop("updated_at")
        assert after == {**before, "reference_origin": "mine"}


def test_nothing_typed_is_lost_and_every_choice_stands_while_a_page_is_asked(admin_client):
    customer = make_customer(reference="R")
    values = opened(admin_client, customer)
    values |= {"reference": "mine", "profile_id": "P", "tax_exemption_code": "T", "email": "wrong"}
    Customer.objects.update(reference="theirs", profile_id="X", shopper_reference="fresh")
    response = admin_client.post(page_of(customer), values)
    assert response.status_code == 409
    assert response.context["adminform"].form.errors.keys() == {"email", "reference", "profile_id"}
    values = sent_by(response)
    assert {name: values[name] for name in ("reference", "tax_exemption_code", "email")} == {
        "reference": ["mine"],
        "tax_exemption_code": ["T"],
        "email": ["wrong"],
    }
    assert values["shopper_reference"] == ["fresh"]  # what was not touched is shown as it is
    values |= {"keep_reference": "saved", "keep_profile_id": "mine"}
    response = admin_client.post(page_of(customer), values)  # the address is still wrong
    values = sent_by(response)
    assert (values["reference"], values["keep_reference"]) == (["mine"], ["saved"])
    assert values["keep_profile_id"] == ["mine"]
    Customer.objects.update(profile_id="Y")  # once more, so it is asked once more
    values |= {"email": "ada@example.com"}
    assert conflicts_of(admin_client, customer, values) == {
        "reference": ("mine", "theirs"),
        "profile_id": ("P", "Y"),
    }
    values = sent_by(admin_client.post(page_of(customer), values))
    assert "keep_profile_id" not in values
    values |= {"keep_profile_id": "mine"}
    assert admin_client.post(page_of(customer), values).status_code == 302
    customer.refresh_from_db()
    assert (customer.reference, customer.profile_id) == ("theirs", "P")
    assert (customer.tax_exemption_code, customer.email) == ("T", "ada@example.com")


def test_a_conflict_names_who_saved_the_other_value(admin_client, api):
    customer = make_customer()
    values = opened(admin_client, customer) | {"reference": "mine"}
    assert api.update("customers", customer.pk, {"reference": "theirs"}).status_code == 200
    response = admin_client.post(page_of(customer), values)
    (conflict,) = response.context["conflicts"]
    assert conflict.change.actor == "Tests"
    assert "by Tests, " in response.content.decode()


@pytest.mark.parametrize("version", [None, "WyJhIl0:1:x"])
def test_a_page_of_an_unknown_version_is_asked_about_all_that_differs(admin_client, version):
    customer = make_customer(reference="theirs")
    values = opened(admin_client, customer) | {"reference": "mine"}
    del values["page_version"]
    if version is not None:
        values["page_version"] = version
    assert conflicts_of(admin_client, customer, values) == {"reference": ("mine", "theirs")}


def test_the_version_of_one_page_does_not_fit_another(admin_client):
    one, other = make_customer(reference="R"), make_customer(reference="theirs")
    version = opened(admin_client, one)["page_version"]
    values = opened(admin_client, other) | {"reference": "R", "page_version": version}
    assert conflicts_of(admin_client, other, values) == {"reference": ("R", "theirs")}


def test_a_field_that_was_not_sent_was_not_changed(admin_client):
    customer = make_customer(reference="R", metadata={"a": 1})
    version = opened(admin_client, customer)["page_version"]
    sent = {"page_version": version, "tax_exemption_code": "T"}
    before = saved(customer)
    assert admin_client.post(page_of(customer), sent).status_code == 302
    before["tax_exemption_code"] = "T"
    assert {**saved(customer), "updated_at": None} == {**before, "updated_at": None}


# Pages that are over


def is_over(client, row, values, *texts):
    """Asserts that the page of `row` that sends `values` is told `texts`, and writes nothing."""
    rows = type(row).objects.filter(pk=row.pk)
    before = [saved(one) for one in rows]
    response = client.post(page_of(row), values)
    page = response.content.decode()
    assert response.status_code == 409
    for text in ("Nothing was changed.", *texts):
        assert text in page
    assert [saved(one) for one in rows] == before
    return response


def forget(customer):
    Customer.objects.filter(pk=customer.pk).update(
        anonymization_status="requested", anonymize_at=timezone.now()
    )
    assert anonymization.anonymize_next() == customer


def test_a_page_opened_before_its_customer_was_merged_writes_nothing(admin_client):
    target, spare = make_customer(email="ada@example.com"), make_customer()
    order, values = make_order(customer=spare), {}
    for row in (spare, order, target):
        values[row] = opened(admin_client, row) | {"reference": "mine"}
    merging.merge(target.pk, spare.pk, mode="test", actor=None)
    link = f'href="{page_of(target)}"'
    is_over(admin_client, spare, values[spare], "merged into", "ada@example.com", link)
    is_over(admin_client, order, values[order], "merged into", link, f'href="{page_of(order)}"')
    is_over(admin_client, target, values[target], "another customer was merged into", link)
    response = admin_client.get(page_of(spare))
    assert response.status_code == 404
    assert link in response.content.decode()
    for row in (order, target):
        values = opened(admin_client, row) | {"reference": "mine"}
        assert admin_client.post(page_of(row), values).status_code == 302


def test_a_page_opened_before_its_customer_was_forgotten_writes_nothing(admin_client):
    customer = make_full_customer()
    place = make_address(phone=None)
    order = make_placed_order(customer, shipping_address=place)
    names = {customer: "reference", order: "reference", place: "phone"}
    values = {row: opened(admin_client, row) | {names[row]: "0123"} for row in names}
    other = opened(admin_client, bystander := make_customer()) | {"reference": "mine"}
    forget(customer)
    for row in names:
        is_over(admin_client, row, values[row], "has been permanently removed")
    again = opened(admin_client, customer) | {"reference": "mine"}
    is_over(admin_client, customer, again, "has been permanently removed")
    assert admin_client.post(page_of(bystander), other).status_code == 302


def test_nothing_is_given_to_the_forgotten(admin_client):
    forget(customer := make_customer())
    tag, order = make_tag(name="vip"), make_order()
    values = opened(admin_client, order) | {"customer": customer.pk}
    new = {"customer": customer.pk, "reference": "news", "metadata": "{}"}
    for page, sent in ((page_of(order), values), (ADD_SUBSCRIPTION, new)):
        response = admin_client.post(page, sent)
        assert response.status_code == 200
        assert [*response.context["adminform"].form.errors] == ["customer"]
    for form, sent in (("tags", {"add": tag.name}), ("note", {"text": "Ada called."})):
        page = f"/admin/customers/{customer.pk}/{form}/"
        told = admin_client.post(page, sent, follow=True).content.decode()
        assert "The customer has been anonymized" in told
    assert Order.objects.get().customer is None
    assert not (customer.tags.exists())
    assert not (Attachment.objects.exists())
    assert not customer.customer_subscriptions.exists()


ADD_SUBSCRIPTION = "/admin/customers/customersubscription/add/"


def test_small_forms_and_acts_on_a_customer_who_is_gone_say_so(admin_client):
    customer = make_customer()
    page = page_of(customer)
    admin_client.post(page.replace("change", "delete"), {"post": "yes"})
    acts = [page.replace("change", act) for act in ("merge", "anonymize", "reset-password")]
    forms = [f"/admin/customers/{customer.pk}/{form}/" for form in ("tags", "note")]
    for path in (*acts, *forms):
        response = admin_client.post(path, {"add": "vip", "text": "Hello", "how": "show"})
        assert response.status_code == 404
        assert "This customer was deleted by admin" in response.content.decode()
    assert not (Tag.objects.exists())
    assert not (Attachment.objects.exists())


@pytest.mark.parametrize("status", ["requested", "cancelled", "failed"])
def test_a_customer_whose_anonymization_has_not_begun_is_still_changed(admin_client, status):
    customer = make_customer()
    values = opened(admin_client, customer) | {"reference": "mine"}
    Customer.objects.update(anonymization_status=status)
    assert admin_client.post(page_of(customer), values).status_code == 302
    assert Customer.objects.get().reference == "mine"


DELETABLE = {
    "Customer": make_customer,
    "User": make_user,
}


@pytest.mark.parametrize("name", DELETABLE)
def test_a_page_of_what_was_deleted_since_says_so(admin_client, name):
    row = DELETABLE[name]()
    values, delete = opened(admin_client, row), page_of(row).replace("change", "delete")
    assert admin_client.get(delete).status_code == 200
    assert admin_client.post(delete, {"post": "yes"}).status_code == 302
    told = "There is no such user in test." if name == "User" else "was deleted by admin"
    is_over(admin_client, row, values, told)
    for answer in (
        admin_client.get(page_of(row)),
        admin_client.get(delete),
        admin_client.post(delete, {"post": "yes"}),
    ):
        assert answer.status_code == 404
        assert told in answer.content.decode()


def test_what_changed_meanwhile_is_deleted_all_the_same(admin_client):
    tag, delete = make_tag(), "/admin/customers/tag/{}/delete/"
    admin_client.get(delete.format(tag.pk))
    Tag.objects.update(reference="theirs")
    assert admin_client.post(delete.format(tag.pk), {"post": "yes"}).status_code == 302
    assert not Tag.objects.exists()


def test_only_staff_who_see_customers_learn_whom_one_was_merged_into(client):
    target, spare = make_customer(email="ada@example.com"), make_customer()
    order = make_order(customer=spare)
    user = User.objects.create_user("otto", is_staff=True)
    found = Permission.objects.filter(codename__in=["view_order", "change_order"])
    user.user_permissions.set(found)
    client.force_login(user)
    values = opened(client, order) | {"reference": "mine"}
    merging.merge(target.pk, spare.pk, mode="test", actor=None)
    page = is_over(client, order, values, "merged into another one").content.decode()
    assert "ada@example.com" not in page
    answer = client.get(page_of(spare))
    assert (answer.status_code, "merged" in answer.content.decode()) == (404, False)


def test_passwords_of_staff_are_saved_alone(admin_client, admin_user):
    sam = make_user()
    page = f"/admin/auth/user/{sam.pk}/password/"
    words = "correct horse battery"
    sent = {"password1": words, "password2": words, "usable_password": "true"}
    assert admin_client.post(page, sent).status_code == 302
    assert User.objects.get(pk=sam.pk).check_password(words)
    own = {"old_password": "password", "new_password1": words, "new_password2": words}
    assert admin_client.post("/admin/password_change/", own).status_code == 302
    assert User.objects.get(pk=admin_user.pk).check_password(words)
    assert admin_client.get("/admin/").status_code == 200
