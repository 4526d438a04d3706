"""Readers of the environment: a value of it, or a sentence that says what it must be."""

import os
import re
import secrets
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ
from django.core.exceptions import ImproperlyConfigured

from customers.services.private_files import make_folder, narrow

T = TypeVar("T")

env = environ.Env()


def setting(
    read: Callable[..., T],
    name: str,
    default: Any,
    must_be: str,
    accept: Callable[[T], object] = lambda _value: True,
) -> T:
    """The environment's value of `name`, or `default` where it is not set.

    `read` is a reader of django-environ. Raises ImproperlyConfigured, saying what
    the setting must be, when the value cannot be read or `accept` refuses it.
    """
    try:
        value = read(name, default=default)
        accepted = accept(value)
    except (ValueError, TypeError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"Set {name} to {must_be}.") from error
    if not accepted:
        raise ImproperlyConfigured(f"Set {name} to {must_be}.")
    return value


def true_or_false(name: str, default: bool) -> bool:
    """As env.bool, which however reads every unknown word as false. Raises ValueError."""
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    try:
        return words[env.str(name, default=str(default)).lower()]
    except KeyError as error:
        raise ValueError(name) from error


def number_or_none(name: str, default: str) -> int | None:
    """As env.int, None where the value is empty. Raises ValueError."""
    text = env.str(name, default=default)
    return int(text) if text else None


def at_least(least: int, most: int = 2**31 - 1) -> Callable[[int], bool]:
    """Whether a number is from `least` to `most`."""
    return lambda value: least <= value <= most


def networks(addresses: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    """The networks written as `addresses`; "unix" is none. Raises ValueError."""
    return [ip_network(address, strict=False) for address in addresses if address != "unix"]


def is_postgresql(found: dict[str, Any]) -> bool:
    """Whether the database `found` is a PostgreSQL that has a name and could have its host."""
    return (
        found.get("ENGINE") == "django.db.backends.postgresql"
        and bool(found["NAME"] or "service" in found.get("OPTIONS", {}))
        and bool(re.fullmatch(r"/\S+|[\w.:,\[\]-]*", found["HOST"]))
    )


def is_sqlite(found: dict[str, Any]) -> bool:
    """Whether the database `found` is a file of SQLite."""
    return found.get("ENGINE") == "django.db.backends.sqlite3" and found["NAME"] != ":memory:"


def is_web_address(value: str) -> bool:
    """Whether `value` is a scheme and a host, without a path. Raises ValueError."""
    parts = urlsplit(value)
    return (
        value in (f"http://{parts.netloc}", f"https://{parts.netloc}")
        and bool(re.fullmatch(r"([\w.-]+|\[[\w.:]+\])(:\d+)?", parts.netloc, re.ASCII))
        and parts.port != 0  # reading it raises ValueError where it is none
    )


def host_of(url: str) -> str:
    """The host name of the web address `url`, an IPv6 address in its brackets."""
    return re.sub(r":\d+$", "", urlsplit(url).netloc).lower()


def is_url_or_empty(value: str) -> bool:
    """Whether `value` is a URL on the web, or nothing. Raises ValueError."""
    parts = urlsplit(value)
    address = f"{parts.scheme}://{parts.netloc}"
    return not value or (is_web_address(address) and value.isprintable() and " " not in value)


def is_email(value: str) -> bool:
    """Whether `value` has the shape of an e-mail address."""
    return bool(re.fullmatch(r"[^@\s]+@[^@\s]+", value)) and value.isprintable()


def is_sender(value: str) -> bool:
    """Whether `value` is an e-mail address, or a name and one in angle brackets.

    Python's parseaddr takes no address of an IPv6 host any more, from 3.12.6 and 3.11.10 on.
    """
    found = re.fullmatch(r"[^<>]*<([^<>]+)>|([^<>]+)", value)
    return found is not None and is_email(found[1] or found[2]) and value.isprintable()


def is_time_zone(value: str) -> bool:
    """Whether `value` names a time zone of the IANA database that this machine has."""
    return value in available_timezones()


def is_redis(value: str) -> bool:
    """Whether Redis' own client reads it without a fault."""
    import redis  # half a second, only where there is one

    try:
        redis.Redis.from_url(value).connection_pool.make_connection()
    except redis.RedisError:
        return False
    return bool(re.fullmatch(r"rediss?://[^/\s]+(/\d*)?(\?\S*)?|unix://[^/\s]*/\S+", value))


def generated_secret(path: Path) -> str:
    """The secret kept in the file `path`, made at the first start."""
    try:
        make_folder(path.parent)
        narrow(path)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)  # whichever process comes first wins, with the file complete
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(
            f"Set SECRET_KEY to a long random string, or DATA_DIR to a writable folder ({error})."
        ) from error
