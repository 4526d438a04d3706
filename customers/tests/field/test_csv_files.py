"""Files of customers as spreadsheets, shops and other programs write them."""

import pytest
from django.core.management import call_command

from customers.models import Customer, CustomerAddress, Import, Order, Upload
from customers.tests.factories import ADDRESS, make_customer, make_tag
from customers.tests.field.doors import (
    brought,
    by_api,
    by_command,
    by_console,
    choices,
    every_door,
    listed_errors,
    preview,
    references,
    refusal,
    shown,
    tags_of,
)
from customers.tests.test_anonymization import forget

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


@every_door
def test_names_are_understood_as_shops_spell_them(door, admin_client, tmp_path):
    make_tag(name="vip")
    brought(door, "E-Mail;Reference;Tags\nada@example.com;R-1;VIP\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": "R-1"}
    assert tags_of("ada@example.com") == ["vip"]


@every_door
def test_a_line_ends_as_on_any_machine(door, admin_client, tmp_path):
    for number, end in enumerate(["\r", "\n", "\r\n"]):
        text = f"email,reference{end}ada{number}@example.com,R-{number}{end}"
        if door == "console":
            by_console(admin_client, text)
        elif door == "command":
            assert by_command(tmp_path, text) == ""
        else:
            assert by_api(text).status_code == 201
    assert references() == {f"ada{number}@example.com": f"R-{number}" for number in range(3)}


@every_door
def test_a_cell_that_is_quoted_may_hold_lines_and_the_rows_below_keep_their_numbers(
    door, admin_client, tmp_path
):
    text = 'email;reference\nada@example.com;"a ""b""\r\nc;d"\nbob@example.com;R-2\n'
    brought(door, text, admin_client, tmp_path)
    assert references() == {"ada@example.com": 'a "b"\r\nc;d', "bob@example.com": "R-2"}


def test_the_preview_numbers_rows_as_a_spreadsheet_does(admin_client):
    text = 'sep=;\r\n\r\nemail;reference\r\n"ada@example.com";"a\r\nb"\r\n;;\r\nnone;R-2\r\n'
    _, page = preview(admin_client, text)
    assert [told[0] for told in page.context["told"]] == [5]
    progress = by_console(admin_client, text)
    assert [row for row, *_ in listed_errors(admin_client, progress)] == ["5"]


@every_door
def test_a_space_before_a_quoted_cell_is_no_part_of_it(door, admin_client, tmp_path):
    text = 'email, reference\nada@example.com, "Smith, John"\n'
    brought(door, text, admin_client, tmp_path)
    assert references() == {"ada@example.com": "Smith, John"}


@every_door
def test_bars_part_the_columns_of_a_file(door, admin_client, tmp_path):
    brought(door, "email|reference\nada@example.com|a,b;c\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": "a,b;c"}


@every_door
def test_more_semicolons_than_commas_in_the_names_part_the_columns(door, admin_client, tmp_path):
    text = 'email;reference;"metadata.total, net"\nada@example.com;a,b;1,5\n'
    brought(door, text, admin_client, tmp_path)
    customer = Customer.objects.get()
    assert customer.reference == "a,b"


@every_door
def test_commas_in_a_name_that_is_not_quoted_part_no_columns(door, admin_client, tmp_path):
    text = "email;metadata.first, last, or company\nada@example.com;Lovelace\n"
    brought(door, text, admin_client, tmp_path)
    customer = Customer.objects.get()
    assert customer.email == "ada@example.com"


@every_door
@pytest.mark.parametrize("space", ["\n", "\r\n", "\u00a0", "  "])
def test_a_name_may_be_broken_into_lines(door, space, admin_client, tmp_path):
    text = f'email,"Tax{space}exemption code"\nada@example.com,T-1\n'
    brought(door, text, admin_client, tmp_path)
    assert Customer.objects.get().tax_exemption_code == "T-1"


@every_door
def test_the_character_nul_is_told_with_its_line(door, admin_client, tmp_path):
    if door == "api":  # JSON cannot hold it
        answer = by_api("email\nada\0@example.com\n")
        assert answer.status_code == 400
        return
    told = refusal(door, "email,reference\r\nada\0@example.com,R-1\r\n", admin_client, tmp_path)
    assert "holds the character NUL in line 2" in told


@two_doors_of_bytes
def test_utf_16_without_its_mark_is_told_of(door, admin_client, tmp_path):
    told = refusal(door, "email\nada@example.com\n".encode("utf-16-le"), admin_client, tmp_path)
    assert "holds the character NUL in line 1" in told


@two_doors_of_bytes
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (MARK.encode() + b"email\nada@example.com,\xc3", "begins as UTF-8, but is not in line 2"),
        (
            f"{MARK}email\nada@example.com\n".encode("utf-16-le")[:-1],
            "begins as UTF-16, but is not in line 2",
        ),
    ],
)
def test_a_file_that_is_cut_is_told_of(door, content, sentence, admin_client, tmp_path):
    assert sentence in refusal(door, content, admin_client, tmp_path)


def test_the_preview_goes_on_saying_how_a_file_was_read(admin_client):
    text = f"{MARK}email\treference\r\nzoe@example.com\t\u017b\r\n"
    _, page = preview(admin_client, text.encode("utf-16-be"), column1="")
    assert "was read as UTF-16" in shown(page)
    path, _ = preview(admin_client, "email\nada@example.com\n")
    assert "was read as" not in shown(admin_client.get(f"{path}?encoding=<b>latin</b>"))


