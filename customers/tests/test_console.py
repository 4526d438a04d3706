"""The staff console: one mode at a time, found quickly, and by keyboard."""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.jobs import anonymization, mails
from customers.models import Attachment, Customer, CustomerGroup, EventStore, Order, Segment, Tag
from customers.tests.conftest import in_threads, needs_postgresql
from customers.tests.factories import (
    FULL,
    make_address,
    make_attachment,
    make_customer,
    make_customer_address,
    make_event,
    make_full_customer,
    make_group,
    make_order,
    make_payment_source,
    make_placed_order,
    make_reset,
    make_return,
    make_sku_list,
    make_subscription,
    make_tag,
    make_webhook,
)
from customers.tests.forms import forms_without_mode

TYPES = {
    model._meta.db_table: model
    for model in admin.site._registry
    if model._meta.app_label == "customers" and model._meta.db_table in FULL
}


def url(model, page=""):
    return f"/admin/customers/{model._meta.model_name}/{page}"


def switch(client, mode, **form):
    return client.post("/admin/mode/", {"mode": mode, **form})


@pytest.mark.parametrize("name", TYPES)
def test_staff_see_the_rows_of_their_mode_and_404_for_the_others(admin_client, name):
    row = FULL[name](mode="live")
    pages = [f"{row.pk}/change/", f"{row.pk}/history/", f"{row.pk}/delete/"]
    for page in pages:
        assert admin_client.get(url(type(row), page)).status_code == 404
        assert admin_client.post(url(type(row), page), {"post": "yes"}).status_code == 404
    assert admin_client.get(url(type(row))).context["cl"].result_count == 0
    assert type(row).objects.filter(pk=row.pk).exists()
    switch(admin_client, "live")
    assert admin_client.get(url(type(row), pages[0])).status_code == 200
    assert row in admin_client.get(url(type(row))).context["cl"].result_list


def test_a_new_row_is_of_the_mode_at_work(admin_client):
    switch(admin_client, "live")
    values = {"name": "Wholesale", "metadata": "{}", "mode": "test"}
    assert admin_client.post(url(CustomerGroup, "add/"), values).status_code == 302
    assert CustomerGroup.objects.get().mode == "live"


def test_a_choice_offers_nothing_of_the_other_mode(admin_client):
    make_group(name="Test group")
    make_group(name="Live group", mode="live")
    asked = {"app_label": "customers", "model_name": "customer", "field_name": "customer_group"}
    found = admin_client.get("/admin/autocomplete/", asked).json()["results"]
    assert [choice["text"] for choice in found] == ["Test group"]
    form = admin_client.get(url(Customer, "add/")).context["adminform"].form
    assert [group.name for group in form.fields["customer_group"].queryset] == ["Test group"]


@pytest.mark.parametrize("mode", ["", "prod", "LIVE"])
def test_only_a_known_mode_can_be_chosen(admin_client, mode):
    assert switch(admin_client, mode).status_code == 400
    assert "mode" not in admin_client.session


def test_the_mode_is_switched_by_staff_and_by_a_form_alone(admin_client, client):
    assert switch(client, "live")["Location"].startswith("/admin/login/")
    assert "mode" not in client.session
    assert admin_client.get("/admin/mode/").status_code == 405
    assert switch(admin_client, "live", next="https://evil.example/")["Location"] == "/admin/"
    assert switch(admin_client, "live", next=url(Order))["Location"] == url(Order)


def hidden_in(page, form):
    """The hidden values of the form of `page`, HTML, that begins after `form`."""
    inside = page.partition(form)[2].partition("</form>")[0]
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', inside))


def test_what_was_confirmed_in_one_mode_is_not_done_in_the_other(admin_client):
    repeat = {"status": "repeat", "total_orders_count": 2}
    customer = make_customer(**repeat)
    make_customer(**repeat, mode="live")
    page = f"{url(Customer)}?filter[q][status_eq]=repeat"
    chosen = {"action": "request_anonymization", "index": 0, "select_across": 1}
    chosen["_selected_action"] = customer.pk
    question = admin_client.post(page, chosen).content.decode()
    sent = hidden_in(question, '<form method="post" action="/admin/customers/customer/')
    assert sent["confirmed"] == "1"
    switch(admin_client, "live")
    for path in (page, url(CustomerGroup, "add/")):
        refused = admin_client.post(path, {"name": "Wholesale", "metadata": "{}", **sent})
        assert refused.status_code == 409
        assert "opened this form in test and are in live now" in refused.content.decode()
    assert not Customer.objects.exclude(anonymization_status=None).exists()
    assert not CustomerGroup.objects.exists()
    switch(admin_client, "test")
    assert admin_client.post(page, sent).status_code == 302
    assert Customer.objects.get(anonymization_status="requested") == customer


