"""How often somebody may do something: counted in Redis, in the database or in the process.

The window slides: what was done in the stretch of time before counts by the part of it that
the window still covers. All is reckoned in whole milliseconds, so that Retry-After is exact.
"""

import hashlib
import hmac
import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from threading import Lock

from django.conf import settings
from django.db import transaction
from django.db.models import F

from customers.models import Counter, Mode

logger = logging.getLogger(__name__)

FORSAKEN_FOR = 5  # seconds in which a Redis that failed is not asked again
MOST_KEPT = 20_000  # counts in one process

# Of each limit, KEYS: this stretch of time and the one before; ARGV: how many, the length of
# a stretch and what of it has passed. All are counted up, or none.
COUNT_UP = """
local found, free = {}, 1
for i = 1, #KEYS, 2 do
  local most, length, elapsed = unpack(ARGV, (i - 1) / 2 * 3 + 1, (i - 1) / 2 * 3 + 3)
  local count = tonumber(redis.call('GET', KEYS[i]) or '0')
  local before = tonumber(redis.call('GET', KEYS[i + 1]) or '0')
  if (count + 1) * length + before * (length - elapsed) > most * length then free = 0 end
  found[i], found[i + 1] = count, before
end
if free == 1 then
  for i = 1, #KEYS, 2 do
    redis.call('INCR', KEYS[i])
    redis.call('PEXPIRE', KEYS[i], 2 * ARGV[(i - 1) / 2 * 3 + 2])
  end
end
return {free, unpack(found)}
"""


GIVE_BACK = """
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
"""


class RateLimitedError(Exception):
    """It was done too often; it may be tried again in `retry_after` seconds."""

    def __init__(self, limit, retry_after):
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
    def count(self):
        return getattr(settings, self.setting)


@dataclass(frozen=True)
class Use:
    """One use of a limit, after which `remaining` are left; it is counted under `key`."""

    limit: Limit
    remaining: int
    key: str = ""

    @property
    def headers(self):
        """What the API's clients read: the number, its seconds, and what is left."""
        return {
            "X-Ratelimit-Limit": str(self.limit.count),
            "X-Ratelimit-Interval": str(self.limit.seconds),
            "X-Ratelimit-Remaining": str(self.remaining),
        }


API = Limit("api", "API_REQUESTS_PER_MINUTE", 60)
CHANNEL_REQUESTS = {
    Mode.LIVE: Limit("channel", "CHANNEL_REQUESTS_PER_MINUTE", 60, local=True),
    Mode.TEST: Limit("channel", "CHANNEL_REQUESTS_PER_MINUTE_TEST", 60, local=True),
}
CHANNEL_BURSTS = {
    Mode.LIVE: Limit("burst", "CHANNEL_BURST", 10, local=True),
    Mode.TEST: Limit("burst", "CHANNEL_BURST_TEST", 10, local=True),
}
TOKENS = Limit("tokens", "TOKEN_REQUESTS_PER_MINUTE", 60)
PAGES = Limit("pages", "PAGE_REQUESTS_PER_MINUTE", 60)
LOGINS = Limit("logins", "LOGIN_FAILURES_PER_CLIENT", 600)  # of one account from one address
ACCOUNT_LOGINS = Limit("account logins", "LOGIN_FAILURES_PER_ACCOUNT", 3600)  # from anywhere


@dataclass(frozen=True)
class _Count:
    """A limit at a moment: `keys` are those of this stretch of time and of the one before."""

    limit: Limit
    keys: tuple[str, str]
    number: int  # of this stretch
    elapsed: int  # milliseconds of it

    @property
    def length(self):
        return self.limit.seconds * 1000

    def room(self, before):
        """How many uses this stretch may hold when the one before held `before`."""
        most = self.limit.count * self.length - before * (self.length - self.elapsed)
        return most // self.length

    def wait(self, count, before):
        """Milliseconds until one more use gets through, 0 when one does now."""
        length, most = self.length, self.limit.count
        if count < self.room(before):
            return 0
        if count < most:  # in this stretch, when the one before weighs little enough
            return length - (most - count - 1) * length // before - self.elapsed
        return 2 * length - (most - 1) * length // count - self.elapsed


def use(limit: Limit, *actor: str) -> Use:
    """Count one use of `limit` by `who`. Raises RateLimitedError.

    What is refused is not counted, so that nobody can be kept out by trying.
    """
    return use_all([(limit, *actor)])[0]


