"""Long lists walked in each of their orders while rows are changed and deleted: none is lost."""

import random
import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from customers.tests.factories import ONE

pytestmark = pytest.mark.thorough


ROWS, PAGE = 10_000, 500
MOST_PAGES = 2 * ROWS // PAGE
TEXTS = ["a", "b", "B", "\u00e9", "e\u0301", "", " ", "\u6f22", "z, z"]
LISTED = sorted(ONE.keys() - {"event_stores"})


def sortable(api, name):
    """The attributes by which the API's description says that a type is sorted."""
    listed = api.client.get("/api/schema").json()["paths"][f"/api/{name}"]["get"]["parameters"]
    pattern = next(one for one in listed if one.get("name") == "sort")["schema"]["pattern"]
    return sorted(set(re.findall(r"[a-z][a-z_]+", pattern)))


def multiply(row, count):
    """Make `count` rows of one by the database, unlike in what must be unique."""
    meta = row._meta
    unique = {name for one in meta.constraints for name in getattr(one, "fields", ())}
    unique |= {field.of for field in meta.concrete_fields if hasattr(field, "of")} & {"email"}
    own = {"id": "substr(id, 1, 11) || substr(CAST(100000 + n AS VARCHAR), 2)"}
    for field in meta.concrete_fields:
        given = field.name in unique or getattr(field, "of", None) in unique
        if given and isinstance(field, models.CharField) and field.name != "mode":
            own[field.column] = f"CAST(n AS VARCHAR) || {connection.ops.quote_name(field.column)}"
    quote = connection.ops.quote_name
    columns = [field.column for field in meta.concrete_fields]
    values = ", ".join(own.get(column, quote(column)) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers"  # noqa: S608
            f" WHERE n < {count}) INSERT INTO {quote(meta.db_table)}"
            f" ({', '.join(map(quote, columns))})"
            f" SELECT {values} FROM {quote(meta.db_table)}, numbers"
            f" WHERE {quote(meta.db_table)}.id = %s",
            [row.pk],
        )


def value_for(field, chance):
    """A value that a row may have in `field`, none among them where it may be empty."""
    if field.null and chance.random() < 0.3:
        return None
    if isinstance(field, models.DateTimeField):
        return timezone.now() - timedelta(minutes=chance.randrange(500))
    if isinstance(field, models.IntegerField):
        return 1 + chance.randrange(5)
    if isinstance(field, models.BooleanField):
        return chance.random() < 0.5
    return chance.choice(TEXTS)[: field.max_length]


def vary(rows, field, ids, chance):
    """Let the rows with `ids` differ in `field` as far as the tables let them."""
    value = value_for(field, chance)
    try:
        with transaction.atomic():
            rows.filter(pk__in=ids).update(**{field.name: value})
    except IntegrityError:
        return False
    return True


def spread(model, names, chance):
    """Let all rows differ in the attributes by which they are sorted."""
    ids = list(model.objects.values_list("pk", flat=True))
    for name in names:
        field = column_of(model, name)
        if field is None:
            continue
        chance.shuffle(ids)
        for start in range(0, len(ids), 500):
            if not vary(model.objects, field, ids[start : start + 500], chance):
                break


def column_of(model, name):
    """The column of a sortable attribute that may be changed by itself, or None."""
    if name in {"id", "name", "number", "email", "code", "status"}:
        return None
    return next((field for field in model._meta.concrete_fields if field.name == name), None)


def walk(api, name, sort, between):
    """The ids of a list, page by page, `between` being called with all so far after each page."""
    query = {"sort": sort, "page[size]": str(PAGE), "page[after]": "", f"fields[{name}]": ""}
    response, found, pages = api.get(f"/api/{name}", **query), [], 0
    while True:
        assert response.status_code == 200, response.content
        document, pages = response.json(), pages + 1
        found += [resource["id"] for resource in document["data"]]
        assert pages < MOST_PAGES, f"the list by {sort} does not end"
        if "next" not in document["links"]:
            return found
        between(found)
        response = api.client.get(document["links"]["next"])


def disturbing(rows, field, left, touched, chance):
    """Changes, hides and deletes rows wherever they are, and those that were just read."""

    def disturb(found):
        ids = [*chance.sample(left, 20), *found[-3:]]
        touched.update(ids)
        if field:
            vary(rows, field, [*ids[:10], *found[-3:]], chance)
        rows.filter(pk__in=ids[10:20]).update(mode="live")
        rows.filter(pk=found[-1]).delete()

    return disturb


@pytest.mark.parametrize("name", LISTED)
def test_no_row_is_lost_in_any_order_while_others_are_changed_and_deleted(api, settings, name):
    settings.MAX_PAGE_SIZE, chance = PAGE, random.Random(name)  # noqa: S311
    model = type(row := ONE[name]())
    names = sortable(api, name)
    sorts = [sign + one for one in names for sign in ("", "-")]
    multiply(row, ROWS + len(sorts) * ROWS // PAGE)  # one of each page is deleted
    spread(model, names, chance)
    for sort in sorts:
        left, touched = list(model.objects.values_list("pk", flat=True)), set()
        field = column_of(model, sort.removeprefix("-"))
        found = walk(api, name, sort, disturbing(model.objects, field, left, touched, chance))
        unmoved = set(left) - touched
        seen = [pk for pk in found if pk in unmoved]
        assert len(unmoved) > ROWS * 0.9
        assert set(seen) == unmoved, f"{len(unmoved - set(seen))} are lost by {sort}"
        assert len(seen) == len(unmoved), f"some come twice by {sort}"
        model.objects.filter(mode="live").update(mode="test")


def test_each_row_that_is_changed_comes_by_the_moment_of_its_last_change(api, settings):
    settings.MAX_PAGE_SIZE, chance = PAGE, random.Random("updated_at")  # noqa: S311
    model = type(row := ONE["customers"]())
    multiply(row, ROWS)
    spread(model, ["updated_at"], chance)
    left, last = set(model.objects.values_list("pk", flat=True)), {}

    def change(found):
        for pk in [*chance.sample(sorted(left), 5), *found[-2:]]:
            reference = str(len(last))
            assert api.update("customers", pk, {"reference": reference}).status_code == 200
            last[pk] = len(found)

    found = walk(api, "customers", "updated_at", change)
    assert len(left) == ROWS
    assert set(found) == left
    assert len(last) > ROWS // PAGE
    for pk, moment in last.items():
        assert pk in found[moment:], "a change was not seen"
