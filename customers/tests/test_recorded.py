"""The wire as it was recorded: every request is sent again, and is to be answered the same.

`RECORD_ANSWERS=1 LOG_LEVEL=ERROR python -m pytest -s customers/tests/test_recorded.py` records anew
what `customers/tests/story` asks, on SQLite or PostgreSQL, and prints which answers are other ones.
Do so when an answer is meant to be another one, and say in the commit which and why.
"""

import difflib
import ipaddress
import json
import os
from collections import defaultdict

import pytest

from customers.tests.receivers import receiver
from customers.tests.recording import FILE, Player, Recorder, read, write
from customers.tests.story.whole import tell

pytestmark = pytest.mark.thorough

FEWEST = 500  # different requests
MOST_TOLD = 5  # differences, after which ids may be counted otherwise


@pytest.fixture
def steady(settings):
    """Settings under which answers depend on nothing but the requests."""
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    settings.ANONYMIZATION_DELAY = 0
    settings.TOKEN_REQUESTS_PER_MINUTE = 10_000
    settings.API_REQUESTS_PER_MINUTE = 0
    settings.CHANNEL_REQUESTS_PER_MINUTE_TEST = settings.CHANNEL_BURST_TEST = 0
    settings.MAX_CONCURRENT_REQUESTS = 0
    return settings


def request_of(step):
    return json.dumps({name: step[name] for name in step if name != "answer"})


def title(number, step):
    what = step.get("method") or next(iter(step))
    return f"{number}. {what} {step.get('path') or step.get(what)} {step.get('body', '')[:300]}"


def difference(number, step, answer):
    """What is not as recorded in `answer`, as a unified diff."""
    kept, found = (
        json.dumps(one, indent=1, sort_keys=True, ensure_ascii=False).splitlines()
        for one in (step["answer"], answer)
    )
    lines = difflib.unified_diff(kept, found, "recorded", "answered", lineterm="", n=4)
    return "\n".join([title(number, step), *lines])


@pytest.mark.skipif("RECORD_ANSWERS" in os.environ, reason="they are recorded anew")
def test_every_request_is_answered_as_it_was_recorded(steady):
    told = []
    with receiver() as server:
        player = Player(steady, server)
        for number, step in enumerate(read(), 1):
            answer = player.take(step)
            if answer != step["answer"]:
                told.append(difference(number, step, answer))
            if len(told) == MOST_TOLD:
                break
    assert not told, "\n\n".join(["Answers are not as recorded.", *told])


def test_many_different_requests_are_recorded():
    asked = {request_of(step) for step in read() if "method" in step}
    assert len(asked) >= FEWEST


@pytest.mark.skipif("RECORD_ANSWERS" not in os.environ, reason="set RECORD_ANSWERS=1 to record")
def test_record_the_answers_anew(steady):
    with receiver() as server:
        recorder = Recorder(steady, server)
        tell(recorder)
    kept = defaultdict(list)  # request: its answers, as it may have been sent more than once
    for step in read() if FILE.exists() else ():
        kept[request_of(step)].append(step)
    for number, step in enumerate(recorder.steps, 1):
        before = next(iter(kept[request_of(step)]), step)
        if before["answer"] != step["answer"]:
            print(difference(number, before, step["answer"]))
        del kept[request_of(step)][:1]
    write(recorder.steps)
