"""Log lines: JSON or text, with the request's id, ids of rows, and nothing that names a person."""

import json
import logging
import re
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

from customers.services.database_errors import place_of

QUERY = re.compile(r"\?\S*")
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class WithoutQuery(logging.Filter):
    """Cut query strings off request lines: they may hold addresses, and logs hold ids only."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                QUERY.sub("", value) if isinstance(value, str) else value for value in record.args
            )
        return True


class WithoutPath(logging.Filter):
    """Keep what failed, not where: a path may hold an address. Each request has its own line.

    What we refuse has not failed: Django logs a PermissionDenied with the exception.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = "Something failed on our side.", ()
        return bool(record.exc_info) and getattr(record, "status_code", 500) >= 500


class OfServer(logging.Filter):
    """The server's own lines, of an exception its kind, and nothing of the advice at the start:
    more threads than cores are right where most wait for the database."""

    def filter(self, record: logging.LogRecord) -> bool:
        first, *others = record.getMessage().splitlines()
        if others:
            first = f"{first}: {others[-1].partition(':')[0]}."
        record.msg, record.args = first, ()
        return not first.startswith("Configuration allows spawning")


class WithoutRefused(logging.Filter):
    """Of a request that Django refuses keep the kind: it quotes paths, hosts and referrers.

    It is a warning: Django logs some as errors, with the places in our code.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        before, _, kind = record.name.rpartition(".")
        if before == "django.security":
            record.msg, record.args = f"A request was refused: {kind}.", ()
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
        return True


class Text(logging.Formatter):
    """One line for people. Of an exception its kind and its places are told, not its message,
    which may quote a row."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} {message}", style="{")

    def formatException(self, exc_info: tuple) -> str:
        kinds, places = describe_exception(exc_info[1])
        return "\n".join([*(f"  {place}" for place in places), " from ".join(kinds)])


class Json(logging.Formatter):
    """One line for machines: a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
            **getattr(record, "request_line", {}),
        }
        if record.exc_info:
            line["exception"], line["at"] = describe_exception(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def describe_exception(error: BaseException | None) -> tuple[list[str], list[str]]:
    """The kinds of the exception `error` and of what caused it, and the places it came by.

    Of a database's error its code and the names it is about are told, too.
    """
    kinds: list[str] = []
    places: list[str] = []
    while error:
        kind, place = f"{type(error).__module__}.{type(error).__qualname__}", place_of(error)
        kinds.append(f"{kind} ({place})" if place else kind)
        frames = traceback.extract_tb(error.__traceback__)
        places.extend(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        error = error.__cause__ or error.__context__
    return kinds, places
