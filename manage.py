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
SELF_INSTALLING = {"quickstart", "test"}


def enter_virtual_environment():
    """Continue this command inside .venv, first made to match requirements.txt.

    Does nothing when already running there. Exits with a sentence when the
    environment cannot be made.
    """
    home = ROOT / ".venv"
    requirements = ROOT / "requirements.txt"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = home / "requirements.sha256"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    current = stamp.exists() and stamp.read_text() == wanted
    if current and Path(sys.prefix).resolve() == home.resolve():
        return
    if not current:
        print(f"Installing requirements.txt into {home} …", flush=True)
        try:
            if not python.exists():
                venv.create(home, with_pip=True)
            pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
            subprocess.run([*pip, "--requirement", requirements], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(
                f"The virtual environment {home} could not be set up ({error}). "
                "Check the network and, on Debian or Ubuntu, install python3-venv; then try again."
            )
        stamp.write_text(wanted)
    command = [str(python), str(ROOT / "manage.py"), *sys.argv[1:]]
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


def main():
    if sys.version_info < OLDEST_PYTHON:
        sys.exit("Clientele needs Python 3.11 or newer; this is %d.%d." % sys.version_info[:2])
    if SELF_INSTALLING.intersection(sys.argv[1:2]):
        enter_virtual_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
