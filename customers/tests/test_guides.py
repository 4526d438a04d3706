"""The guides: every request that can be copied runs, and every link leads somewhere."""

import ast
import os
import re
import subprocess
from pathlib import Path
from shutil import which

import pytest
from django.conf import settings as django_settings

from customers.services.tokens import issue_token
from customers.tests.conftest import Api

ROOT = Path(django_settings.BASE_DIR)
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]
MEASURED = {"docs/benchmark.md", "docs/benchmark.svg", "docs/growth.md"}  # by the benchmark


def headings(path):
    """The names by which links know the headings of a page."""
    found = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text()
    for target, heading in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", text):
        if target.startswith("http") or target in MEASURED:
            continue
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        assert not heading or heading in headings(path), (target, heading)


def defined(path):
    """The qualified names of the functions that the file at `path` defines."""
    found, todo = set(), [(ast.parse(path.read_text()), "")]
    while todo:
        node, prefix = todo.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                todo.append((child, f"{prefix}{child.name}."))
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(prefix + child.name)
                todo.append((child, f"{prefix}{child.name}.<locals>."))
            else:
                todo.append((child, prefix))
    return found


@pytest.mark.thorough
def test_the_ways_of_requests_name_functions_that_there_are():
    text = (ROOT / "docs" / "requests.md").read_text()
    passed = set(re.findall(r"^ *((?:customers|project)/\S+\.py) (\S+)", text, re.MULTILINE))
    assert len(passed) > 100
    known = {path: defined(ROOT / path) for path, _ in passed}
    gone = {
        (path, name)
        for path, name in passed
        if name not in known[path] and "<lambda>" not in name and not name.endswith("__init__")
    }
    assert not gone, "run: .venv/bin/python -m customers.tests.request_way --write"


@pytest.mark.skipif(not (which("bash") and which("curl")), reason="the guide asks for them")
@pytest.mark.django_db(transaction=True)
def test_every_request_of_the_api_guide_runs(live_server, tmp_path):
    token = issue_token(Api().application, scope="market:all", confidential=True)
    text = (ROOT / "docs" / "api.md").read_text().split("## Requests to copy")[1]
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    script = "".join(blocks).replace("http://127.0.0.1:8000", live_server.url)
    script = script.replace(
        "curl -sg", f"curl -sg --fail-with-body -w '\\n%{{http_code}}\\n' --stderr {tmp_path}/err"
    )
    script = script.replace("json.load(sys.stdin)", "json.loads(sys.stdin.readline())")
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={"PATH": os.environ["PATH"], "TOKEN": token},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    statuses = re.findall(r"^(\d{3})$", ran.stdout, re.MULTILINE)
    assert len(statuses) >= 10
    assert set(statuses) <= {"200", "201", "204"}
