"""How often somebody may do something: counted in Redis, in the database or in the process.

The window slides: what was done in the stretch of time before counts by the part of it that
the window still covers. All is reckoned in whole milliseconds, so that Retry-After is exact.
"""

import hashlib
import hmac
import ipaddress
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from django.conf import settings
from django.db import transaction

from customers.models import Counter, Mode
from customers.services.limit_counters import WindowCount, count_down, count_up
from customers.services.tokens import Principal


class RateLimitedError(Exception):
    """It was done too often; it may be tried again in `retry_after` seconds."""

    def __init__(self, limit: "Limit", retry_after: int):
        super().__init__(f"Too many requests; try again in {retry_after} seconds.")
        self.retry_after = retry_after
        self.headers = {**Use(limit, 0).headers, "Retry-After": str(retry_after)}


@dataclass(frozen=True)
class Limit:
    """`setting` names the setting that says how often `what` may be done in `seconds`.

    One that is `local` is counted in this process where there is no Redis: asking the
    database would cost more than what it limits.
    """

    what: str
    setting: str
    seconds: int
    local: bool = False

    @property
    def count(self) -> int:
        return getattr(settings, self.setting)


@dataclass(frozen=True)
class Use:
    """One use of a limit, after which `remaining` are left; it is counted under `key`."""

    limit: Limit
    remaining: int
    key: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What the API's clients read: the number, its seconds, and what is left."""
        return {
            "X-Ratelimit-Limit": str(self.limit.count),
            "X-Ratelimit-Interval": str(self.limit.seconds),
            "X-Ratelimit-Remaining": str(self.remaining),
        }


Wanted: TypeAlias = tuple[Limit, *tuple[str, ...]]  # a limit, and who uses it

API = Limit("api", "API_REQUESTS_PER_MINUTE", 60)
CHANNEL_REQUESTS: dict[str, Limit] = {
    Mode.LIVE: Limit("channel", "CHANNEL_REQUESTS_PER_MINUTE", 60, local=True),
    Mode.TEST: Limit("channel", "CHANNEL_REQUESTS_PER_MINUTE_TEST", 60, local=True),
}
CHANNEL_BURSTS: dict[str, Limit] = {
    Mode.LIVE: Limit("burst", "CHANNEL_BURST", 10, local=True),
    Mode.TEST: Limit("burst", "CHANNEL_BURST_TEST", 10, local=True),
}
TOKENS = Limit("tokens", "TOKEN_REQUESTS_PER_MINUTE", 60)
PAGES = Limit("pages", "PAGE_REQUESTS_PER_MINUTE", 60)
LOGINS = Limit("logins", "LOGIN_FAILURES_PER_CLIENT", 600)  # of one account from one address
ACCOUNT_LOGINS = Limit("account logins", "LOGIN_FAILURES_PER_ACCOUNT", 3600)  # from anywhere


def consume(limit: Limit, *actor: str) -> Use:
    """Count one use of `limit` by `actor`. Raises RateLimitedError.

    What is refused is not counted, so that nobody can be kept out by trying.
    """
    return consume_all([(limit, *actor)])[0]


def consume_all(wanted: Sequence[Wanted]) -> list[Use]:
    """Count one use of each of `wanted`, or of none.

    Raises RateLimitedError, of the first one, with the time after which none is in the way. All of
    them are `local`, or none is.
    """
    now = int(time.time() * 1000)
    counts = [_count_of(limit, actor, now) for limit, *actor in wanted]
    free, states = count_up(counts)
    if not free:
        waits = [one.wait(*state) for one, state in zip(counts, states, strict=True)]
        raise RateLimitedError(wanted[0][0], max(1, -(-max(waits) // 1000)))
    return [
        Use(limit, one.room(before) - count - 1, one.keys[0])
        for (limit, *_), one, (count, before) in zip(wanted, counts, states, strict=True)
    ]


def consume_channel(principal: Principal, method: str, route: str, client: str) -> Use | None:
    """Count one request to `route` by `principal`, a sales channel, from `client`, an address.

    Returns the use of the limit on all together, None where there is none.

    Reads and writes are counted apart, all together and, in a burst, those to one route: as
    the modelled API does. A limit of 0 is none. Raises RateLimitedError.
    """
    kind = "read" if method in ("GET", "HEAD") else "write"
    actor = kind, principal.application.pk, client
    limit, burst = CHANNEL_REQUESTS[principal.mode], CHANNEL_BURSTS[principal.mode]
    wanted: list[Wanted] = [(limit, *actor), (burst, *actor, route)]
    used = consume_all(found) if (found := [one for one in wanted if one[0].count]) else []
    return used[0] if limit.count else None


def refund(used: Use) -> None:
    """Take `used` back: it was no failure."""
    count_down(used.key, local=used.limit.local)


def refund_all(used: list[Use]) -> None:
    """As `refund`, of several."""
    with transaction.atomic():
        for one in used:
            refund(one)


def delete_expired_counts(now: datetime) -> None:
    """Delete the counts that no window covers at `now` any more."""
    Counter.objects.filter(expires_at__lt=now).delete()


def client_of(meta: dict) -> str:
    """The network address of the client that sent a request with the WSGI environment `meta`.

    A proxy among settings.TRUSTED_PROXIES is believed about who stands behind it
    (X-Forwarded-For, read from the right). Of an IPv6 address it is the first 64 bits,
    which one client has to itself.
    """
    hops = [meta.get("REMOTE_ADDR", ""), *reversed(meta.get("HTTP_X_FORWARDED_FOR", "").split(","))]
    if not hops[0] and "unix" in settings.TRUSTED_PROXIES:  # a Unix socket has no address
        hops.pop(0)
    address = None
    for hop in hops:
        try:
            address = ipaddress.ip_address(hop.strip())
        except ValueError:
            break
        if not any(address in network for network in settings.PROXY_NETWORKS):
            break
    if address is None:
        return "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _count_of(limit: Limit, actor: list[str], now: int) -> WindowCount:
    number, elapsed = divmod(now, limit.seconds * 1000)
    name = _name(limit, actor)
    return WindowCount(limit, (f"{name}:{number}", f"{name}:{number - 1}"), number, elapsed)


def _name(limit: Limit, actor: list[str]) -> str:
    """What counts are kept under: nobody's address can be read off it."""
    text = "\0".join([limit.what, *actor]).encode(errors="surrogatepass")
    return hmac.digest(settings.SECRET_KEY.encode(), text, hashlib.sha256).hex()
