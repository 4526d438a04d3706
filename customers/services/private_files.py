"""Files that nobody but their owner reads, whatever the umask: keys, and SQLite's database.

It needs no settings, which use it.
"""

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

OTHERS = stat.S_IRWXG | stat.S_IRWXO  # what a group and everybody else may do
BESIDE = ("", "-wal", "-shm", "-journal")  # which SQLite gives the mode of the database

_narrowed = set()  # databases, by their paths


def make_folder(path: Path) -> None:
    """Make the folder `path` where it is missing, and take it from all but its owner."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    narrow(path)


def narrow(path: Path) -> None:
    """Take `path`, if it exists, from all but its owner.

    What we may not change stays as it is, and so does a folder that all share, as /tmp.
    """
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & OTHERS and not mode & stat.S_ISVTX:
            path.chmod(mode & ~OTHERS)


class PrivateConnection(sqlite3.Connection):
    """A connection to a database that is made, and left, as a file of its owner alone.

    Its folder is the operator's affair, unless it is DATA_DIR. Only the first connection to a
    file looks at it: others are made for each request.
    """

    def __init__(self, database: str | Path, *arguments: Any, **options: Any) -> None:
        path = str(database)
        if path not in _narrowed and not path.startswith((":memory:", "file:")):
            with suppress(OSError):  # SQLite says what is wrong
                os.close(os.open(path, os.O_CREAT, 0o600))
                _narrowed.add(path)
            for end in BESIDE:
                narrow(Path(f"{path}{end}"))
        super().__init__(database, *arguments, **options)