def test_every_form_of_the_console_holds_its_mode(admin_client, admin_user):
    customer, bare = make_full_customer(), make_customer()
    page, chosen = f"{customer.pk}/change/", {"_selected_action": [bare.pk], "index": 0}
    segment = {"filter[q][status_eq]": "repeat"}
    shown = [
        admin_client.get(url(Customer), segment),
        *(admin_client.get(url(Customer, path)) for path in (page, "add/", "import/")),
        *(admin_client.get(url(Order, path)) for path in ("", "add/")),
        admin_client.get(url(Tag, f"{customer.tags.first().pk}/delete/")),
        *(
            admin_client.get(url(Customer, f"{customer.pk}/{page}/"))
            for page in ("reset-password", "anonymize")
        ),
        admin_client.get(url(Customer, f"{customer.pk}/merge/"), {"duplicate": bare.pk}),
        admin_client.get(f"/admin/auth/user/{admin_user.pk}/password/"),
        admin_client.get(f"/admin/auth/user/{admin_user.pk}/change/"),
        *(
            admin_client.post(url(Customer), {"action": action, **chosen})
            for action in ("delete_selected", "add_tags", "export_csv")
        ),
    ]
    for response in shown:
        assert forms_without_mode(response) == []


def test_who_opened_a_page_in_the_other_mode_may_still_switch_and_leave(admin_client):
    sent = {"shown_in": "live"}
    assert switch(admin_client, "test", **sent).status_code == 302
    assert admin_client.post("/admin/logout/", sent).status_code == 200
    assert "_auth_user_id" not in admin_client.session


def palette(client, text=""):
    return [
        entry["label"]
        for entry in client.get("/admin/command-palette/", {"q": text}).json()["entries"]
    ]


def test_the_palette_offers_types_acts_and_customers(admin_client):
    make_customer(email="ada.lovelace@example.com")
    make_customer(email="lovely@example.com", mode="live")
    assert palette(admin_client, "love") == ["ada.lovelace@example.com"]
    assert palette(admin_client, "customer group") == ["Customer groups", "Add customer group"]
    assert "Customers" in palette(admin_client)


def test_the_palette_offers_nothing_that_the_staff_member_may_not_see(client):
    make_customer(email="ada@example.com")
    user = get_user_model().objects.create_user("new", is_staff=True)
    client.force_login(user)
    assert palette(client, "ada") == palette(client, "merge") == palette(client, "import") == []
    assert palette(client) == ["Overview", "Second factor"]


def test_the_palette_offers_an_act_on_a_customer_to_who_may_do_it(client):
    customer = make_customer(email="ada@example.com")
    staff_client(client, "otto", "view_customer", "reset_customer_password")
    offered = []
    for text in ("merge ada", "reset ada"):
        entries = client.get("/admin/command-palette/", {"q": text}).json()["entries"]
        offered += [entry["url"] for entry in entries]
    assert offered == [url(Customer, f"{customer.pk}/reset-password/")]


def test_the_palette_offers_pages_acts_and_segments(admin_client):
    ada = make_customer(email="ada@example.com")
    Segment.objects.create(mode="test", owner=User.objects.get(), name="VIPs", filters=[["a", "b"]])
    offered = {
        "overview": ["Overview"],
        "second": ["Second factor"],
        "import c": ["Import customers"],
        "export csv": ["Export CSV"],
        "vips": ["VIPs"],
        "guests": ["Guests"],
        "anonymi": ["Request anonymization", "Anonymize"],
        "merge": ["Merge a duplicate"],
        "merge ada": ["Merge a duplicate: ada@example.com"],
    }
    assert {text: palette(admin_client, text) for text in offered} == offered
    entries = admin_client.get("/admin/command-palette/", {"q": "merge ada"}).json()["entries"]
    assert entries[0]["url"] == url(Customer, f"{ada.pk}/merge/")
    for text in offered:
        for entry in admin_client.get("/admin/command-palette/", {"q": text}).json()["entries"]:
            assert admin_client.get(entry["url"], follow=True).status_code == 200


