"""Cells of files of customers: what belongs to a value and what does not."""

import csv
import io

import pytest
from django.contrib.auth.hashers import check_password
from django.core.management import call_command

from customers.models import Address, Customer, Import, Order
from customers.tests.conftest import Api
from customers.tests.factories import ADDRESS, make_customer, make_tag
from customers.tests.field.doors import (
    CUSTOMERS,
    brought,
    by_api,
    by_command,
    by_console,
    every_door,
    listed_errors,
    preview,
    references,
    shown,
    tags_of,
    work,
)


@every_door
def test_spaces_around_a_cell_are_no_part_of_it(door, admin_client, tmp_path):
    make_tag(name="vip")
    text = (
        "email, reference , _add_tags\r\n ivo@example.com , R-9 , vip \r\n"
        "uma@example.com\u00a0,R-10,\r\n"
    )
    brought(door, text, admin_client, tmp_path)
    assert references() == {"ivo@example.com": "R-9", "uma@example.com": "R-10"}
    assert tags_of("ivo@example.com") == ["vip"]


@every_door
def test_a_cell_of_spaces_alone_is_empty(door, admin_client, tmp_path):
    brought(door, "email,reference\nada@example.com, \u00a0\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": None}


def test_spaces_around_an_orders_number_in_a_file_are_no_part_of_it():
    assert by_api("number, customer.email\n A-1 , ada@example.com \n", "orders").status_code == 201
    order = Order.objects.get()
    assert (order.number, order.customer.email) == ("A-1", "ada@example.com")


def test_a_tag_in_a_file_has_no_spaces_around_it():
    assert by_api("name\n vip \n", "tags").status_code == 201
    assert make_customer().tags.model.objects.get().name == "vip"


TAGS = 'Email,Tags\nmara@example.com,"vip, retail"\nnils@example.com,VIP Customer\n'


def test_spaces_between_the_tags_of_a_cell_lose_none(admin_client):
    make_tag(name="vip"), make_tag(name="retail")
    by_console(admin_client, TAGS)
    assert tags_of("mara@example.com") == ["retail", "vip"]


def test_the_preview_names_tags_that_there_are_not_with_their_rows(admin_client):
    make_tag(name="vip"), make_tag(name="retail")
    _, page = preview(admin_client, TAGS)
    told = [(row, column, value) for row, column, _, value in page.context["told"]]
    assert told == [(3, "Tags", "VIP Customer")]


def test_the_list_of_errors_names_tags_that_there_are_not_with_their_rows(admin_client):
    make_tag(name="vip"), make_tag(name="retail")
    progress = by_console(admin_client, TAGS)
    assert Customer.objects.count() == 2
    ((row, email, _, told),) = listed_errors(admin_client, progress)
    assert (row, email) == ("3", "nils@example.com")
    assert "VIP Customer" in told


def test_the_list_of_errors_names_a_tag_that_there_is_not_beside_one_that_there_is(admin_client):
    make_tag(name="vip")
    progress = by_console(admin_client, TAGS.replace("VIP Customer", "vip"))
    assert tags_of("mara@example.com") == ["vip"]
    ((row, _, _, told),) = listed_errors(admin_client, progress)
    assert row == "2"
    assert "retail" in told


def test_the_command_names_tags_that_there_are_not(tmp_path, capsys):
    make_tag(name="vip"), make_tag(name="retail")
    text = TAGS.replace("Email,Tags", "email,_add_tags")
    by_command(tmp_path, text, "--skip-errors")
    assert tags_of("mara@example.com") == ["retail", "vip"]
    assert "VIP Customer" in capsys.readouterr().err


def test_spaces_between_the_tags_that_a_program_adds_lose_none(api):
    make_tag(name="vip"), make_tag(name="retail")
    customer = make_customer(email="ada@example.com")
    assert api.update("customers", customer.pk, {"_add_tags": "vip, retail"}).status_code == 200
    assert tags_of("ada@example.com") == ["retail", "vip"]
    assert api.update("customers", customer.pk, {"_remove_tags": "new , vip"}).status_code == 200
    assert tags_of("ada@example.com") == ["retail"]


@every_door
def test_spaces_between_the_tags_of_a_file_lose_none(door, admin_client, tmp_path):
    make_tag(name="vip"), make_tag(name="retail")
    text = 'email,_add_tags\nada@example.com,"vip, retail"\n'
    brought(door, text, admin_client, tmp_path)
    assert tags_of("ada@example.com") == ["retail", "vip"]


SHOP = (
    "Customer ID,Email,Default Address Phone,Tags\n"
    "'7210448301122,mara@example.com,'+17755550154,vip\n"
)


