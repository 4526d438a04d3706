"""Which addresses webhooks may call: public ones, and those of WEBHOOK_ALLOWED_NETWORKS.

An address is checked when it is written, and again when the connection is made.
"""

import base64
import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes, urlsplit

from django.conf import settings

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
USER = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})+")  # RFC 3986 section 3.2.1
NO_USER = "must have a user and a password that are percent-encoded, and no colon in the user"
NO_HOST = "must have a host that is a name, or an IP address as it is commonly written"


class ForbiddenAddressError(Exception):
    """The address must not be called; the message says why."""


def check_url(url: str) -> None:
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
    check_host(host)
    try:
        found = {
            str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        }
    except (OSError, UnicodeError):
        found = set()
    check_addresses(found, secure=parts.scheme == "https")


def split_user(url: str) -> tuple[str, str | None]:
    """`url` without the user and the password in it, and the Authorization that they make.

    None without any (RFC 7617). Raises ForbiddenAddressError where they are none.
    """
    scheme, _, rest = url.partition("//")
    place = re.split("[/?#]", rest, maxsplit=1)[0]
    given, at, host = place.rpartition("@")
    if not at:
        return url, None
    user, _, password = (unquote_to_bytes(part) for part in given.partition(":"))
    pair = user + b":" + password
    if not USER.fullmatch(given) or b":" in user or any(c < 32 or c == 127 for c in pair):
        raise ForbiddenAddressError(NO_USER)
    authorization = f"Basic {base64.b64encode(pair).decode()}"
    return f"{scheme}//{host}{rest[len(place) :]}", authorization


def origin(url: str) -> tuple[str, str | None, int | None]:
    """The scheme, host and port of the web address `url` (RFC 6454)."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def check_host(host: str) -> None:
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


def check_addresses(addresses: Iterable[str], *, secure: bool) -> None:
    """Raise ForbiddenAddressError unless every one of `addresses`, strings, may be called."""
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        if any(address in network for network in settings.WEBHOOK_NETWORKS):
            continue
        if not _is_public(address):
            raise ForbiddenAddressError("leads into a private network")
        if not secure:
            raise ForbiddenAddressError("must start with https:// outside of your own networks")


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether the address, or the IPv4 address that it carries, is the whole world's."""
    if any(address in network for network in CARRIERS):
        return _is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.version == 6 and address not in WORLD:
        return False
    return not any(address in network for network in SPECIAL)