SEARCHES = ["love", "LOVELACE@EX", "R-1", "A100", "#A100", "King", "king", "Ada King", "Engines"]


@pytest.mark.parametrize("text", SEARCHES)
def test_a_customer_is_found_by_what_staff_have_at_hand(admin_client, text):
    ada = make_customer(email="ada.lovelace@example.com", reference="R-1")
    make_order(customer=ada, number="A100")
    address = make_address(first_name="Ada", last_name="King", company="Engines")
    make_customer_address(customer=ada, address=address)
    make_customer(email="bob@example.com", reference="R-10")
    make_customer(email="ada.lovelace@example.com", reference="R-1", mode="live")
    assert [*admin_client.get(url(Customer), {"q": text}).context["cl"].result_list] == [ada]


@pytest.mark.parametrize("text", ["LOVELACE@EX", "A100", "#A100", "R-1", "id"])
def test_an_order_is_found_by_what_staff_have_at_hand(admin_client, text):
    ada = make_customer(email="ada.lovelace@example.com")
    order = make_order(customer=ada, number="A100", reference="R-1")
    make_order(customer=make_customer(email="bob@example.com"), number="A1001", reference="R-10")
    make_order(customer=make_customer(email="lovelace@example.com", mode="live"), mode="live")
    found = admin_client.get(url(Order), {"q": order.pk if text == "id" else text})
    assert [*found.context["cl"].result_list] == [order]


