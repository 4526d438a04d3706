"""Staff who log in: how often somebody may be wrong, and from where they are known.

Wrong passwords are counted by client address, by name and address, and by name from anywhere,
before any is checked. So that no one can be locked out forever by those who keep trying, a
browser by which someone has logged in is counted by itself, as OWASP's device cookies are.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.crypto import get_random_string, salted_hmac

from customers.services import limits, passwords

SALT = "a browser of the staff's"
FROM_ADDRESS = limits.Limit("staff address", "STAFF_FAILURES_PER_ADDRESS", 600)
LOGINS = limits.Limit("staff logins", "LOGIN_FAILURES_PER_CLIENT", 600)  # of a name, from one place
NAME_LOGINS = limits.Limit("staff name", "LOGIN_FAILURES_PER_ACCOUNT", 3600)  # from anywhere
CODES = limits.Limit("second factor", "SECOND_FACTOR_FAILURES", 900)  # of one account


@contextmanager
def counted_login(name: str, *, client: str, browser: str) -> Iterator[None]:
    """One attempt to log in as `name`, in which a password is checked.

    `client` is the network address it comes from, `browser` what `remember` gave to it or
    anything else. It counts if a ValidationError ends it. Raises
    limits.RateLimitedError and passwords.HashingBusyError on entering; then nothing is checked.
    """
    passwords.staff_slots.check_free()
    if known := _id_of(browser, name):
        wanted: list[limits.Wanted] = [(LOGINS, name, known)]
    else:
        wanted = [(FROM_ADDRESS, client), (LOGINS, name, client), (NAME_LOGINS, name)]
    with _unless_it_succeeds(wanted), passwords.use_staff_slots():
        yield


@contextmanager
def counted_code(user: User, *, client: str, browser: str) -> Iterator[None]:
    """As `counted_login`, for a code of the second factor of `user`, who has given the password.

    From anywhere no more are tried than from one address: there are but a million codes.
    """
    if known := _id_of(browser, user.get_username()):
        wanted: list[limits.Wanted] = [(CODES, str(user.pk), known)]
    else:
        wanted = [(FROM_ADDRESS, client), (CODES, str(user.pk))]
    with _unless_it_succeeds(wanted):
        yield


def remember(name: str) -> str:
    """The cookie of a browser by which `name` has logged in; to anyone else it is of no use."""
    return signing.dumps([_digest(name), get_random_string(16)], salt=SALT)


def _id_of(browser, name):
    """The id of a browser by which `name` has logged in, None for any other."""
    try:
        owner, number = signing.loads(browser, salt=SALT, max_age=settings.STAFF_BROWSER_LIFETIME)
    except (signing.BadSignature, ValueError):
        return None
    return number if owner == _digest(name) else None


def _digest(name):
    return salted_hmac(SALT, name, algorithm="sha256").hexdigest()


@contextmanager
def _unless_it_succeeds(wanted):
    """Count the uses `wanted`, and give them back unless a ValidationError comes."""
    used = limits.consume_all(wanted)
    try:
        yield
    except ValidationError:
        raise
    except BaseException:
        limits.refund_all(used)
        raise
    limits.refund_all(used)
