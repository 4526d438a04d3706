"""The list of rules that mutants.py breaks is true of the code, so that the command can run."""

from collections import Counter
from dataclasses import replace

import pytest
from django.conf import settings

from customers.tests import mutants
from customers.tests.mutants_list import RULES, Rule, misses

RULE = Rule("It is so", "a.py", "is so", "is not so", ("test_a.py::test_it",))


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "customers/tests").mkdir(parents=True)
    (tmp_path / "customers/tests/test_a.py").write_text("def test_it():\n    assert True\n")
    (tmp_path / "a.py").write_text("it is so\n")
    return tmp_path


def test_every_rule_is_found_once_with_the_tests_that_reach_it():
    told = [
        f"{rule.sentence}: {wrong}" for rule in RULES if (wrong := misses(rule, settings.BASE_DIR))
    ]
    assert told == []


def test_no_two_rules_are_called_or_broken_alike():
    called = Counter(rule.sentence for rule in RULES)
    broken = Counter((rule.file, rule.text, rule.broken) for rule in RULES)
    assert [name for name, count in (called + broken).items() if count > 1] == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, ""),
        ({"text": "was so"}, "its text is 0 times in a.py"),
        ({"text": "s"}, "its text is 2 times in a.py"),
        ({"tests": ("test_a.py::test_that",)}, "there is no test test_a.py::test_that"),
        ({"tests": ()}, "it breaks nothing"),
        ({"broken": "is so"}, "it breaks nothing"),
    ],
)
def test_a_rule_that_cannot_be_broken_is_told(tree, change, told):
    assert misses(replace(RULE, **change), tree) == told


@pytest.mark.parametrize(
    ("code", "complaints", "kind"),
    [
        (0, [], mutants.SURVIVED),
        (1, [("failure", "test_it[a]", "assert 1 == 2")], mutants.KILLED),
        (1, [("failure", "test_it", "NameError: name 'a' is not defined")], mutants.DOES_NOT_RUN),
        (1, [("error", "test_it", "failed on setup with ValueError")], mutants.DOES_NOT_RUN),
        (2, [("error", "", "collection failure")], mutants.DOES_NOT_RUN),
        (4, [], mutants.DOES_NOT_RUN),
        (None, [], mutants.HANGS),
    ],
)
def test_a_broken_rule_is_killed_by_a_failing_test_alone(code, complaints, kind):
    verdict = mutants.verdict_on(RULE, code, complaints)
    assert verdict.kind == kind
    assert (verdict.told == "test_it") == (kind == mutants.KILLED)
    assert (kind in mutants.FINE) == (kind == mutants.KILLED)


def test_the_table_ends_with_what_is_wrong():
    other = replace(RULE, sentence="It was so")
    found = [mutants.Verdict(RULE, mutants.SURVIVED), mutants.Verdict(other, mutants.KILLED, "x")]
    assert [" ".join(line.split()) for line in mutants.table(found, [RULE, other])] == [
        "It was so a.py killed by x",
        "It is so a.py SURVIVED",
        "2 rules: 1 killed, 1 SURVIVED",
    ]
