"""The `yaml` blocks for GitHub Actions and GitLab CI, acted out: the scripts are run, the rest is given."""

from __future__ import annotations

import json
import re
import shlex
import sys
from typing import TYPE_CHECKING
from typing import Any

import pytest
import yaml

from documentation.blocks import Block
from documentation.blocks import blocks_of_page
from documentation.doc_setups import BUILDABLE
from documentation.doc_setups import PROJECT
from documentation.test_configurations import is_configuration

if TYPE_CHECKING:
    from pathlib import Path

    from documentation.sandbox import Sandbox

WORKFLOWS = [block for block in blocks_of_page("yaml") if not is_configuration(block)]

#: What actions do, and how it is given here.
ACTIONS = {
    "actions/checkout": "a clone, as deep as `fetch-depth` says",
    "actions/setup-python": "the Python of the tests",
    "github/codeql-action/upload-sarif": "the file is there, and is SARIF",
}

#: A pull request with a commit that brings bytecode in and one that takes it out again, or without.
REQUEST = f"""{BUILDABLE}
git add . && git commit --quiet --message build && git push --quiet origin main
git switch --quiet --create feature
echo 'y = 2' > pkg/b.py && git add pkg
git commit --quiet --message more
"""
CARELESS = f"""{REQUEST}
touch pkg/c.pyc && git add --force pkg/c.pyc && git commit --quiet --message careless
git rm --quiet --force pkg/c.pyc && git commit --quiet --message 'remove it'
"""


def steps(block: Block) -> list[dict[str, Any]]:
    """Return the steps of the one job, of either system, as GitHub writes them."""
    document = yaml.safe_load(block.text)
    ((_, job),) = document.get("jobs", document).items()
    if "script" in job:
        depth = int(job["variables"]["GIT_DEPTH"])
        checkout = {"uses": "actions/checkout@v4", "with": {"fetch-depth": depth}}
        return [checkout, *({"run": line} for line in job["script"])]
    found: list[dict[str, Any]] = job["steps"]
    return found


def test_there_are_some() -> None:
    assert [block.page for block in WORKFLOWS] == [
        *["README.md"] * 2,
        *["docs/ci.md"] * 3,
        "docs/dist.md",
    ]


@pytest.mark.parametrize("scene", [REQUEST, CARELESS], ids=["clean", "careless"])
@pytest.mark.parametrize("block", WORKFLOWS, ids=[block.name for block in WORKFLOWS])
def test_a_request(stage: Sandbox, block: Block, scene: str, tmp_path: Path) -> None:
    """A clean one passes; where only history shows bytecode, the step that looks there fails."""
    (tmp_path / "bench").mkdir()
    bench = {"BENCH": str(tmp_path / "bench"), "PYTHONPATH": str(tmp_path / "bench")}
    stage = stage._replace(environment={**stage.environment, **bench})
    origin = stage.prepare(f"{scene}\ngit push --quiet origin feature\ncd ../origin.git")
    failed = job(stage, block, origin)
    in_history = scene == CARELESS and "check-history" in block.text
    assert [re.findall(r"pycache-guard [\w-]+", step) for step in failed] == (
        [["pycache-guard check-history"]] if in_history else []
    )


def job(stage: Sandbox, block: Block, origin: Path) -> list[str]:
    """Run the steps until one fails; return it."""
    ids = {
        ref: stage.run(f"git rev-parse {ref}", origin).out.strip() for ref in ("main", "feature")
    }
    given = {
        "github.event.pull_request.base.sha": ids["main"],
        "github.event.pull_request.head.sha": ids["feature"],
    }
    gitlab = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_COMMIT_SHA": ids["feature"]}
    place = origin
    for step in steps(block):
        action = step.get("uses", "").partition("@")[0]
        if action:
            assert action in ACTIONS
            place = act(stage, action, step.get("with", {}), place, origin)
            continue
        values = {name: given[value.strip("${} ")] for name, value in step.get("env", {}).items()}
        command = installed(step["run"])
        answer = stage.run(f"set -eu\n{command}", place, **gitlab, **values)
        assert answer.code in (0, 1), answer.out
        if answer.code:
            assert "pkg/c.pyc" in answer.out or "--output" in command
            return [step["run"]]
    return []


def act(stage: Sandbox, action: str, options: dict[str, Any], place: Path, origin: Path) -> Path:
    """Do what an action does; return where the next step is run."""
    if action == "actions/checkout":
        depth = options.get("fetch-depth", 1)
        how = f"--depth {depth}" if depth else ""
        clone = f"git clone --quiet {how} --branch feature {origin.as_uri()} work && cd work"
        return stage.prepare(clone)
    if action.startswith("github/"):
        report = json.loads((place / options["sarif_file"]).read_text("utf-8"))
        assert report["version"] == "2.1.0"
    return place


def installed(command: str) -> str:
    """Leave out what `test_installations.py` does once; what is named must be the same address."""
    words = shlex.split(command)
    if words[:4] != ["python", "-m", "pip", "install"]:
        return command
    wanted = [word for word in words[4:] if word != "build"]
    (printed,) = [
        b.text for b in blocks_of_page("sh") if b.text.startswith("python3 -m pip install git+")
    ]
    assert wanted == printed.split()[4:]
    return f"'{sys.executable}' -m pip --version"


def test_a_project_is_what_a_request_is_made_to() -> None:
    """What is judged as a whole is clean in both."""
    assert PROJECT in REQUEST
    assert REQUEST in CARELESS
