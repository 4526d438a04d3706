"""Places in a list, as text that says nothing: what orders a row may be somebody's address."""

import base64
import hashlib
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE = 12  # bytes


def hide(place: bytes) -> str:
    """`place` as a text for addresses, which this service alone reads and can have made."""
    nonce = secrets.token_bytes(NONCE)
    hidden = nonce + _cipher(settings.SECRET_KEY).encrypt(nonce, place, None)
    return base64.urlsafe_b64encode(hidden).decode().rstrip("=")


def reveal(text: str) -> bytes:
    """The place in `text`, of `hide`. Raises ValueError."""
    hidden = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    try:
        return _cipher(settings.SECRET_KEY).decrypt(hidden[:NONCE], hidden[NONCE:], None)
    except InvalidTag:
        raise ValueError("it is no place that was given here") from None


@lru_cache(maxsize=1)
def _cipher(secret: str) -> AESGCM:
    return AESGCM(hashlib.sha256(f"places\0{secret}".encode()).digest())
