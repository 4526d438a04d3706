"""Files of customers as spreadsheets, shops and other programs write them."""

import pytest

from customers.models import Import
from customers.tests.factories import make_tag
from customers.tests.field.doors import (
    brought,
    by_console,
    choices,
    every_door,
    preview,
    references,
    refusal,
    shown,
    tags_of,
)

MARK = "\ufeff"


QUOTED = "\u20ac 5 \u2013 \u201cO\u2019Neil\u201d"


two_doors_of_bytes = pytest.mark.parametrize("door", ["console", "command"])


@every_door
def test_semicolons_part_the_columns_of_a_file(door, admin_client, tmp_path):
    make_tag(name="vip")
    text = (
        f"{MARK}email;reference;_add_tags\r\njürgen.groß@example.com;K-1001;vip\r\n"
        "anna.müller@example.com;K-1002;\r\n"
    )
    brought(door, text, admin_client, tmp_path)
    assert references() == {
        "jürgen.groß@example.com": "K-1001",
        "anna.müller@example.com": "K-1002",
    }
    assert tags_of("jürgen.groß@example.com") == ["vip"]


@every_door
def test_tabs_part_the_columns_of_a_file(door, admin_client, tmp_path):
    brought(door, "email\treference\ntab1@example.com\tT1\n", admin_client, tmp_path)
    assert references() == {"tab1@example.com": "T1"}


@every_door
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_line_above_the_names_says_what_parts_the_columns(door, sign, admin_client, tmp_path):
    text = f"sep={sign}\r\nemail{sign}reference\r\nsep1@example.com{sign}S1\r\n"
    brought(door, text, admin_client, tmp_path)
    assert references() == {"sep1@example.com": "S1"}


@every_door
def test_a_comma_in_a_name_that_is_quoted_parts_no_columns(door, admin_client, tmp_path):
    text = 'email;"reference"\nada@example.com;"Smith, John"\n'
    brought(door, text, admin_client, tmp_path)
    assert references() == {"ada@example.com": "Smith, John"}


@two_doors_of_bytes
def test_what_is_not_utf_8_is_read_as_windows_1252(door, admin_client, tmp_path):
    text = "email,reference\r\nzoe@example.com,Café-7\r\nnoa@example.com,Größe\r\n"
    brought(door, text.encode("cp1252"), admin_client, tmp_path)
    assert references() == {"zoe@example.com": "Café-7", "noa@example.com": "Größe"}


def test_the_preview_says_that_a_file_was_read_as_windows_1252(admin_client):
    text = "email,reference\nzoe@example.com,Café-7\n"
    _, page = preview(admin_client, text.encode("cp1252"))
    assert "Windows-1252" in shown(page)
    _, page = preview(admin_client, text)
    assert "Windows-1252" not in shown(page)


@two_doors_of_bytes
def test_signs_of_windows_1252_alone_are_read(door, admin_client, tmp_path):
    text = f"email,reference\nzoe@example.com,{QUOTED}\n"
    brought(door, text.encode("cp1252"), admin_client, tmp_path)
    assert references() == {"zoe@example.com": QUOTED}


@two_doors_of_bytes
@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_its_mark_is_read_as_such(door, order, admin_client, tmp_path):
    text = f"{MARK}email\treference\r\nzoe@example.com\tŻółw\r\n"
    brought(door, text.encode(order), admin_client, tmp_path)
    assert references() == {"zoe@example.com": "Żółw"}


TWICE = "Email,Name,Phone,Phone,Tags\r\nana@example.com,Ana R,+34600000001,+34600000002,vip\r\n"


def test_a_name_that_stands_over_two_columns_is_two_choices(admin_client):
    make_tag(name="vip")
    _, page = preview(admin_client, TWICE)
    assert [*page.context["form"].fields] == [f"column{number}" for number in range(5)]
    by_console(admin_client, TWICE, column3="reference")
    assert references() == {"ana@example.com": "+34600000002"}
    assert tags_of("ana@example.com") == ["vip"]


def test_of_two_columns_of_one_name_the_first_can_be_chosen_too(admin_client):
    by_console(admin_client, TWICE, column2="reference")
    assert references() == {"ana@example.com": "+34600000001"}


def test_two_columns_cannot_be_chosen_to_be_one_attribute(admin_client):
    path, page = preview(admin_client, TWICE)
    sent = choices(page, column2="reference", column3="reference", go="import")
    assert "Two columns" in shown(admin_client.post(path, sent))
    assert not Import.objects.exists()


@every_door
def test_columns_without_a_name_and_without_cells_are_passed_over(door, admin_client, tmp_path):
    text = "email,reference,,\r\ntr1@example.com,T-1,,\r\ntr2@example.com,T-2,,\r\n"
    brought(door, text, admin_client, tmp_path)
    assert references() == {"tr1@example.com": "T-1", "tr2@example.com": "T-2"}


@every_door
def test_a_column_without_a_name_between_others_is_passed_over(door, admin_client, tmp_path):
    brought(door, "email,,reference\nada@example.com,,R-1\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": "R-1"}


@every_door
def test_cells_beyond_the_names_are_passed_over_as_long_as_they_are_empty(
    door, admin_client, tmp_path
):
    brought(door, "email,reference\nada@example.com,R-1,,\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": "R-1"}


@every_door
def test_a_cell_under_no_name_is_not_lost_without_a_word(door, admin_client, tmp_path):
    text = "email,reference,\nada@example.com,R-1,\nbob@example.com,R-2,lost\n"
    assert "line 3" in refusal(door, text, admin_client, tmp_path)


TITLED = "Customers exported 2026-11-01\r\n\r\nemail,reference\r\ntom@example.com,R1\r\n"


@every_door
def test_a_title_above_the_names_is_told_of_the_first_line(door, admin_client, tmp_path):
    told = refusal(door, TITLED, admin_client, tmp_path)
    assert "the names must be in the first line" in told
    assert "line 1 has one cell, line 3 has two" in told


@every_door
def test_a_title_with_empty_cells_beside_it_is_told_of_too(door, admin_client, tmp_path):
    text = "Customers of 2026,\r\n,\r\nemail,reference\r\ntom@example.com,R1\r\n"
    told = refusal(door, text, admin_client, tmp_path)
    assert "the names must be in the first line" in told


@every_door
def test_an_empty_line_above_the_names_is_passed_over(door, admin_client, tmp_path):
    brought(door, "\r\nemail,reference\r\ntom@example.com,R1\r\n", admin_client, tmp_path)
    assert references() == {"tom@example.com": "R1"}