def test_the_command_says_that_a_file_was_read_as_windows_1252(tmp_path, capsys):
    assert by_command(tmp_path, "email\nzoë@example.com\n".encode("cp1252")) == ""
    assert "customers.csv was read as Windows-1252." in capsys.readouterr().out
    assert by_command(tmp_path, "email\nzoë@example.com\n") == ""
    assert "was read as" not in capsys.readouterr().out


@two_doors_of_bytes
def test_bytes_that_mean_nothing_in_windows_1252_stop_no_file(door, admin_client, tmp_path):
    brought(door, b"email,reference\nada@example.com,a\x81\xe9\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": "a\x81é"}


@pytest.mark.parametrize("door", ["command", "api"])
@pytest.mark.parametrize("names", ["email;reference;email", "Email;reference;E-Mail"])
def test_one_name_over_two_columns_is_told_where_nobody_can_choose(
    door, names, admin_client, tmp_path
):
    text = f"{names}\nada@example.com;R-1;bob@example.com\n"
    told = refusal(door, text, admin_client, tmp_path)
    assert "email is columns 1 and 3" in told


def test_of_two_columns_of_one_name_the_preview_says_which_is_which(admin_client):
    _, page = preview(admin_client, TWICE)
    assert "Phone (column 3)" in shown(page)
    assert "Phone (column 4)" in shown(page)
    assert "Email (column" not in shown(page)


def test_a_file_with_two_columns_of_one_name_forgets_who_is_in_either(admin_client):
    ada = make_customer(email="ada@example.com")
    text = (
        "sep=;\n\nEmail;Phone;Email\nbob@example.com;1;ada@example.com\ncy@example.com;2;\n"
        "ada@example.com;3;\ndan@example.com;4;\n"
    )
    path, page = preview(admin_client, text)
    forget(ada)
    assert "ada@example.com" not in Upload.objects.get().text
    admin_client.post(path, choices(page, go="import"))
    job = Import.objects.get()
    assert [row["email"] for row in job.stored_inputs.rows] == ["cy@example.com", "dan@example.com"]
    assert job.stored_inputs.numbers == [4, 6]


@every_door
@pytest.mark.parametrize(
    "title",
    ["Customers exported 2026-11-01\n\n", "Customers\nexported 2026-11-01\n", "Customers;;\n"],
)
def test_a_title_over_columns_that_semicolons_part_is_told_of(door, title, admin_client, tmp_path):
    text = f"{title}email;reference\ntom@example.com;R1\n"
    told = refusal(door, text, admin_client, tmp_path)
    line = 1 + title.count("\n")
    assert f"line 1 has one cell, line {line} has two" in told


@every_door
def test_a_cell_under_no_name_is_told_with_its_column(door, admin_client, tmp_path):
    text = "email,,reference\nada@example.com,lost,R-1\n"
    told = refusal(door, text, admin_client, tmp_path)
    assert "has a cell in line 2 in column 2, which has no name in line 1" in told


def test_an_orders_file_is_read_alike():
    text = "sep=|\r\nnumber|customer.email||\r\n '7210448301122 |ada@example.com||\r\n"
    assert by_api(text, "orders").status_code == 201
    order = Order.objects.get()
    assert (order.number, order.customer.email) == ("7210448301122", "ada@example.com")


def test_an_address_books_file_is_read_alike():
    make_customer(email="ada@example.com")
    names = ["customer.email", *(f"address.{name}" for name in ADDRESS), "address.lat"]
    cells = ["ada@example.com", *ADDRESS.values(), "52.5"]
    text = "\t".join(names) + "\r" + "\t".join(f" {cell}\u00a0" for cell in cells) + "\r"
    assert by_api(text, "customer_addresses").status_code == 201
    address = CustomerAddress.objects.get().address
    assert {name: getattr(address, name) for name in ADDRESS} == ADDRESS
    assert address.lat == 52.5


@pytest.mark.thorough
@every_door
def test_commas_part_the_columns_where_a_cell_holds_semicolons(door, admin_client, tmp_path):
    brought(door, "email,reference\nada@example.com,a;b;c\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": "a;b;c"}


@pytest.mark.thorough
@every_door
def test_a_file_of_one_column_is_a_file(door, admin_client, tmp_path):
    brought(door, "email\nada@example.com\n", admin_client, tmp_path)
    assert references() == {"ada@example.com": None}


@pytest.mark.thorough
@every_door
def test_utf_8_is_read_as_such_with_its_mark_and_without(door, admin_client, tmp_path):
    brought(door, f"{MARK}email,reference\nzoe@example.com,Żółw\n", admin_client, tmp_path)
    assert references() == {"zoe@example.com": "Żółw"}


@pytest.mark.thorough
@every_door
def test_a_row_that_is_longer_than_the_names_is_told_by_its_line(door, admin_client, tmp_path):
    text = "email,reference\nada@example.com,R-1\nbob@example.com,R-2,more\n"
    assert "line 3" in refusal(door, text, admin_client, tmp_path)


def test_a_file_of_json_may_begin_with_the_mark_of_utf_8(tmp_path):
    path = tmp_path / "customers.json"
    path.write_text(f'{MARK}[{{"email": "zoe@example.com", "reference": "Żółw"}}]')
    call_command("import_customers", str(path))
    assert references() == {"zoe@example.com": "Żółw"}
