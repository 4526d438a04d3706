"""Passwords of customers and staff: what is accepted and how it is kept."""

import re
import threading
import unicodedata
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from secrets import token_bytes
from typing import Protocol

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MinLengthValidator

from customers.db.fields import FoldedField

commonest = CommonPasswordValidator()
RETRY_AFTER = "1"  # second


# What can be nothing but a hash: crypt(5), the PHC string format, RFC 2307, and the notations of
# Django, passlib, Werkzeug, phpass, MySQL and SCRAM (RFC 5803). Bare hexadecimal digits are not
# among them: password managers make passwords of these.
HASH = re.compile(
    r"""
    (?: argon2 \$ )? \$? argon2(?:id|i|d) \$ [vm]= .+
    | (?: bcrypt(?:_sha256)? \$ )? \$2[abxy]?\$ [0-9]{2} \$ [./A-Za-z0-9]{53}
    | \$bcrypt-sha256\$ .+
    | \$ (?:1|5|6|apr1|md5|sha1) \$ (?:rounds=)? [./A-Za-z0-9$]{23,}
    | \$ (?:7|y|gy|sm3) \$ [./A-Za-z0-9$]{30,}
    | \$ [PHS] \$ [./A-Za-z0-9]{31,}
    | \$? (?:pbkdf2(?:[-_:][a-z0-9:-]+)?|scrypt(?:[:0-9]*)) \$ .+ \$ [./A-Za-z0-9+=_-]{16,}
    | (?:md5|sha1|sha256) \$ [^$]* \$ (?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})
    | \{ (?i:S?SHA(?:-?(?:224|256|384|512))?|S?MD5|CRYPT|X-\w+|argon2|bcrypt|scrypt|pbkdf2)
        (?:[-@]\w+)? \} \S{16,}
    | \*[0-9A-F]{40}
    | SCRAM-SHA-(?:1|256) \$ [0-9]+ : \S+
    """,
    re.VERBOSE,
)


class HashingBusyError(Exception):
    """As many passwords are being hashed as this process has slots for."""

    def __init__(self) -> None:
        super().__init__("Too many passwords are being looked at; try again in a moment.")


class HeldSlots(Protocol):
    """What a request holds while it may wait for the database."""

    def acquire(self) -> bool:
        """Take it again; whether it was to be had."""

    def release(self) -> None:
        """Let others have it."""


# What the request at work holds, None outside of one: it is let go while a password is hashed, of
# which the number has bounds of its own.
held_slots: ContextVar[HeldSlots | None] = ContextVar("held_slots", default=None)


class HashingSlots:
    """Slots for `count` hashes at a time, and a queue of `waiting` more; there is no more.

    So a flood of logins takes neither all memory nor all threads, and reads go on.
    """

    def __init__(self, count: int, waiting: int):
        self.queue = threading.Semaphore(count + waiting)
        self.running = threading.Semaphore(count)

    def __enter__(self) -> None:
        if not self.queue.acquire(blocking=False):
            raise HashingBusyError
        if slots := held_slots.get():
            slots.release()
        self.running.acquire()

    def check_free(self) -> None:
        """Raise HashingBusyError when the queue is full, before anything is done in vain."""
        if not self.queue.acquire(blocking=False):
            raise HashingBusyError
        self.queue.release()

    def __exit__(self, *_: object) -> None:
        self.running.release()
        self.queue.release()
        if (slots := held_slots.get()) and not slots.acquire():
            raise HashingBusyError


customer_slots = HashingSlots(settings.PASSWORD_CONCURRENCY, settings.PASSWORD_QUEUE)
staff_slots = HashingSlots(settings.STAFF_PASSWORD_CONCURRENCY, settings.STAFF_PASSWORD_QUEUE)
_slots_in_use: ContextVar[HashingSlots] = ContextVar("slots", default=customer_slots)


@contextmanager
def use_staff_slots() -> Iterator[None]:
    """What is hashed within takes slots of the staff's, and no customer's."""
    token = _slots_in_use.set(staff_slots)
    try:
        yield
    finally:
        _slots_in_use.reset(token)


