"""A member of staff's second factor: codes of an app by time (RFC 6238), and recovery codes."""

import secrets
from base64 import b32encode
from io import BytesIO

import qrcode
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import salted_hmac
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from qrcode.image.svg import SvgPathImage

from customers.services import staff_logins

RECOVERY_CODES = 10
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that looks like another


def has_one(user: User) -> bool:
    """Whether `user` has set a second factor up."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def draft(user: User) -> TOTPDevice:
    """The factor that `user` is about to set up, with the same secret until it is confirmed."""
    return TOTPDevice.objects.get_or_create(
        user=user, confirmed=False, defaults={"name": "app", "confirmed": False}
    )[0]


def picture_of(device: TOTPDevice) -> str:
    """The QR code, as SVG, by which an app learns the secret of `device`."""
    image = qrcode.make(device.config_url, image_factory=SvgPathImage, border=2)
    written = BytesIO()
    image.save(written)
    return written.getvalue().decode().partition("?>")[2].strip()


def confirm(
    user: User, code: str, *, client: str = "unknown", browser: str = ""
) -> TOTPDevice | None:
    """Let the draft be `user`'s factor if `code` is the app's; returns it, or None.

    `client` and `browser` are where it comes from. Raises limits.RateLimitedError.
    """
    return _counted(_confirm, user, code, client, browser)


def verify_code(
    user: User, code: str, *, client: str = "unknown", browser: str = ""
) -> TOTPDevice | None:
    """The device of `user` that accepts `code`, of the app or for recovery; None if none does.

    A code is accepted once. `client` and `browser` are where it comes from. Raises
    limits.RateLimitedError.
    """
    return _counted(_verify, user, code, client, browser)


def _counted(accept, user, code, client, browser):
    """What `accept` finds, None where it raises ValidationError: that alone is counted."""
    try:
        with (
            staff_logins.counted_code(user, client=client, browser=browser),
            transaction.atomic(),
        ):
            return accept(user, code)
    except ValidationError:
        return None


def _confirm(user, code):
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
    if device is None or not device.verify_token(_digits(code)):
        raise ValidationError("The code is wrong.")
    TOTPDevice.objects.filter(user=user, confirmed=True).delete()
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    return device


def _verify(user, code):
    app = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
    if app is None:
        raise ValidationError("There is no second factor.")
    if app.verify_token(_digits(code)):
        return app
    recovery = StaticDevice.objects.select_for_update().filter(user=user).first()
    if recovery and recovery.verify_token(_digest(code)):
        return app
    raise ValidationError("The code is wrong.")


def new_recovery_codes(user: User) -> list[str]:
    """New codes that each replace the app once, returned only here; earlier ones are void."""
    codes = ["".join(secrets.choice(LETTERS) for _ in range(12)) for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        device, _ = StaticDevice.objects.get_or_create(user=user, defaults={"name": "recovery"})
        device.token_set.all().delete()
        for code in codes:
            device.token_set.create(token=_digest(code))
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes]


def recovery_codes_left(user: User) -> int:
    """How many recovery codes of `user` are unused."""
    return sum(device.token_set.count() for device in StaticDevice.objects.filter(user=user))


def remove(user: User) -> bool:
    """Remove the second factor of `user`; returns whether there was one."""
    found = has_one(user)
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    return found


def secret_of(device: TOTPDevice) -> str:
    """The secret of `device` in groups of four letters, for whoever cannot scan the code."""
    secret = b32encode(device.bin_key).decode()
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _digits(code):
    """A code as people type it, 123 456, without what is no digit."""
    digits = "".join(letter for letter in code if letter in "0123456789")
    return digits if len(digits) == 6 else ""


def _digest(code):
    """The digest of a recovery code that is stored: as much as the column holds."""
    letters = "".join(letter for letter in code.lower() if letter in LETTERS)
    return salted_hmac(settings.ORGANIZATION_ID, letters, algorithm="sha256").hexdigest()[:16]
