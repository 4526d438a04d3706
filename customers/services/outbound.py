"""Calling addresses that others have chosen, and none of our own network by it.

An address is checked when it is written, and again when the connection is made: then
the network address that was checked is the one that is connected to, so that a name
cannot lead elsewhere in between. Redirects are not followed.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from urllib.parse import urlsplit

import httpcore
from django.conf import settings

MOST_NAMES = 64  # resolved at once, each in a thread
MOST_READ = 2**16  # bytes of an answer, after which the connection is closed
WORLD = ipaddress.ip_network("2000::/3")  # all that is given out of IPv6
CARRIERS = [  # of an IPv4 address in the last 32 bits
    ipaddress.ip_network("::ffff:0:0/96"),  # mapped, RFC 4291
    ipaddress.ip_network("64:ff9b::/96"),  # NAT64, RFC 6052
]
# IANA's special-purpose address registries (RFC 6890) and what is beside them, as far as it is
# not reachable by everybody. A table of our own: Python's `is_global` answers otherwise from one
# version to the next. Ranges of protocols are in it whole, with the few addresses in them that
# are reachable, since no receiver has one of these.
SPECIAL = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link local, and where clouds tell their machines' secrets
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # protocols
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4, deprecated by RFC 7526
        "192.168.0.0/16",  # private use
        "198.18.0.0/15",  # measurements
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # protocols, Teredo and ORCHID among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries an IPv4 address; deprecated by RFC 7526
        "3fff::/20",  # documentation
    )
]
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
NUMBER = re.compile(r"(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?")  # the last label of what is no name
PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^][:%@\\]+)(:[0-9]*)?")  # all that may follow the //
FAILURES = (OSError, httpcore.ConnectError, httpcore.NetworkError, httpcore.ProtocolError)


NO_HOST = "must have a host that is a name, or an IP address as it is commonly written"


class ForbiddenAddressError(Exception):
    """The address must not be called; the message says why."""


def check_url(url):
    """Raise ForbiddenAddressError unless `url` is one that may be called.

    A name that cannot be resolved now is accepted: it is checked when it is called.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
    except ValueError as error:
        raise ForbiddenAddressError("must be a web address") from error
    if parts.scheme not in ("http", "https") or not host or not url.isascii():
        raise ForbiddenAddressError("must be a web address (http or https)")
    if parts.username is not None or parts.fragment or any(c <= " " for c in url):
        raise ForbiddenAddressError("must have neither a user, a fragment nor spaces")
    if not PLACE.fullmatch(parts.netloc):
        raise ForbiddenAddressError(NO_HOST)
    _check_host(host)
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        found = set()
    _check(found, secure=parts.scheme == "https")


def _check_host(host):
    """Raise ForbiddenAddressError unless `host` is a name or an address as everybody reads it.

    A resolver may take others for addresses (`127.1`, `0x7f000001`, `127.0.0.1.`), or cut a
    name where there is a `%`; which ones do, and how, differs. WHATWG URL, "ends in a number".
    """
    try:
        if ":" in host and "%" not in host:
            ipaddress.IPv6Address(host)
        elif NUMBER.fullmatch(host[host.rstrip(".").rfind(".") + 1 :]):
            ipaddress.IPv4Address(host)
        elif len(host) > 254 or not NAME.fullmatch(host):
            raise ForbiddenAddressError(NO_HOST)
    except ipaddress.AddressValueError as error:
        raise ForbiddenAddressError(NO_HOST) from error


def _check(addresses, *, secure):
    """Raise ForbiddenAddressError unless every one of `addresses`, strings, may be called."""
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        if any(address in network for network in settings.WEBHOOK_NETWORKS):
            continue
        if not _is_public(address):
            raise ForbiddenAddressError("leads into a private network")
        if not secure:
            raise ForbiddenAddressError("must start with https:// outside of your own networks")


def _is_public(address):
    """Whether the address, or the IPv4 address that it carries, is the whole world's."""
    if any(address in network for network in CARRIERS):
        return _is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.version == 6 and address not in WORLD:
        return False
    return not any(address in network for network in SPECIAL)


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the address that it has just checked."""

    def __init__(self, *, secure):
        self._secure = secure
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        _check_host(host)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(entry[4][0] for entry in found))
        _check(addresses, secure=self._secure)
        return await self._backend.connect_tcp(
            addresses[0], port, timeout, local_address, socket_options
        )

    async def sleep(self, seconds):
        await self._backend.sleep(seconds)


@cache
def _authorities():
    """Whose certificates are believed; reading them takes tens of milliseconds."""
    return ssl.create_default_context()


class WebhookClient:
    """Posts from a thread of its own, many at once, so that none waits for another."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(MOST_NAMES))
        self._pools = {
            scheme: httpcore.AsyncConnectionPool(
                ssl_context=_authorities(),
                max_connections=None,
                max_keepalive_connections=100,
                keepalive_expiry=30,
                network_backend=_CheckedNetwork(secure=scheme == "https"),
            )
            for scheme in ("http", "https")
        }
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def post(self, url, body, headers):
        """Begin to post `body`, bytes; return a Future of the answer's status and reason.

        The status is None, and the reason says why, when there was no answer in time.
        """
        return asyncio.run_coroutine_threadsafe(self._post(url, body, headers), self._loop)

    async def _post(self, url, body, headers):
        pool = self._pools["https" if url.lower().startswith("https:") else "http"]
        try:
            async with (
                asyncio.timeout(settings.WEBHOOK_TIMEOUT),
                pool.stream("POST", url, headers=headers, content=body) as answer,
            ):
                reason = answer.extensions.get("reason_phrase", b"").decode(errors="replace")
                await _read(answer)
                return str(answer.status), reason
        except TimeoutError:
            return None, f"no answer within {settings.WEBHOOK_TIMEOUT} seconds"
        except ForbiddenAddressError as error:
            return None, str(error)
        except (*FAILURES, ValueError) as error:
            return None, type(error).__name__

    def close(self):
        """Give up what is under way and end the thread."""
        asyncio.run_coroutine_threadsafe(self._give_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _give_up(self):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for pool in self._pools.values():
            await pool.aclose()


async def _read(answer):
    """Read a short answer, so that its connection can be used again."""
    length = 0
    async for part in answer.aiter_stream():
        length += len(part)
        if length > MOST_READ:
            break
