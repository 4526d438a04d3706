"""Requests and their answers as a file keeps them: what differs from run to run has a name.

Ids, secrets, ETags and times are written as `<id 3>`, `<secret 1>`, `<etag 2>` and `<now>`,
numbered as they first appear, so that what is told twice must be the same twice.
"""

import base64
import gzip
import json
import re
import time
from collections import Counter
from datetime import datetime
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.test import Client

FILE = Path(__file__).with_name("recorded_answers.jsonl.gz")
JSON_API = "application/vnd.api+json"
TOLD = [
    "Content-Type",
    "Location",
    "ETag",
    "WWW-Authenticate",
    "Retry-After",
    "Allow",
    "Cache-Control",
    "Idempotent-Replayed",
    "Content-Disposition",
]
SPAN = 3600, 40 * 86_400  # seconds before and after the start that are told as <now>
NAME = re.compile(r"<(?:id|secret|etag|place|token) \d+>")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
WAIT = re.compile(r"\d+(?= seconds?\b)")
QUOTED = re.compile('"(.+)"')
UNKNOWN = [  # kind, what looks like one; the second group is the value
    ("secret", re.compile(r"(/files/)([^\"/?<]+)")),
    ("token", re.compile(r'("reset_password_token": ")([^"<]+)')),
    ("secret", re.compile(r"()(eyJ[\w-]+\.[\w-]+\.[\w-]+)")),
    ("secret", re.compile(r"(?<![\w%-])()((?=[A-Za-z_-]*\d)[\w-]{32,})")),
    (
        "id",
        re.compile(
            r"(?:(?<![0-9A-Za-z%])|(?<=%[0-9A-F]{2}))()"
            r"((?!0{16})(?=[A-Za-z]*\d)[0-9A-Za-z]{16})(?![0-9A-Za-z])"
        ),
    ),
]


class Names:
    """What values of this run are called in the file."""

    def __init__(self):
        self.start = time.time()
        self._name_of, self._value_of = {}, {}
        self._counts, self._plain = Counter(), {}

    def learn(self, kind, value):
        """The name of `value`, a new one of `kind` where it has none."""
        if value not in self._name_of:
            self._counts[kind] += 1
            name = f"<{kind} {self._counts[kind]}>"
            self._name_of[value], self._value_of[name] = name, value
            if kind in ("place", "etag", "token"):  # which look like nothing of their own
                self._plain[value] = name
        return self._name_of[value]

    def known(self, text):
        """`text`, with the names of the values in it that have been told before."""
        for value, name in self._plain.items():
            text = text.replace(value, name)
        return self._named(text, lambda kind, value: self._name_of.get(value, value))

    def told(self, text):
        """`text`, with names for all that differs from run to run."""
        for value, name in self._plain.items():
            if not name.startswith("<etag"):
                text = text.replace(value, name)
        return TIME.sub(self._time, self._named(text, self.learn))

    def steady(self, value):
        """`value`, of JSON, without the numbers that differ from run to run."""
        match value:
            case dict():
                return {
                    name: "random" if name == "rand" else self.steady(one)
                    for name, one in value.items()
                }
            case list():
                return [self.steady(one) for one in value]
            case int() if not isinstance(value, bool):
                return self._moment(value, value, "<now>")
        return value

    def _named(self, text, name):
        for kind, pattern in UNKNOWN:
            text = pattern.sub(lambda found, kind=kind: found[1] + name(kind, found[2]), text)
        return text

    def meant(self, text):
        """`text` of the file with the values of this run."""
        return NAME.sub(lambda found: self._value_of.get(found[0], found[0]), text)

    def _time(self, found):
        moment = datetime.fromisoformat(found[0].replace("Z", "+00:00")).timestamp()
        return self._moment(moment, found[0], "<now>")

    def _moment(self, moment, text, name):
        before, after = SPAN
        return name if self.start - before < moment < self.start + after else text


def read():
    """The steps in the file: requests, commands and settings, with their answers."""
    with gzip.open(FILE, "rt") as lines:
        return [json.loads(line) for line in lines]


def write(steps):
    text = "".join(f"{json.dumps(step, ensure_ascii=False)}\n" for step in steps)
    FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def claims_of(token):
    """The header and the claims of a JWT."""
    return [
        json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        for part in token.split(".")[:2]
    ]


def parsed(response):
    """The body of `response`: JSON as such, unpacked where it is a file; of a page its kind."""
    content = response.getvalue()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if response["Content-Type"].startswith("text/html") if content else False:
        return "a page"
    try:
        body = json.loads(content)
    except ValueError:
        return content.decode()
    if isinstance(body, dict) and "openapi" in body:
        return {path: sorted(found) for path, found in body["paths"].items()}
    if isinstance(body, dict) and "access_token" in body:
        body["claims"] = claims_of(body["access_token"])
    return body


class Player:
    """Takes the steps one after another, against the service as it is now."""

    def __init__(self, settings, receiver):
        self.settings, self.receiver = settings, receiver
        self.names, self.client = Names(), Client()
        self.names.learn("place", receiver.url)
        self.response = self.body = self.output = None

    def take(self, step):
        """The answer to `step`: of a request status, headers and body; of others what they did."""
        step = json.loads(self.names.meant(json.dumps(step)))
        if "settings" in step:
            for name, value in step["settings"].items():
                setattr(self.settings, name, value)
            return None
        if "receiver" in step:
            self.receiver.status = step["receiver"]
            return None
        return self._run(step["run"]) if "run" in step else self._ask(step)

    def _ask(self, step):
        body = step.get("body")
        self.response = self.client.generic(
            step["method"],
            step["path"],
            body or "",
            content_type=step.get("type", JSON_API if body is not None else ""),
            headers=step.get("headers", {}),
        )
        self.body = parsed(self.response)
        headers = {name: self.response[name] for name in TOLD if name in self.response}
        if "ETag" in headers:
            headers["ETag"] = QUOTED.sub(
                lambda found: f'"{self.names.learn("etag", found[1])}"', headers["ETag"]
            )
        if self.response.status_code == 429:
            headers["Retry-After"] = "some" if headers["Retry-After"].isdigit() else None
            self.body = json.loads(WAIT.sub("some", json.dumps(self.body)))
        return self._named([self.response.status_code, headers, self.body])

    def _run(self, arguments):
        """The calls of webhooks that a command made; it prints secrets, which are learnt."""
        del self.receiver.received[:]
        output = StringIO()
        call_command(*arguments, stdout=output, stderr=output)
        self.output = re.findall(r"(?<![\w-])[\w-]{32,}", output.getvalue())
        for secret in self.output:
            self.names.learn("secret", secret)
        return self._named(
            [
                [headers["content-type"], headers["x-commercelayer-topic"], json.loads(body)]
                for headers, body in self.receiver.received
            ]
        )

    def _named(self, answer):
        text = json.dumps(self.names.steady(answer), sort_keys=True)
        return json.loads(self.names.told(text))


class Recorder(Player):
    """Takes steps as they are asked for, and keeps them with their answers."""

    def __init__(self, settings, receiver):
        super().__init__(settings, receiver)
        self.steps = []

    def keep(self, **step):
        """Take the step; what is returned is its answer of this run, with real values."""
        kept = json.loads(self.names.known(json.dumps(step)))
        self.steps.append({**kept, "answer": self.take(kept)})
        return self.body if "method" in step else self.output
