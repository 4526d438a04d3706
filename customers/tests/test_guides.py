"""The guides: every request that can be copied runs, and every link leads somewhere."""

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