def test_an_apostrophe_before_a_number_is_a_spreadsheets_mark_for_text(admin_client):
    make_tag(name="vip")
    by_console(admin_client, SHOP, column0="reference")
    assert references() == {"mara@example.com": "7210448301122"}


@every_door
@pytest.mark.parametrize("number", ["7210448301122", "0049", "1.50", "12,5"])
def test_an_apostrophe_before_any_number_is_taken_off(door, number, admin_client, tmp_path):
    brought(door, f"email;reference\nada@example.com;'{number}\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": number}


@every_door
@pytest.mark.parametrize("text", ["+1", "-1", "@a", "=1+1", " =1"])
def test_an_apostrophe_before_what_begins_a_formula_is_taken_off(
    door, text, admin_client, tmp_path
):
    brought(door, f"email\treference\nada@example.com\t'{text} \n", admin_client, tmp_path)
    assert references() == {"ada@example.com": text}


def test_a_password_in_a_file_is_taken_as_it_stands():
    for number, password in enumerate([" correct horse ", "'12345678901"]):
        text = f"email;password\nada{number}@example.com;{password}\n"
        assert by_api(text).status_code == 201
        customer = Customer.objects.get(email=f"ada{number}@example.com")
        assert check_password(password, customer.password)


@every_door
def test_a_cell_may_hold_the_json_of_an_object(door, admin_client, tmp_path):
    text = 'email;metadata\nada@example.com; {"size": "M", "a": [1, true]} \n'
    brought(door, text, admin_client, tmp_path)
    assert Customer.objects.get().metadata == {"size": "M", "a": [1, True]}


@pytest.mark.parametrize("cell", ["{", "M", "5", "[1]", '{"a": 1, "a": 2}', '{"a": "\\u0000"}'])
@every_door
def test_a_cell_that_holds_no_json_of_an_object_is_told(door, cell, admin_client, tmp_path):
    text = f"email\tmetadata\nada@example.com\t{quoted(cell)}\n"
    if door == "console":
        _, page = preview(admin_client, text)
        ((row, column, message, value),) = page.context["told"]
        assert (row, column, message, value) == (2, "metadata", "must be an object", cell)
        by_console(admin_client, text)
    elif door == "command":
        assert "0 rows done, 1 refused" in by_command(tmp_path, text)
    else:
        assert by_api(text).status_code == 201
    assert Import.objects.get().refusals == [
        [2 if door == "console" else 1, "ada@example.com", "metadata", "must be an object"]
    ]
    assert not Customer.objects.exists()


def quoted(cell):
    return '"' + cell.replace('"', '""') + '"'


def test_a_cell_may_hold_the_json_of_tags_and_numbers_and_what_is_true():
    vip = make_tag(name="vip")
    names = ["tags", "tags.name", *ADDRESS, "lat", "business", "company", "metadata"]
    cells = [
        f'[{{"id": "{vip.pk}"}}]',
        "",
        *ADDRESS.values(),
        "-0.5",
        "true",
        "Ada Ltd",
        '{"a": 1}',
    ]
    text = ";".join(names) + "\n" + ";".join(map(quoted, cells)) + "\n"
    assert by_api(text, "addresses").status_code == 201
    address = Address.objects.get()
    assert (address.lat, address.business, address.metadata) == (-0.5, True, {"a": 1})
    assert [*address.tags.all()] == [vip]


def test_a_cell_within_an_address_may_hold_json():
    make_customer(email="ada@example.com")
    names = ["customer.email", *(f"address.{name}" for name in ADDRESS), "address.metadata"]
    cells = ["ada@example.com", *ADDRESS.values(), '{"a": 1}']
    text = ";".join(names) + "\n" + ";".join(map(quoted, cells)) + "\n"
    assert by_api(text, "customer_addresses").status_code == 201
    assert Address.objects.get().metadata == {"a": 1}


@every_door
def test_a_column_may_be_one_member_of_metadata_and_the_others_stay(door, admin_client, tmp_path):
    make_customer(email="ada@example.com", metadata={"size": "S", "colour": "red"})
    text = "email,metadata.size,metadata.fit\nada@example.com,M,\nbob@example.com,L,slim\n"
    brought(door, text, admin_client, tmp_path)
    found = dict(Customer.objects.values_list("email", "metadata"))
    assert found == {
        "ada@example.com": {"size": "M", "colour": "red"},
        "bob@example.com": {"size": "L", "fit": "slim"},
    }


def test_metadata_given_whole_and_by_a_member_is_refused():
    text = 'email;metadata;metadata.size\nada@example.com;"{""size"": ""S""}";M\n'
    assert by_api(text).status_code == 201
    assert Import.objects.get().errors_log == {
        "ada@example.com": {"metadata": ["is given whole and by its members"]}
    }
    assert not Customer.objects.exists()


