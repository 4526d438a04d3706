"""Files of customers as spreadsheets, shops and other programs write them."""

import pytest

from customers.tests.field.doors import (
    brought,
    every_door,
    references,
    refusal,
)

pytestmark = pytest.mark.thorough

MARK = "\ufeff"


@every_door
def test_commas_part_the_columns_where_a_cell_holds_semicolons(door, admin_client, tmp_path):
    brought(door, "email,reference\nada@example.com,a;b;c\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": "a;b;c"}


@every_door
def test_a_file_of_one_column_is_a_file(door, admin_client, tmp_path):
    brought(door, "email\nada@example.com\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": None}


@every_door
def test_utf_8_is_read_as_such_with_its_mark_and_without(door, admin_client, tmp_path):
    brought(door, f"{MARK}email,reference\nzoe@example.com,Żółw\n", admin_client, tmp_path)
    assert references() == {"zoe@example.com": "Żółw"}


@every_door
def test_a_row_that_is_longer_than_the_names_is_told_by_its_line(door, admin_client, tmp_path):
    text = "email,reference\nada@example.com,R-1\nbob@example.com,R-2,more\n"
    assert "line 3" in refusal(door, text, admin_client, tmp_path)
