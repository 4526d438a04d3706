"""The steps of CONTRIBUTING, done in a copy of the project, as they are written there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
GUIDE = ROOT / "CONTRIBUTING.md"
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "var", "node_modules")
BLOCK = re.compile(
    r"`(customers/[\w/]+\.py)`[^`\n]*\n\n( *)```(python|diff)\n(.*?)\n\2```", re.DOTALL
)
TESTS = [
    "test_contract.py",
    "test_erasure.py",
    "test_architecture.py",
    "test_schema.py",
    "test_declarations.py",
    "test_console.py",
    "test_twins.py",
]


def section(title):
    """What stands under the heading `title`."""
    return GUIDE.read_text().partition(f"## {title}\n")[2].partition("\n## ")[0]


def blocks(title):
    """The code in a section: the file that it is of, "python" or "diff", and the text."""
    for path, _, kind, text in BLOCK.findall(section(title)):
        yield path, kind, f"{dedent(text)}\n"


def apply(title, tree):
    """Do in `tree` what a section says; the number of lines by file."""
    lines = {}
    for path, kind, text in blocks(title):
        file = tree / path
        if kind == "python":
            assert not file.exists()
            file.write_text(text)
            lines[path] = text.count("\n")
            continue
        for hunk in text.split("@@\n"):
            patch(file, hunk)
            lines[path] = lines.get(path, 0) + hunk.count("\n+") + hunk.startswith("+")
    return lines


def patch(file, hunk):
    """Put the lines of `hunk` with a plus into the one place of `file` that has the others."""
    marked = [(line[:1], line[1:]) for line in hunk.splitlines()]
    old = "".join(f"{line}\n" for mark, line in marked if mark != "+")
    new = "".join(f"{line}\n" for mark, line in marked if mark != "-")
    whole = f"\n{file.read_text()}"
    assert whole.count(f"\n{old}") == 1, f"{file.name} has this {whole.count(old)} times:\n{old}"
    file.write_text(whole.replace(f"\n{old}", f"\n{new}")[1:])


def run(tree, *command):
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"TEST_SQLITE_FILE": str(tree / "test.sqlite3")}
    done = subprocess.run(
        [sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.thorough
def test_a_type_and_an_attribute_made_by_the_guide_keep_every_promise(tmp_path):
    tree = tmp_path / "copy"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
    card = apply("A new type", tree)
    run(tree, "manage.py", "makemigrations", "customers", "--name", "loyalty_cards")
    birthday = apply("A new attribute", tree)
    run(tree, "manage.py", "makemigrations", "customers", "--name", "birthday")
    run(tree, "manage.py", "check")
    page = run(tree, "manage.py", "describe_columns")
    assert "| `note` | goes with its row |" in page
    assert "| `birthday` | is emptied |" in page
    (tree / "docs/personal-data.md").write_text(page)
    shutil.copy(tree / "customers/tests/new_type.py", tree / "customers/tests/test_new_type.py")
    tests = [f"customers/tests/{name}" for name in [*TESTS, "test_new_type.py"]]
    marks = ["-m", "not browser and not measured", "-n", "0", "-q"]
    chosen = "loyalty or card or birthday or customers- or forgotten or declar or emptied"
    said = run(tree, "-m", "pytest", f"--rootdir={tree}", *marks, "-k", chosen, *tests)
    print(card, birthday, said[-200:])
    assert len(card) == 7
    assert sum(birthday.values()) == 4
