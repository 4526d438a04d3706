"""Passwords of customers and staff: what is accepted and how it is kept."""

import threading
from functools import cache

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MinLengthValidator
from django.utils.crypto import get_random_string

commonest = CommonPasswordValidator()
RETRY_AFTER = "1"  # second


class Busy(Exception):
    """As many passwords are being looked at as this process has room for."""

    def __init__(self):
        super().__init__("Too many passwords are being looked at; try again in a moment.")


class Places:
    """Room for `count` hashes at a time, and for `waiting` more; there is no more.

    So a flood of logins takes neither all memory nor all threads, and reads go on.
    """

    def __init__(self, count, waiting):
        self.all = threading.Semaphore(count + waiting)
        self.working = threading.Semaphore(count)

    def __enter__(self):
        if not self.all.acquire(blocking=False):
            raise Busy
        self.working.acquire()

    def expect_one(self):
        """Raise Busy when there is no room now, before anything is done in vain."""
        if not self.all.acquire(blocking=False):
            raise Busy
        self.all.release()

    def __exit__(self, *_):
        self.working.release()
        self.all.release()


places = Places(settings.PASSWORD_CONCURRENCY, settings.PASSWORD_QUEUE)


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id as OWASP's Password Storage Cheat Sheet advises: 19 MiB, 2 passes, 1 lane.

    Raises Busy when too many hashes are asked for at once.
    """

    time_cost = 2
    memory_cost = 19456
    parallelism = 1

    def encode(self, password, salt):
        with places:
            return super().encode(password, salt)

    def verify(self, password, encoded):
        with places:
            return super().verify(password, encoded)


def hash_password(password):
    """The hash to keep for `password`, a string, which is taken to the letter.

    Raises django.core.exceptions.ValidationError when it is shorter than
    settings.PASSWORD_MIN_LENGTH, longer than settings.PASSWORD_MAX_LENGTH or among the
    20,000 commonest.
    """
    least, most = settings.PASSWORD_MIN_LENGTH, settings.PASSWORD_MAX_LENGTH
    MinLengthValidator(least, f"is too short (minimum is {least} characters)")(password)
    MaxLengthValidator(most, f"is too long (maximum is {most} characters)")(password)
    try:
        commonest.validate(password)
    except ValidationError as error:
        raise ValidationError("is among the commonest passwords", code="common") from error
    return make_password(password)


def is_right(password, kept):
    """Whether `password`, a string, is the one that the hash `kept` is of.

    Without a hash (None), as for an address that nobody has, it is wrong, and finding
    that out takes as long.
    """
    if len(password) > settings.PASSWORD_MAX_LENGTH:
        return False
    right = check_password(password, kept or _hash_of_nothing())
    return right and kept is not None


@cache
def _hash_of_nothing():
    return make_password(get_random_string(32))
