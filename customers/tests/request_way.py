"""A request's way: which of our files and functions are passed, from the door to the answer.

`python -m customers.tests.request_way [--calls | --write]` makes a database of its own on SQLite,
goes five ways twice, and prints what the second passes, the first having compiled what is compiled
once. With `--calls` the files and functions come in the order of their first calls, indented by the
depth of our own calls; `--write` puts that into docs/requests.md. Comprehensions count as a part of
their function, and a generator as one call.
"""

import argparse
import os
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from customers.tests.five_ways import WAYS, Service
from customers.tests.receivers import receiver

ROOT = Path(__file__).resolve().parent.parent.parent
OWN = [f"{ROOT / name}{os.sep}" for name in ("customers", "project")]
NOT_OWN = f"{ROOT / 'customers' / 'tests'}{os.sep}"
PARTS = {"<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"}
GENERATOR = 0x20 | 0x80 | 0x200  # inspect's CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR


class Trace:
    """Notes the calls of all threads that were started after `install`, while it is on."""

    def __init__(self):
        self.on, self.kinds, self._threads = False, {}, threading.local()
        self.clear()

    def clear(self):
        self.calls, self.first, self.frameworks = Counter(), [], set()
        self._frames = {}  # of generators, kept so that their ids are not used again

    def install(self):
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def _note(self, frame, event, _):
        if event not in ("call", "return"):
            return
        code = frame.f_code
        kind = self.kinds.get(code)
        if kind is None:
            kind = self.kinds[code] = kind_of(code)
        if kind == "own":
            depth = getattr(self._threads, "depth", 0)
            self._threads.depth = depth + 1 if event == "call" else max(depth - 1, 0)
            if event == "call" and self.on:
                self._count(frame, code, depth)
        elif kind == "framework" and self.on:
            self.frameworks.add(code.co_filename)

    def _count(self, frame, code, depth):
        if code.co_flags & GENERATOR:
            if id(frame) in self._frames:
                return
            self._frames[id(frame)] = frame
        key = code.co_filename, code.co_qualname
        if key not in self.calls:
            self.first.append((depth, *key))
        self.calls[key] += 1

    @contextmanager
    def noting(self):
        self.on = True
        try:
            yield
        finally:
            self.on = False


def kind_of(code):
    """Whether `code` is ours, a framework's, or neither."""
    name = code.co_filename
    if "site-packages" in name:
        return "framework"
    is_own = name.startswith(tuple(OWN)) and not name.startswith(NOT_OWN)
    return "own" if is_own and code.co_name not in PARTS | {"<module>"} else "other"


def table(found):
    """What each way passes, as lines of Markdown."""
    yield "| way | own files | own functions | own calls | framework files |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for way, (calls, _, frameworks) in found.items():
        files = {name for name, _ in calls}
        yield f"| {way} | {len(files)} | {len(calls)} | {calls.total()} | {len(frameworks)} |"


def listing(calls, first):
    """The functions in the order of their first calls, as lines of Markdown."""
    files = list(dict.fromkeys(short(name) for _, name, _ in first))
    yield f"{len(files)} files: {', '.join(files)}\n"
    yield "```"
    for depth, name, function in first:
        times = calls[name, function]
        yield f"{'  ' * depth}{short(name)} {function}{f' x{times}' if times > 1 else ''}"
    yield "```"


def short(name):
    return str(Path(name).relative_to(ROOT))


def measure():
    """The calls, their order and the framework files of each way, gone the second time."""
    trace, found = Trace(), {}
    with receiver() as server:
        service = Service(server)
        trace.install()
        for way, go in WAYS.items():
            for _ in range(2):
                trace.clear()
                go(service, trace.noting)
            found[way] = trace.calls, trace.first, trace.frameworks
        sys.setprofile(None)
        threading.setprofile(None)
    return found


HEAD = """# A request's way

Which of our files and functions a request passes, from the door to the answer, in the order of
their first calls and indented by their depth; a number says how often, where it is more than once.
Each way is gone twice and the second one shown, as some things are compiled once. This page is
printed by a command; when the code has changed, run it again:

```sh
.venv/bin/python -m customers.tests.request_way --write
```
"""


def document(found, calls):
    """The table, and with `calls` the listings, as lines of Markdown."""
    yield from table(found)
    for way, (counted, first, _) in found.items() if calls else ():
        yield f"\n## {way[0].upper()}{way[1:]}\n"
        yield from listing(counted, first)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", action="store_true", help="list files and functions, too")
    parser.add_argument("--write", action="store_true", help="write docs/requests.md")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        os.environ.update(
            DATA_DIR=folder,
            DATABASE_URL=f"sqlite:///{folder}/way.sqlite3",
            DJANGO_SETTINGS_MODULE="project.settings",
            LOG_LEVEL="ERROR",
            WEBHOOK_ALLOWED_NETWORKS="127.0.0.0/8",
        )
        found = measure()
    lines = "\n".join(document(found, options.calls or options.write))
    if options.write:
        (ROOT / "docs" / "requests.md").write_text(f"{HEAD}\n{lines}\n")
    else:
        print(lines)


if __name__ == "__main__":
    main()
