"""What a type made by CONTRIBUTING does; test_contributing.py runs this in a copy that has it."""

import gzip
import json

import pytest

from customers.jobs import exports, imports, merging, personal_data, uploads
from customers.models import Customer, Export, Import, models_by_type
from customers.tests.factories import make_customer
from customers.tests.test_anonymization import everything, forget

CARD = {"number": "card-ada-1815", "points": 7, "note": "note-ada", "expires_on": "2030-01-31"}


@pytest.fixture
def ada(api):
    """A customer with a birthday and a card."""
    created = api.create("customers", {"email": "ada@example.com", "birthday": "1815-12-10"})
    assert created.status_code == 201, created.content
    assert created.json()["data"]["attributes"]["birthday"] == "1815-12-10"
    ada = Customer.objects.get()
    owner = {"customer": {"type": "customers", "id": ada.pk}}
    card = api.create("loyalty_cards", CARD, owner)
    assert card.status_code == 201, card.content
    return ada


def cards():
    return models_by_type()["loyalty_cards"].objects


def test_a_card_is_shown_found_and_included(api, ada):
    card = cards().get()
    shown = api.get(f"/api/loyalty_cards/{card.pk}").json()["data"]["attributes"]
    assert {name: shown[name] for name in CARD} == CARD
    found = api.query("/api/loyalty_cards", {"filter[q][number_start]": "card-"}).json()["data"]
    assert [one["id"] for one in found] == [card.pk]
    for path, name, pk in (
        ("loyalty_cards", "expires_on_lt", card.pk),
        ("customers", "birthday_eq", ada.pk),
        ("customers", "loyalty_cards_expires_on_gteq", ada.pk),
    ):
        day = {"expires_on_lt": "2030-02-01", "birthday_eq": "1815-12-10"}.get(name, "2030-01-31")
        rows = api.query(f"/api/{path}", {f"filter[q][{name}]": day}).json()["data"]
        assert [one["id"] for one in rows] == [pk]
    answer = api.get(f"/api/customers/{ada.pk}", include="loyalty_cards").json()
    assert [one["id"] for one in answer["included"]] == [card.pk]


def test_of_a_forgotten_person_no_card_and_no_birthday_is_left(api, ada):
    note = {"name": "note", "description": "Lost card-ada-1815."}
    bob = {"attachable": {"type": "customers", "id": make_customer().pk}}
    assert api.create("attachments", note, bob).status_code == 201
    assert api.update("customers", ada.pk, {"birthday": "1815-12-11"}).status_code == 200
    lines = [line for line in everything() if "1815-12-1" in line or "card-ada" in line]
    assert len(lines) > 3
    forget(ada)
    assert not [line for line in everything() if "1815" in line or "note-ada" in line]
    ada.refresh_from_db()
    assert ada.birthday is None
    assert not cards().exists()


def test_a_person_is_given_the_card(ada):
    told = personal_data.of(ada)
    assert [one["number"] for one in told["loyalty_cards"]] == [CARD["number"]]
    assert told["customer"]["birthday"] == "1815-12-10"


def test_cards_are_exported_and_imported(api, ada):
    for format in Export.Format.values:
        exports.begin_export("loyalty_cards", mode="test", actor=None, format=format)
        exports.begin_export("customers", mode="test", actor=None, format=format)
    while exports.do_export_part():
        pass
    files = [
        gzip.decompress(b"".join(exports.export_content(job))).decode()
        for job in Export.objects.order_by("pk")
    ]
    records = [json.loads(files[0])[0], json.loads(files[1])[0]]
    assert {name: records[0][name] for name in CARD} == CARD
    assert records[1]["birthday"] == "1815-12-10"
    assert "card-ada-1815,7,note-ada,2030-01-31" in files[2]
    assert ",1815-12-10," in files[3]
    given = [{**CARD, "points": 8}, {**CARD, "number": "2", "customer_id": ada.pk}]
    imports.begin_import("loyalty_cards", given, mode="test", actor=None)
    imports.begin_import("customers", [{"email": ada.email, "birthday": "1815-12-12"}], mode="test",
                  actor=None)  # fmt: skip
    while imports.do_import_part():
        pass
    assert [job.errors_log for job in Import.objects.all()] == [{}, {}]
    assert sorted(cards().values_list("number", "points")) == [("2", 7), (CARD["number"], 8)]
    ada.refresh_from_db()
    assert str(ada.birthday) == "1815-12-12"


def test_a_card_moves_and_a_birthday_is_kept_when_two_become_one(ada):
    bob = make_customer()
    merging.merge(bob.pk, ada.pk, mode="test", actor=None)
    bob.refresh_from_db()
    assert (cards().get().customer, str(bob.birthday)) == (bob, "1815-12-10")


def test_staff_see_the_card_and_the_birthday(admin_client, ada):
    card = cards().get()
    page = admin_client.get("/admin/customers/loyaltycard/").content.decode()
    assert CARD["number"] in page
    page = admin_client.get(f"/admin/customers/loyaltycard/{card.pk}/change/").content.decode()
    assert "note-ada" in page
    page = admin_client.get(f"/admin/customers/customer/{ada.pk}/change/").content.decode()
    assert 'name="birthday"' in page
    assert uploads.attributes()["birthday"] == "Birthday"


def test_the_schema_tells_of_the_card_and_the_birthday(client):
    schemas = client.get("/api/schema").json()["components"]["schemas"]
    assert schemas["LoyaltyCard"]["properties"]["type"]["const"] == "loyalty_cards"
    assert schemas["CustomerAttributes"]["properties"]["birthday"] == {
        "type": ["string", "null"],
        "format": "date",
        "description": "The day of birth.",
    }
