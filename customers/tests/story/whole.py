"""The whole story, from the first token to the last limit."""

import json

from customers.tests.story.acts import (
    forget,
    moves,
    passwords,
    repeat_and_overwrite,
    tags,
)
from customers.tests.story.channels import shop, tokens
from customers.tests.story.every_type import end, look, others, relate, search, spoil, vary
from customers.tests.story.jobs import calls, jobs
from customers.tests.story.misuse import misuse
from customers.tests.story.rows import fill
from customers.tests.story.teller import Story


def tell(recorder):
    story = Story(recorder)
    log_in(story)
    fill(story)
    schema = schema_of(story)
    for kind in story.rows:
        look(story, schema, kind)
    for kind in story.rows:
        search(story, schema, kind)
    for kind in story.rows:
        others(story, kind)
    for kind in story.rows:
        spoil(story, schema, kind)
    misuse(story)
    moves(story)
    tags(story)
    repeat_and_overwrite(story)
    for kind in story.rows:
        relate(story, schema, kind)
    for kind in story.rows:
        vary(story, schema, kind)
    passwords(story)
    shop(story)
    tokens(story)
    jobs(story)
    calls(story)
    forget(story)
    for kind in story.rows:
        end(story, kind)
    limits(story)


def schema_of(story):
    story.get("/api/schema", by=None)
    return json.loads(story.recorder.response.getvalue())


def log_in(story):
    for name, options in {
        "program": ["Orders", "--mode", "test"],
        "live": ["Orders", "--mode", "live"],
        "reader": ["Reports", "--mode", "test", "--read-only"],
        "guest": ["Shop", "--kind", "sales_channel"],
    }.items():
        found = story.run("create_application", *options)
        keys = dict(zip(["client_id", "client_secret"], found, strict=False))
        story.clients[name] = keys
        story.token(name, grant_type="client_credentials", **keys)


def limits(story):
    """The last steps, since they leave counts behind."""
    story.set(TOKEN_REQUESTS_PER_MINUTE=1)
    ask = {"grant_type": "client_credentials", **story.clients["program"]}
    for _ in range(2):
        story.ask("POST", "/oauth/token", ask, by=None, type="application/json")
    story.set(CHANNEL_BURST_TEST=1)
    for _ in range(3):
        story.get("/api/organization", by="guest")
    story.set(CHANNEL_BURST_TEST=0, API_REQUESTS_PER_MINUTE=1)
    for _ in range(2):
        story.get("/api/organization")
