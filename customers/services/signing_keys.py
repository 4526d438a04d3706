"""The RSA keys that sign access tokens: files of their own, kept out of the database."""

import os
import time
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from django.conf import settings
from joserfc.jwk import Key, KeySet, RSAKey

from customers.services.private_files import make_folder, narrow

KEY_BITS = 2048
LOOK_EVERY = 0.1  # seconds; asking the system costs more than all else about a known token

# DATA_DIR: when its keys were looked at, and their version
_versions: dict[Path, tuple[float, int | None]] = {}


def keys() -> KeySet:
    """All keys as a joserfc KeySet, the one to sign with first; makes the first one.

    Keys are PEM files in DATA_DIR/keys, named by time of making. A file that another
    process has added is seen at once.
    """
    folder = settings.DATA_DIR / "keys"
    names = _names(folder)
    if not names:
        make_key()
        names = _names(folder)
    return _load(folder, tuple(names))


def version() -> int | None:
    """Something that is another once a key has come or gone, LOOK_EVERY seconds later at most."""
    now, (looked_at, known) = time.monotonic(), _versions.get(settings.DATA_DIR, (0, None))
    if now - looked_at >= LOOK_EVERY:
        folder = settings.DATA_DIR / "keys"
        known = folder.stat().st_mtime_ns if folder.exists() else None
        _versions[settings.DATA_DIR] = now, known
    return known


def make_key() -> str:
    """Make a new key, with which all tokens are signed from now on; return its id."""
    folder = settings.DATA_DIR / "keys"
    make_folder(folder)
    key = RSAKey.generate_key(KEY_BITS)
    draft = folder / f"draft-{os.getpid()}"
    draft.touch(mode=0o600)
    draft.write_bytes(key.as_pem(private=True))
    number = max((int(name[:4]) for name in _names(folder)), default=0) + 1
    draft.rename(folder / f"{number:04}-{key.thumbprint()}.pem")  # complete or absent
    return key.thumbprint()


def drop_old(*, all_of_them: bool = False) -> int:
    """Delete the keys that no living token can be of, or all but the newest; return how many.

    A key has signed nothing since the next one was made, and no token lives longer than
    settings.REFRESH_TOKEN_LIFETIME.
    """
    folder = settings.DATA_DIR / "keys"
    oldest = time.time() - settings.REFRESH_TOKEN_LIFETIME
    dropped = [
        name
        for newer, name in pairwise(_names(folder))
        if all_of_them or (folder / newer).stat().st_mtime < oldest
    ]
    for name in dropped:
        (folder / name).unlink()
    return len(dropped)


def _names(folder: Path) -> list[str]:
    return sorted((path.name for path in folder.glob("*.pem")), reverse=True)


@lru_cache(maxsize=4)
def _load(folder: Path, names: tuple[str, ...]) -> KeySet:
    loaded: list[Key] = []
    narrow(folder)
    for name in names:
        narrow(folder / name)
        key = RSAKey.import_key((folder / name).read_bytes(), {"use": "sig", "alg": "RS512"})
        key.ensure_kid()  # RFC 7638 thumbprint
        loaded.append(key)
    return KeySet(loaded)
