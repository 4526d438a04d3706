"""A trigger, a bulk action and a filter, made in a copy of the project as CONTRIBUTING says."""

import re
import shutil

import pytest

from customers.tests import test_contributing as contributing
from customers.tests.test_architecture import FLOORS

USED = """
from customers.jobs import bulk
from customers.jobs.bulk_actions import ACTIONS
from customers.models import Customer, EventStore
from customers.tests.factories import make_customer, make_return


def test_a_return_is_refunded_once_it_was_received(api):
    received, draft = make_return(status="received"), make_return()
    answer = api.update("returns", received.pk, {"_refund": True})
    assert answer.json()["data"]["attributes"]["status"] == "refunded"
    assert answer.json()["data"]["attributes"]["refunded_at"]
    assert EventStore.objects.filter(resource_id=received.pk, event="update").exists()
    assert api.update("returns", draft.pk, {"_refund": True}).status_code == 422
    draft.refresh_from_db()
    assert (draft.status, draft.refunded_at) == ("draft", None)


def test_references_are_removed_and_who_has_none_is_skipped(admin_user):
    ada, bob = make_customer(reference="A1"), make_customer()
    skipped = ACTIONS["clear_reference"].apply([ada, bob], {}, None)
    assert list(skipped) == ["no reference"]
    assert not Customer.objects.exclude(reference=None).exists()


def test_customers_are_found_by_whether_they_have_a_code(api):
    ada, _ = make_customer(tax_exemption_code="T1"), make_customer()
    listed = api.get("/api/customers?filter[q][tax_exemption_code_present]=true").json()
    assert [one["id"] for one in listed["data"]] == [ada.pk]
    refused = api.get("/api/customers?filter[q][tax_exemption_code_eq]=T1")
    assert refused.status_code == 400
"""


def test_the_picture_of_the_house_has_its_floors():
    drawn = contributing.section("The house").partition("```\n")[2].partition("\n```")[0]
    floors = re.findall(r"│ (\w+)/", drawn)
    assert set(floors) == set(FLOORS)
    assert [FLOORS[floor] for floor in floors] == sorted(map(FLOORS.get, floors), reverse=True)


@pytest.mark.thorough
def test_what_the_guide_walks_through_works(tmp_path):
    tree = tmp_path / "copy"
    shutil.copytree(contributing.ROOT, tree, ignore=contributing.LEFT_OUT)
    lines = {
        title: sum(contributing.apply(title, tree).values())
        for title in ("A new trigger", "A new bulk action", "A new filter")
    }
    assert lines == {"A new trigger": 1, "A new bulk action": 17, "A new filter": 1}
    (tree / "customers/tests/test_made.py").write_text(USED)
    contributing.run(tree, "manage.py", "check")
    tests = ["customers/tests/test_made.py", "-n", "0", "-q", "-m", "not browser"]
    contributing.run(tree, "-m", "pytest", f"--rootdir={tree}", *tests)