def prepare(password: str) -> str:
    """`password` as it is hashed and compared, whichever keyboard it was typed on.

    Every space is U+0020 and letters are composed (NFC); nothing else is changed (RFC 8265
    section 4.2.2). What is far longer than a password may be is left alone: it is none, and
    composing it may take long.
    """
    if password.isascii() or len(password) > 4 * settings.PASSWORD_MAX_LENGTH:
        return password
    spaced = (" " if unicodedata.category(one) == "Zs" else one for one in password)
    return unicodedata.normalize("NFC", "".join(spaced))


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id as OWASP's Password Storage Cheat Sheet advises: 19 MiB, 2 passes, 1 lane.

    Raises HashingBusyError when too many hashes are asked for at once. A password longer than
    settings.PASSWORD_MAX_LENGTH is wrong, without a hash; none is kept of it, see
    MaximumLengthValidator.
    """

    time_cost = 2
    memory_cost = 19456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _slots_in_use.get():
            return super().encode(prepare(password), salt)

    def verify(self, password: str, encoded: str) -> bool:
        password = prepare(password)
        if len(password) > settings.PASSWORD_MAX_LENGTH:
            return False
        with _slots_in_use.get():
            return super().verify(password, encoded)


class MaximumLengthValidator:
    """Refuses passwords longer than settings.PASSWORD_MAX_LENGTH, for Django's own forms."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Raise django.core.exceptions.ValidationError for one that is too long."""
        if len(password) > settings.PASSWORD_MAX_LENGTH:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        return f"Your password must have at most {settings.PASSWORD_MAX_LENGTH} characters."


def hash_password(password: str, *, addresses: Iterable[str | None] = ()) -> str:
    """The hash to keep for `password`, a string, which is taken to the letter, as `prepare` has it.

    `addresses` are the e-mail addresses of whose password it is. Raises
    django.core.exceptions.ValidationError when it is shorter than
    settings.PASSWORD_MIN_LENGTH, longer than settings.PASSWORD_MAX_LENGTH, among the
    20,000 commonest, one of the addresses or its local part, or the hash of a password.
    """
    password = prepare(password)
    least, most = settings.PASSWORD_MIN_LENGTH, settings.PASSWORD_MAX_LENGTH
    MinLengthValidator(least, f"is too short (minimum is {least} characters)")(password)
    MaxLengthValidator(most, f"is too long (maximum is {most} characters)")(password)
    check_guessable(password, addresses)
    return make_password(password)


def check_guessable(password: str, names: Iterable[str | None]) -> None:
    """Raise ValidationError for a `password` that others would try, or that is none.

    `names` are the addresses, and other names, of whose it is; None among them is none. They are
    compared without regard to case and to how they are written in Unicode (NIST SP 800-63B-4,
    section 3.1.1.2: context-specific words).
    """
    try:
        commonest.validate(password)
    except ValidationError as error:
        raise ValidationError("is among the commonest passwords", code="common") from error
    fold = FoldedField.fold
    own = {fold(name.strip()) for name in names if name}
    if fold(password.strip()) in own | {name.rpartition("@")[0] for name in own} - {""}:
        raise ValidationError(
            "must not be the e-mail address, nor what stands before the @", code="own_address"
        )
    if HASH.fullmatch(password):
        raise ValidationError(
            "looks like the hash of a password, and would itself become the password; "
            "send the password, or none, and let its owner choose one by a reset",
            code="hashed",
        )


class GuessableValidator:
    """Refuses members of the staff what `check_guessable` refuses customers (Django's protocol)."""

    def validate(self, password: str, user: AbstractUser | None = None) -> None:
        names = [user.email, user.get_username()] if user else []
        try:
            check_guessable(password, names)
        except ValidationError as error:
            raise ValidationError(f"This password {error.messages[0]}.", code=error.code) from error

    def get_help_text(self) -> str:
        return "Your password must be neither your e-mail address nor a commonly used password."


def verify_password(password: str, kept: str | None) -> bool:
    """Whether `password`, a string, is the one that the hash `kept` is of.

    Without a hash (None), as for an address that nobody has, it is wrong, and finding
    that out takes as long.
    """
    if len(prepare(password)) > settings.PASSWORD_MAX_LENGTH:
        return False
    right = check_password(password, kept or _hash_of_nothing())
    return right and kept is not None


def _hash_of_nothing() -> str:
    """What looks like a hash that costs as much as any other, of no password that is known."""
    hasher = Argon2idHasher
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, digest = (b64encode(token_bytes(size)).decode().rstrip("=") for size in (22, 32))
    return f"{hasher.algorithm}$argon2id$v=19${costs}${salt}${digest}"
