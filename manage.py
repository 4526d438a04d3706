#!/usr/bin/env python3
"""Run Clientele's commands; `quickstart` and `test` also set up what they need."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST_PYTHON = (3, 11)
RUNTIME, TESTS = "requirements.txt", "customers/tests/requirements.txt"
NEEDED = {"quickstart": [RUNTIME], "test": [RUNTIME, TESTS]}  # by the command that installs it


def enter_virtual_environment(needed: list[str]) -> None:
    """Continue this command inside .venv, first made to have all of the files `needed`.

    Does nothing when already running there. Exits with a sentence when the environment cannot
    be made.
    """
    home = ROOT / ".venv"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = home / "requirements.sha256"
    wanted = {hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in needed}
    current = stamp.exists() and wanted <= set(stamp.read_text().split())
    if current and Path(sys.prefix).resolve() == home.resolve():
        return
    if not current:
        print(f"Installing {' and '.join(needed)} into {home} …", flush=True)
        try:
            install(needed, home, python)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(
                f"The virtual environment {home} could not be set up ({error}). "
                "Check the network and, on Debian or Ubuntu, install python3-venv; then try again."
            )
        stamp.write_text("\n".join(sorted(wanted)))
    command = [str(python), str(ROOT / "manage.py"), *sys.argv[1:]]
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


def install(needed: list[str], home: Path, python: Path) -> None:
    """Have pip install the files `needed`, whose hashes it compares, into the environment `home`.

    Raises OSError or CalledProcessError when that fails.
    """
    if not python.exists():
        venv.create(home, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    files = [word for name in needed for word in ("--requirement", str(ROOT / name))]
    subprocess.run([*pip, "--require-hashes", *files], check=True)


def main() -> None:
    if sys.version_info < OLDEST_PYTHON:
        sys.exit("Clientele needs Python 3.11 or newer; this is %d.%d." % sys.version_info[:2])
    for command in sys.argv[1:2]:
        if command in NEEDED:
            enter_virtual_environment(NEEDED[command])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