def use_all(wanted: list[tuple[Limit | str, ...]]) -> list[Use]:
    """Count one use of each of `wanted`, a limit and who uses it, or of none.

    Raises RateLimitedError, of the first one, with the time after which none is in the way. All of
    them are `local`, or none is.
    """
    now = int(time.time() * 1000)
    counts = [_count_of(limit, actor, now) for limit, *actor in wanted]
    free, states = _asked_redis(counts) or _store_of(counts)(counts)
    if not free:
        waits = [one.wait(*state) for one, state in _pairs(counts, states)]
        raise RateLimitedError(counts[0].limit, max(1, -(-max(waits) // 1000)))
    return [
        Use(one.limit, one.room(before) - count - 1, one.keys[0])
        for one, (count, before) in _pairs(counts, states)
    ]


def use_channel(principal, method: str, route: str, client: str) -> None:
    """Count one request to `route` by `principal`, a sales channel, from `client`, an address.

    Reads and writes are counted apart, all together and, in a burst, those to one route: as
    the modelled API does. A limit of 0 is none. Raises RateLimitedError.
    """
    kind = "read" if method in ("GET", "HEAD") else "write"
    actor = kind, principal.application.pk, client
    limit, burst = CHANNEL_REQUESTS[principal.mode], CHANNEL_BURSTS[principal.mode]
    wanted = [(limit, *actor), (burst, *actor, route)]
    if wanted := [one for one in wanted if one[0].count]:
        use_all(wanted)


def refund(used: Use) -> None:
    """Take `used` back: it was no failure."""
    if used.limit.local and not settings.REDIS_URL:
        _kept_here.refund(used.key)
        return
    if _asked_redis_for(lambda redis: redis.register_script(GIVE_BACK)(keys=[used.key])):
        return
    Counter.objects.filter(key=used.key, count__gt=0).update(count=F("count") - 1)


def give_all_back(used: list[Use]) -> None:
    """As `give_back`, of several."""
    with transaction.atomic():
        for one in used:
            refund(one)


def delete_expired(now):
    """Delete the counts that no window covers at `now` any more."""
    Counter.objects.filter(expires_at__lt=now).delete()


def client_of(meta):
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


def _count_of(limit, actor, now):
    number, elapsed = divmod(now, limit.seconds * 1000)
    name = _name(limit, actor)
    return _Count(limit, (f"{name}:{number}", f"{name}:{number - 1}"), number, elapsed)


def _name(limit, actor):
    """What counts are kept under: nobody's address can be read off it."""
    text = "\0".join([limit.what, *actor]).encode(errors="surrogatepass")
    return hmac.digest(settings.SECRET_KEY.encode(), text, hashlib.sha256).hex()


# The stores. Each counts up if every limit allows it, and returns whether they did, and of each
# what this stretch and the one before had counted until then.


def _asked_redis(counts):
    """As a store; None where there is no Redis that answers."""

    def ask(redis):
        keys = [key for one in counts for key in one.keys]
        numbers = [n for one in counts for n in (one.limit.count, one.length, one.elapsed)]
        free, *found = redis.register_script(COUNT_UP)(keys=keys, args=numbers)
        return free == 1, list(zip(found[::2], found[1::2], strict=True))

    return _asked_redis_for(ask)


def _store_of(counts):
    return _kept_here.count_up if counts[0].limit.local else _counted_in_database


def _counted_in_database(counts):
    states = _stored(counts)
    if not _all_free(counts, states):
        return False, states
    together = transaction.atomic() if len(counts) > 1 else nullcontext()
    try:
        with together:
            return True, [_counted(one, before) for one, (_, before) in _pairs(counts, states)]
    except _Full:  # by others, meanwhile; what was counted before it has been undone
        return False, _stored(counts)


class _Full(Exception):
    """A limit is used up."""


def _counted(one, before):
    expires_at = datetime.fromtimestamp((one.number + 2) * one.limit.seconds, UTC)
    count = Counter.count_up(one.keys[0], below=one.room(before), expires_at=expires_at)
    if count is None:
        raise _Full
    return count - 1, before


def _stored(counts):
    keys = [key for one in counts for key in one.keys]
    found = dict(Counter.objects.filter(key__in=keys).values_list("key", "count"))
    return [tuple(found.get(key, 0) for key in one.keys) for one in counts]


def _all_free(counts, states):
    return all(count < one.room(before) for one, (count, before) in _pairs(counts, states))


def _pairs(counts, states):
    return zip(counts, states, strict=True)


class _Process:
    """Counts in this process: those that were asked for longest ago make room for others."""

    def __init__(self):
        self.counts, self.lock = OrderedDict(), Lock()

    def count_up(self, counts):
        with self.lock:
            states = [tuple(self.counts.get(key, 0) for key in one.keys) for one in counts]
            free = _all_free(counts, states)
            for one, (count, _) in _pairs(counts, states) if free else ():
                self.counts[one.keys[0]] = count + 1
                self.counts.move_to_end(one.keys[0])
            while len(self.counts) > MOST_KEPT:
                self.counts.popitem(last=False)
        return free, states

    def refund(self, key):
        with self.lock:
            if self.counts.get(key):
                self.counts[key] -= 1


_kept_here = _Process()
_forsaken = {}  # Redis' address: until when it is not asked


def _asked_redis_for(act: Callable):
    """What `act` returns of Redis, or True; None where there is none that answers."""
    url = settings.REDIS_URL
    if not url or time.monotonic() < _forsaken.get(url, 0):
        return None
    try:
        return act(_redis()) or True
    except _redis_errors() as error:
        _forsaken[url] = time.monotonic() + FORSAKEN_FOR
        logger.warning("Redis does not answer (%s).", type(error).__name__)
        return None


@cache
def _redis():
    import redis  # only where it is used
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),  # what was counted must not be counted again
    )


def _redis_errors():
    import redis

    return redis.RedisError