@needs_postgresql
def test_a_search_among_orders_reads_no_whole_table(admin_client):
    customers = Customer.objects.bulk_create(
        Customer(email=f"{number}@example.com", email_key=f"{number}@example.com")
        for number in range(1000)
    )
    Order.objects.bulk_create(
        Order(customer=customer, number=f"A{number}", currency_code="EUR")
        for number, customer in enumerate(customers)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers, orders")
        cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as queries:
        found = admin_client.get(url(Order), {"q": "997@example"}).context["cl"].result_list
    assert [order.number for order in found] == ["A997"]
    searches = [one["sql"] for one in queries if "997@example" in one["sql"]]
    assert len(searches) >= 2
    with connection.cursor() as cursor:
        for sql in searches:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan on orders" not in plan, plan


def test_a_customer_is_found_by_id_and_not_by_half_of_it(admin_client):
    ada = make_customer()
    for text, count in ((ada.pk, 1), (ada.pk[:8], 0)):
        assert admin_client.get(url(Customer), {"q": text}).context["cl"].result_count == count
    assert palette(admin_client, f"{ada.pk}\0") == []


def test_two_letters_begin_an_address_unless_somebody_is_known_by_them(admin_client):
    ada, bob = make_customer(email="ada@example.com"), make_customer(email="bob@example.com")
    make_customer(email="brad@example.com")
    assert palette(admin_client, "ad")[0] == "ada@example.com"
    assert "brad@example.com" not in palette(admin_client, "ad")
    make_order(customer=bob, number="AD")
    assert palette(admin_client, "AD")[:1] == ["bob@example.com"]
    assert ada.email not in palette(admin_client, "AD")


def test_more_customers_cost_the_palette_no_more_queries(admin_client):
    counts = []
    for _ in range(2):
        make_customer(email=f"ada{len(counts)}@example.com")
        with CaptureQueriesContext(connection) as queries:
            palette(admin_client, "ada")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def listed(client, query=""):
    response = client.get(f"{url(Customer)}?{query}")
    assert response.status_code == 200
    return response.context["cl"]


def test_the_list_takes_the_filters_of_the_api_and_shows_the_call(admin_client):
    vip, news = make_tag(name="vip"), make_tag(name="news")
    ada, bob = make_customer(password="argon2$x"), make_customer()
    ada.tags.add(vip, news)
    bob.tags.add(vip)
    make_customer()
    every = "filter[q][tags_name_eq]=vip&filter[q][tags_name_eq]=news"
    found = {
        "filter[q][tags_name_in]=vip,news": [bob, ada],
        every: [ada],
        "filter[q][password_present]=true": [ada],
        f"{every}&q=nobody": [],
    }
    for query, rows in found.items():
        assert [*listed(admin_client, query).result_list] == rows, query
    cl = listed(admin_client, every)
    assert cl.api_call == f"http://127.0.0.1:8000/api/customers?{every}"
    assert [chip[:2] for chip in cl.chips] == [("Tag", "vip"), ("Tag", "news")]
    assert cl.chips[0][2] == f"{url(Customer)}?filter[q][tags_name_eq]=news"


@pytest.mark.parametrize("name", ["shoe_size_eq", "password_start", "orders_number_eq"])
def test_a_filter_that_the_api_refuses_is_refused_by_name(admin_client, name):
    make_customer()
    response = admin_client.get(f"{url(Customer)}?filter[q][{name}]=1")
    assert [*response.context["cl"].result_list] == []
    assert name.rpartition("_")[0] in response.content.decode()


def test_what_is_chosen_becomes_filters_and_back(admin_client):
    group = make_group()
    chosen = {
        "status": ["acquired", "repeat"],
        "registered": "false",
        "group": group.pk,
        "tags": "VIP, news",
        "match": "all",
        "created_from": "2026-01-01",
        "created_before": "2026-02-01",
        "subscribed_to": "newsletter",
        "countries": "it, GB",
        "orders": "0",
        "q": "ada",
    }
    address = admin_client.get("/admin/customers/filter/", chosen)["Location"]
    assert address == (
        f"{url(Customer)}?filter[q][status_in]=acquired,repeat&filter[q][password_present]=false"
        f"&filter[q][customer_group_id_eq]={group.pk}&filter[q][tags_name_eq]=vip"
        "&filter[q][tags_name_eq]=news&filter[q][created_at_gteq]=2026-01-01"
        "&filter[q][created_at_lt]=2026-02-01"
        "&filter[q][customer_subscriptions_reference_eq]=newsletter"
        "&filter[q][customer_addresses_address_country_code_in]=IT,GB"
        "&filter[q][total_orders_count_gteq]=0&q=ada"
    )
    cl = admin_client.get(address).context["cl"]
    assert cl.refusals == []
    again = {name: value for name, value in cl.form.initial.items() if value}
    kept = {**chosen, "tags": "vip, news", "countries": "IT,GB"}
    assert again == {name: value for name, value in kept.items() if name != "q"}
    wrong = admin_client.get(
        "/admin/customers/filter/", {"group": "x", "orders": "-1"}, follow=True
    )
    assert "Orders, at least" in wrong.content.decode()


FILTERS = '[["status_eq", "acquired"], ["password_present", "false"]]'


def staff_client(client, name, *permissions):
    user = get_user_model().objects.create_user(name, is_staff=True)
    found = Permission.objects.filter(content_type__app_label="customers", codename__in=permissions)
    user.user_permissions.set(found)
    client.force_login(user)
    return user


def test_a_segment_is_saved_with_a_live_count_for_oneself_or_for_all(admin_client, client):
    make_customer()
    make_customer(mode="live", status="acquired", total_orders_count=1)
    for name, shared in (("Mine", ""), ("Ours", "on")):
        form = {"name": name, "filters": FILTERS, "shared": shared}
        assert admin_client.post("/admin/segments/", form).status_code == 302
    mine, ours = Segment.objects.order_by("name")
    counts = admin_client.get("/admin/segments/counts/").json()["counts"]
    assert (counts["All"], counts["Guests"], counts["Registered"], counts[mine.pk]) == (
        "1",
        "1",
        "0",
        "0",
    )
    make_customer(status="acquired", total_orders_count=1)
    assert admin_client.get("/admin/segments/counts/").json()["counts"][mine.pk] == "1"
    staff_client(client, "vera", "view_customer")
    assert [tab["name"] for tab in listed(client).tabs if tab["segment"]] == ["Ours"]
    assert client.post(f"/admin/segments/{ours.pk}/delete/").status_code == 404
    switch(admin_client, "live")
    assert [tab["name"] for tab in listed(admin_client).tabs if tab["segment"]] == []
    assert admin_client.post(f"/admin/segments/{mine.pk}/delete/").status_code == 404
    switch(admin_client, "test")
    assert admin_client.post(f"/admin/segments/{mine.pk}/delete/").status_code == 302
    assert [*Segment.objects.all()] == [ours]


@pytest.mark.parametrize(
    "filters",
    [
        *("", "[]", "{}", "[1]", '[["a"]]', '[["shoe_size_eq", "1"]]', '[["password_eq", "a"]]'),
        *("1", '["ab"]', "[" * 50_000, '[["reference_eq", "\\ud800"]]'),
        "[" + ", ".join(['["status_eq", "acquired"]'] * 51) + "]",
    ],
    ids=lambda text: text[:20],
)
def test_a_segment_of_no_filters_is_refused(admin_client, filters):
    form = {"name": "Odd", "filters": filters}
    assert admin_client.post("/admin/segments/", form).status_code == 400
    assert not Segment.objects.exists()


def test_a_segment_needs_a_new_name_and_leave_to_share(admin_client, client):
    form = {"name": "VIPs", "filters": FILTERS}
    for _ in range(2):
        admin_client.post("/admin/segments/", form)
    assert Segment.objects.count() == 1
    staff_client(client, "vera", "view_customer")
    client.post("/admin/segments/", {**form, "shared": "on"})
    assert Segment.objects.count() == 1
    client.post("/admin/segments/", form)
    assert Segment.objects.filter(owner__username="vera", shared=False).count() == 1


def test_segments_are_at_most_as_many_as_are_shown(admin_client, client):
    member = staff_client(client, "sam", "view_customer", "change_customer")
    for number in range(20):
        Segment.objects.create(mode="test", owner=member, name=f"{number}", shared=True)
    form = {"name": "more", "filters": FILTERS}
    refused = client.post("/admin/segments/", form, follow=True).content.decode()
    assert "You have 20 segments. Delete one first." in refused
    refused = admin_client.post("/admin/segments/", {**form, "shared": "on"}, follow=True)
    assert (
        "There are 20 shared segments. Save this one for yourself only." in refused.content.decode()
    )
    assert Segment.objects.count() == 20
    admin_client.post("/admin/segments/", form)
    assert len([tab for tab in listed(admin_client).tabs if tab["segment"]]) == 21
    assert len(admin_client.get("/admin/segments/counts/").json()["counts"]) == 27


def test_segments_are_for_those_who_may_see_customers(client):
    staff_client(client, "otto", "view_order")
    for path in ("/admin/segments/counts/", "/admin/customers/filter/"):
        assert client.get(path).status_code == 403
    assert client.post("/admin/segments/", {"name": "a", "filters": FILTERS}).status_code == 403
    assert not Segment.objects.exists()


def customer_page(client, customer):
    response = client.get(url(Customer, f"{customer.pk}/change/"))
    assert response.status_code == 200
    return response


def test_the_page_of_a_customer_tells_its_whole_history(admin_client):
    customer = make_full_customer(email="ada.lovelace@example.com")
    source = customer.customer_payment_sources.get()
    for currency, cents, status in (
        ("EUR", 1250, "placed"),
        ("EUR", 750, "approved"),
        ("USD", 500, "placed"),
        ("USD", 9900, "cancelled"),
    ):
        order = make_placed_order(customer, currency_code=currency, total_amount_cents=cents)
        Order.objects.filter(pk=order.pk).update(status=status)
    response = customer_page(admin_client, customer)
    shown, page = response.context["customer_page"], response.content.decode()
    assert shown.initials == "al"
    assert shown.statistics["spent"] == ["€20.00", "$5.00"]
    assert [
        len(getattr(shown, name))
        for name in (
            "orders",
            "returns",
            "addresses",
            "wallet",
            "subscriptions",
            "sku_lists",
            "attachments",
        )
    ] == [6, 1, 1, 1, 1, 1, 1]
    assert f'data-copy="{customer.pk}"' in page
    assert f'data-copy="http://127.0.0.1:8000/api/customers/{customer.pk}"' in page
    all_orders = f"{url(Order)}?customer__id__exact={customer.pk}"
    assert all_orders in page
    make_order()
    assert admin_client.get(all_orders).context["cl"].result_count == 6
    assert str(source) in page
    assert source.payment_source_token not in page
    assert "Became a customer" in [line.get("words") for line in shown.timeline]


def test_the_page_of_a_customer_shows_no_rows_that_one_may_not_see(client):
    customer = make_full_customer()
    make_placed_order(
        customer, number="order number one", currency_code="EUR", total_amount_cents=100
    )
    staff_client(client, "otto", "view_customer")
    response = customer_page(client, customer)
    shown, page = response.context["customer_page"], response.content.decode()
    names = ["orders", "returns", "order_subscriptions", "addresses", "wallet"]
    names += ["subscriptions", "sku_lists", "attachments", "notes", "timeline"]
    assert {name: getattr(shown, name) for name in names} == {name: [] for name in names}
    assert shown.statistics is None
    assert "order number one" not in page


def test_a_new_customer_has_a_page_too(admin_client):
    response = customer_page(admin_client, make_customer(email="_@example.com"))
    shown = response.context["customer_page"]
    assert (shown.statistics, shown.timeline) == ({"first": None, "last": None, "spent": []}, [])


def test_more_of_everything_costs_the_page_no_more_queries(admin_client):
    customer, counts = make_full_customer(), []
    customer_page(admin_client, customer)  # which types there are is asked once
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            customer_page(admin_client, customer)
        counts.append(len(queries))
        for _ in range(3):
            make_event(make_placed_order(customer))
            make_customer_address(customer=customer)
            make_payment_source(customer=customer)
            make_subscription(customer=customer)
            make_return(order=make_order(customer=customer))
            make_sku_list(customer=customer)
            make_attachment(customer=customer, name="Ada", reference_origin="app-orders--note")
            customer.tags.add(make_tag())
    assert counts[0] == counts[1]


def test_a_note_is_an_attachment_and_stands_on_the_timeline(admin_client, admin_user):
    customer = make_customer()
    admin_client.post(f"/admin/customers/{customer.pk}/note/", {"text": "Called <b>twice</b>."})
    note = customer.attachments.get()
    assert (note.name, note.description) == (admin_user.username, "Called <b>twice</b>.")
    assert note.reference_origin == "app-orders--note"
    assert EventStore.objects.get(resource_id=note.pk).who["owner"]["id"] == str(admin_user.pk)
    response = customer_page(admin_client, customer)
    timeline = response.context["customer_page"].timeline
    assert [line["author"] for line in timeline] == [admin_user.username]
    assert "Called &lt;b&gt;twice" in response.content.decode()
    for text in ("", " ", "x" * 5001):
        admin_client.post(f"/admin/customers/{customer.pk}/note/", {"text": text})
    assert customer.attachments.count() == 1


def test_tags_are_edited_in_place(admin_client):
    customer, vip = make_customer(), make_tag(name="vip")
    make_tag(name="news", mode="live")
    page = f"/admin/customers/{customer.pk}/tags/"

    def names():
        return [tag.name for tag in customer.tags.order_by("name")]

    assert admin_client.post(page, {"add": "VIP, fresh"}).status_code == 302
    assert names() == ["fresh", "vip"]
    admin_client.post(page, {"remove": "fresh"})
    assert names() == ["vip"]
    for wrong in ("no spaces", "é", "x" * 26, ",".join(f"t{n}" for n in range(10))):
        assert admin_client.post(page, {"add": wrong}).status_code == 302
        assert names() == ["vip"], wrong
    assert vip.mode == "test"
    other = make_customer(mode="live")
    assert (
        admin_client.post(f"/admin/customers/{other.pk}/tags/", {"add": "vip"}).status_code == 404
    )


def test_a_viewer_reads_the_page_and_changes_nothing(client):
    customer, tag = make_customer(), make_tag(name="vip")
    staff_client(client, "vera", "view_customer")
    make_placed_order(customer, number="A1")
    page = customer_page(client, customer).content.decode()
    assert "#A1" not in page
    for form in ("/tags/", "/note/"):
        path = f"/admin/customers/{customer.pk}{form}"
        assert path not in page
        assert client.post(path, {"add": tag.name, "text": "Hello"}).status_code == 403
    assert (customer.tags.count(), Attachment.objects.count()) == (0, 0)


def test_tags_that_are_refused_leave_no_new_tag_behind(admin_client, settings):
    settings.MAX_TAGS = 1
    customer, vip = make_customer(), make_tag(name="vip")
    customer.tags.add(vip)
    admin_client.post(f"/admin/customers/{customer.pk}/tags/", {"add": "fresh"})
    admin_client.post(f"/admin/customers/{customer.pk}/tags/", {"add": "fresh, no tag"})
    assert [*Tag.objects.all()] == [vip]
    assert not EventStore.objects.exists()
    assert not LogEntry.objects.exists()


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_staff_who_make_the_same_tag_at_once_make_one(admin_user):
    customers, clients = [make_customer() for _ in range(4)], [Client() for _ in range(4)]
    for client in clients:
        client.force_login(admin_user)

    def add(number):
        page = f"/admin/customers/{customers[number].pk}/tags/"
        return clients[number].post(page, {"add": "fresh"}).status_code

    assert in_threads(4, add) == [302] * 4
    assert Tag.objects.get().customers.count() >= 1


def test_what_is_written_on_the_page_and_kept_as_segment_stands_in_the_admins_log(admin_client):
    customer = make_customer()
    customer.tags.add(make_tag(name="old"))
    form = f"/admin/customers/{customer.pk}"
    for sent in ({"add": "vip, news"}, {"add": "vip"}, {"add": "late", "remove": "old"}):
        admin_client.post(f"{form}/tags/", sent)
    admin_client.post(f"{form}/note/", {"text": "Called ada@example.com."})
    admin_client.post("/admin/segments/", {"name": "Mine", "filters": FILTERS})
    segment = Segment.objects.get()
    admin_client.post(f"/admin/segments/{segment.pk}/delete/")
    log = LogEntry.objects.order_by("pk").values_list("object_repr", "change_message")
    assert list(log) == [
        (f"customer {customer.pk}", "Added the tags news, vip."),
        (f"customer {customer.pk}", "Added the tag late. Removed the tag old."),
        (f"customer {customer.pk}", "Wrote a note."),
        (f"segment {segment.pk}", "Saved “Mine”."),
        (f"segment {segment.pk}", "Deleted “Mine”."),
    ]


def test_only_staff_who_may_make_tags_make_one_in_passing(client):
    customer = make_customer()
    staff_client(client, "sam", "view_customer", "change_customer")
    client.post(f"/admin/customers/{customer.pk}/tags/", {"add": "fresh"})
    assert not Tag.objects.exists()


def test_the_overview_counts_the_customers_of_the_mode(admin_client):
    began = timezone.now().date()
    make_customer(password="argon2$x")
    make_customer(status="repeat", total_orders_count=2)
    old = make_customer()
    Customer.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=40))
    make_customer(mode="live")
    make_reset(customer=old)
    make_reset(customer=old, reset_password_at=timezone.now())
    shown = admin_client.get("/admin/").context["overview"]
    assert [(one["status"], one["number"]) for one in shown["statuses"]] == [
        ("prospect", "2"),
        ("acquired", "0"),
        ("repeat", "1"),
    ]
    assert (shown["total"], shown["new"], len(shown["bars"])) == ("3", "2", 30)
    assert shown["today"] == 2 or timezone.now().date() != began
    assert shown["resets"] == {"begun": 2, "done": 1}
    assert shown["webhooks"] == []
    assert [part["x"] for part in shown["parts"]] == [0, 401.0]


