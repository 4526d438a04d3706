"""Cells of files of customers: what belongs to a value and what does not."""

import pytest

from customers.models import Customer, Order
from customers.tests.factories import make_customer, make_tag
from customers.tests.field.doors import (
    brought,
    by_api,
    by_command,
    by_console,
    every_door,
    listed_errors,
    preview,
    references,
    tags_of,
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