def test_a_column_may_be_one_member_of_an_orders_metadata():
    assert by_api("number,metadata.till\nA-1,'007\n", "orders").status_code == 201
    assert Order.objects.get().metadata == {"till": "007"}


@pytest.mark.parametrize("column", ["_add_tags", "_remove_tags", "tags", "Tags", "tags.name"])
def test_a_file_of_a_program_names_tags_that_there_are_not(column):
    make_tag(name="vip")
    text = f'email,{column}\nada@example.com,"VIP,retail, VIP Customer"\n'
    assert by_api(text).status_code == 201
    job = Import.objects.get()
    assert (job.status, job.processed_count, job.errors_count) == ("completed", 1, 0)
    ((key, told),) = job.errors_log.items()
    assert key == "ada@example.com"
    assert [*told.values()] == [
        ["names retail, which is no tag", "names VIP Customer, which is no tag"]
    ]
    assert [row for row, *_ in job.refusals] == [1, 1]
    assert tags_of("ada@example.com") == ([] if column == "_remove_tags" else ["vip"])


def test_rows_of_json_name_tags_that_there_are_not():
    rows = [{"number": "A-1", "tags": [{"name": "a,b"}]}, {"number": "A-2", "_add_tags": "a,b"}]
    make_tag(name="b")
    members = {"resource_type": "orders", "inputs": rows}
    assert Api().create("imports", members).status_code == 201
    work()
    assert Import.objects.get().errors_log == {
        "A-1": {"tags": ["names a,b, which is no tag"]},
        "A-2": {"_add_tags": ["names a, which is no tag"]},
    }
    assert {one.number: [*map(str, one.tags.all())] for one in Order.objects.all()} == {
        "A-1": [],
        "A-2": ["b"],
    }


def test_all_errors_of_a_file_are_counted_and_the_first_are_shown(admin_client):
    text = "email,tags\n" + "".join(f"bad {number},none\n" for number in range(25))
    _, page = preview(admin_client, f"{text}ada@example.com,none\n")
    assert "26 rows have errors The first 20 are:" in shown(page)
    assert len({row for row, *_ in page.context["told"]}) == 20
    progress = by_console(admin_client, f"{text}ada@example.com,none\n")
    assert "1 created or updated, 25 skipped. 26 errors." in shown(admin_client.get(progress))
    assert len(listed_errors(admin_client, progress)) == 26


def test_a_preview_says_when_not_every_row_could_be_tried(admin_client, monkeypatch):
    monkeypatch.setattr("customers.jobs.imports.TRIES", 2)
    text = "email\n" + "".join(f"bad {number}\n" for number in range(3))
    _, page = preview(admin_client, text)
    assert "2 rows have errors, and there may be more" in shown(page)


def test_a_staff_members_export_comes_back_as_it_was(admin_client):
    for email, reference in {"ada@example.com": "'72", "żółw@example.com": "=1+1"}.items():
        make_customer(email=email, reference=reference).tags.add(make_tag(), make_tag())
    before = list(Customer.objects.values())
    chosen = {"_selected_action": [one["id"] for one in before], "confirmed": len(before)}
    file = admin_client.post(CUSTOMERS, {"action": "export_csv", "index": 0, **chosen})
    progress = by_console(admin_client, file.content)
    assert "2 created or updated, 0 skipped." in shown(admin_client.get(progress))
    assert list(Customer.objects.values()) == before


@pytest.mark.thorough
@every_door
def test_spaces_within_a_cell_are_a_part_of_it(door, admin_client, tmp_path):
    brought(door, "email,reference\nada@example.com,R  9\u00a0b\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": "R  9\u00a0b"}


@pytest.mark.thorough
@every_door
@pytest.mark.parametrize("text", ["'s-Hertogenbosch", "O'Neil", "'"])
def test_an_apostrophe_before_a_letter_is_a_part_of_the_text(door, text, admin_client, tmp_path):
    brought(door, f"email,reference\nada@example.com,{text}\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": text}


@pytest.mark.thorough
@pytest.mark.parametrize("text", ["'72", "''72", "72", "=1+1", "'=1+1", "'s"])
def test_what_was_exported_is_imported_as_it_was(text, tmp_path):
    make_customer(email="ada@example.com", reference=text)
    path = tmp_path / "customers.csv"
    call_command("export_customers", str(path))
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))
    Customer.objects.update(reference=None)
    out = io.StringIO(newline="")
    lines = csv.DictWriter(out, ["email", "reference"], extrasaction="ignore")
    lines.writeheader()
    lines.writerows(rows)
    assert by_command(tmp_path, out.getvalue()) == ""
    assert references() == {"ada@example.com": text}