def test_the_overview_names_webhooks_that_fail(admin_client):
    fine, bad, off = make_webhook(), make_webhook(), make_webhook()
    type(bad).objects.filter(pk__in=[bad.pk, off.pk]).update(circuit_failure_count=3)
    type(off).objects.filter(pk=off.pk).update(disabled_at=timezone.now())
    assert admin_client.get("/admin/").context["overview"]["webhooks"] == [bad]
    assert fine.circuit_failure_count == 0


def test_the_overview_tells_nothing_to_those_who_may_not_see_customers(client):
    make_customer(email="ada@example.com")
    staff_client(client, "otto", "view_order")
    response = client.get("/admin/")
    assert response.context["overview"] is None
    assert "ada@example.com" not in response.content.decode()


def test_mails_stand_on_the_timeline_sent_or_failed(admin_client, settings):
    customer = make_customer()
    mails.mail_reset(customer, actor=None)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(OSError, match="refused"):
        mails.mail_reset(customer, actor=None)
    shown = customer_page(admin_client, customer).context["customer_page"]
    told = {line["words"]: line["kind"] for line in shown.timeline}
    assert told["E-mail “password reset” was sent"] == ""
    assert told["E-mail “password reset” failed"] == "bad"
    for entry in EventStore.objects.filter(event="mail"):
        assert customer.email not in str(entry.payload)


def test_the_page_of_somebody_forgotten_tells_of_mails_and_no_more(admin_client):
    customer = make_full_customer(email="ada.lovelace@example.com")
    mails.mail_reset(customer, actor=None)
    Customer.objects.filter(pk=customer.pk).update(
        anonymization_status="requested", anonymize_at=timezone.now()
    )
    assert anonymization.anonymize_next() == customer
    response = customer_page(admin_client, customer)
    assert "An e-mail was written" in [
        line.get("words") for line in response.context["customer_page"].timeline
    ]
    assert "lovelace" not in response.content.decode()
