"""Texts that are canonically equivalent are found by each other, by the indexes that are there."""

import unicodedata

import pytest
from django.db import connection

from customers.db import compositions
from customers.db.compositions import compose, equals_any, equivalent_texts, widen, widen_to_any
from customers.models import Address, Customer
from customers.tests.conftest import error_of, ids, needs_postgresql
from customers.tests.factories import ADDRESS, make_address, make_customer, make_customer_address
from customers.tests.field.doors import CUSTOMERS

MIXED = "Mu\u0308nchen \u2013 Z\u00fcrich"
KOREAN = "\uae40\ubbfc\uc900"
MANY = "\u00e4\u00f6\u00fc" * 5  # of 2 ** 15 spellings
EQUIVALENT = [
    (MIXED, compose(MIXED)),
    (MIXED, unicodedata.normalize("NFD", MIXED)),
    ("\u212b", "A\u030a"),  # the sign for angstrom
    ("\u212a", "K"),  # and for kelvin
    ("K", "\u212a"),
    ("e\u0323\u0302", "\u00ea\u0323"),
    ("e\u0302\u0323", "\u1ec7"),
    (KOREAN, unicodedata.normalize("NFD", KOREAN)),
    ("\u1112\u1161\u11ab", "\ud558\u11ab"),
    ("\u0915\u093c", "\u0958"),  # which nothing composes to
    ("\uf900", "\u8c48"),
    (MANY, unicodedata.normalize("NFD", MANY)),
    (MANY, MANY.replace("\u00f6", "o\u0308")),
]


def found(api, **filters):
    return ids(api.get("/api/customers", **{f"filter[q][{k}]": v for k, v in filters.items()}))


def test_each_character_that_is_composed_is_spelled_in_every_way():
    for code in range(0x110000):
        one = chr(code)
        for form in ("NFC", "NFD"):
            if (other := unicodedata.normalize(form, one)) != one:
                assert one in equivalent_texts(other), ascii(one)
                assert other in equivalent_texts(one), ascii(one)


@pytest.mark.parametrize("text", ["R-1", "e\u0301", "\u1ec7", "\u1fa7", KOREAN, MIXED])
def test_a_spelling_is_of_the_same_text(text):
    found = equivalent_texts(text)
    assert text in found
    assert len(found) == len(set(found))
    assert {compose(one) for one in found} == {compose(text)}


def test_what_has_one_spelling_is_looked_for_by_that():
    assert equals_any("reference", ["R-1"]).children == [("reference", "R-1")]
    assert equals_any("status", ["acquired", "repeat"]).children == [
        ("status__in", ["acquired", "repeat"])
    ]


@pytest.mark.parametrize("kept", [0, 1])
@pytest.mark.parametrize("pair", EQUIVALENT)
def test_equivalent_texts_are_equal_and_parts_of_each_other(api, pair, kept):
    customer, other = make_customer(reference=pair[kept]), make_customer(reference="another")
    sent = pair[1 - kept]
    for predicate in ("eq", "in", "matches", "start", "end", "cont", "i_cont", "cont_any"):
        assert found(api, **{f"reference_{predicate}": sent}) == [customer.pk], predicate
    for predicate in ("not_eq", "not_in", "does_not_match", "not_start", "not_cont", "not_end"):
        assert found(api, **{f"reference_{predicate}": sent}) == [other.pk], predicate
    assert ids(api.get("/api/customers", **{"filter[reference]": sent})) == [customer.pk]


def test_a_list_of_more_spellings_than_are_looked_for_is_found_too(api, monkeypatch):
    monkeypatch.setattr(compositions, "MOST_MORE", 1)
    texts = ["\u00e4", "\u00f6", "\u00fc"]
    pks = [make_customer(reference=unicodedata.normalize("NFD", text)).pk for text in texts]
    make_customer(reference="a"), make_customer(reference=None)
    assert found(api, reference_in=",".join(texts)) == pks
    assert found(api, reference_not_in_or_null=",".join(texts)) != pks


def test_a_letter_is_no_part_of_the_one_it_is_composed_to(api):
    make_customer(reference="Mu\u0308nchen"), make_customer(reference="M\u00fcnchen")
    assert found(api, reference_cont="mu") == []
    assert found(api, reference_cont="nchen") != []
    assert len(found(api, reference_matches="m_nchen")) == 2


def test_what_may_be_spelled_in_several_ways_is_left_open():
    assert widen("%m\u00fcnchen_1%") == "%m%nchen%1%"
    assert widen("100\\%\u00e9\\_") == "100\\%%\\_"
    assert widen("%Stra\u00dfe%") == "%Stra\u00dfe%"
    assert widen_to_any("%m\u00fcnchen%") == ["%m%nchen%"]
    assert sorted(widen_to_any("\u00e9%")) == ["e\u0301%", "e\u0341%", "\u00e9%"]
    assert len(widen_to_any(f"%{KOREAN}%")) <= compositions.MOST_PATTERNS
    assert f"%{KOREAN}%" in widen_to_any(f"%{KOREAN}%")


def test_each_pattern_that_an_index_is_asked_for_counts(api):
    parameter = "filter[q][address_last_name_start_any]"
    few, many = ",".join(["\u00e9"] * 60), ",".join(["\u00e9"] * 80)
    assert api.query("/api/customer_addresses", {parameter: few}).status_code == 200
    refused = api.query("/api/customer_addresses", {parameter: many})
    error_of(refused, 400, "INVALID_FILTER_VALUE", {"parameter": parameter})


@pytest.mark.parametrize("kept", [0, 1])
@pytest.mark.parametrize("pair", EQUIVALENT[:10])
def test_the_console_finds_equivalent_texts(admin_client, pair, kept):
    make_customer(email="bob@example.com")
    one, other = make_customer(email="ada@example.com"), make_customer(email="eve@example.com")
    Customer.objects.filter(pk=one.pk).update(reference=pair[kept])
    make_customer_address(customer=other, address=make_address(company=pair[kept]))
    listed = admin_client.get(CUSTOMERS, {"q": pair[1 - kept]}).context["cl"].result_list
    assert {row.pk for row in listed} == {one.pk, other.pk}


@needs_postgresql
def test_equivalent_texts_are_found_by_the_indexes():
    rows = [Address(**{**ADDRESS, "city": f"C{n}", "last_name": f"L{n}"}) for n in range(30_000)]
    Address.objects.bulk_create(rows, batch_size=5000)
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('addresses_last_name_parts')")
        cursor.execute("ANALYZE addresses")
    rows = Address.objects.filter(mode="test").order_by()
    for text in ("C1", "M\u00fcnchen", KOREAN):
        assert "Seq Scan" not in rows.filter(equals_any("city", [text])).explain(), ascii(text)
    for pattern in ("%M\u00fcnchen%", "%Smith%", f"%{KOREAN}%", "\u00e9%"):
        plan = rows.filter(last_name__ilike=pattern).explain()
        assert "addresses_last_name_parts" in plan, ascii(pattern)
