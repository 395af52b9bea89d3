"""The `yaml` blocks for GitHub Actions and GitLab CI, acted out: the scripts are run, the rest is given."""

from __future__ import annotations

import json
import re
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
    "github/codeql-action/upload-sarif": "the files are there, and are SARIF",
}

#: A pull request with a commit that brings bytecode in and one that takes it out again, or without.
REQUEST = f"""{BUILDABLE}
git add . && git commit --quiet --message build && git push --quiet origin main
git switch --quiet --create feature
echo 'y = 2' > pkg/b.py && git add pkg
git commit --quiet --message more
"""
BRANCHES = ("main", "feature")
CARELESS = f"""{REQUEST}
touch pkg/c.pyc && git add --force pkg/c.pyc && git commit --quiet --message careless
git rm --quiet --force pkg/c.pyc && git commit --quiet --message 'remove it'
"""


#: What the expressions of a recipe stand for, by the event that starts it: `main` or `feature`.
GITHUB_EVENTS = {
    "pull_request": {
        "github.event.pull_request.base.sha": "main",
        "github.event.pull_request.head.sha": "feature",
    },
    "merge_group": {"github.event.merge_group.base_sha": "main", "github.sha": "feature"},
    "push": {"github.event.before": "main", "github.sha": "feature"},
}
GITLAB_EVENTS = {
    "pull_request": {"TARGET": "main", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "feature"},
    "push": {"TARGET": "main", "CI_COMMIT_SHA": "feature"},
}


def is_gitlab(block: Block) -> bool:
    """Return whether a recipe is for GitLab."""
    return "\n  script:\n" in block.text


def job_of(block: Block) -> dict[str, Any]:
    """Return the one job of a recipe, of either system."""
    document = yaml.safe_load(block.text)
    ((_, job),) = document.get("jobs", document).items()
    assert isinstance(job, dict)
    return job


def steps(block: Block) -> list[dict[str, Any]]:
    """Return the steps of the one job, of either system, as GitHub writes them."""
    job = job_of(block)
    if "script" in job:
        depth = int(job["variables"]["GIT_DEPTH"])
        checkout = {"uses": "actions/checkout", "with": {"fetch-depth": depth}}
        return [checkout, {"run": "\n".join(job["script"])}]
    found: list[dict[str, Any]] = job["steps"]
    return found


RECIPES = [
    pytest.param(block, event, id=f"{block.name}-{event}")
    for block in WORKFLOWS
    for event in (GITLAB_EVENTS if is_gitlab(block) else GITHUB_EVENTS)
    if block.page == "docs/ci.md" or event == "pull_request"
]


def test_there_are_some() -> None:
    assert [block.page for block in WORKFLOWS] == [*["docs/ci.md"] * 3, "docs/dist.md"]


@pytest.mark.parametrize("scene", [REQUEST, CARELESS], ids=["clean", "careless"])
@pytest.mark.parametrize(("block", "event"), RECIPES)
def test_a_change(stage: Sandbox, block: Block, event: str, scene: str, tmp_path: Path) -> None:
    """A clean one passes; where only history shows bytecode, the step that looks there fails."""
    (tmp_path / "bench").mkdir()
    bench = {"BENCH": str(tmp_path / "bench"), "PYTHONPATH": str(tmp_path / "bench")}
    stage = stage._replace(environment={**stage.environment, **bench})
    origin = stage.prepare(f"{scene}\ngit push --quiet origin feature\ncd ../origin.git")
    failed = run_job(stage, block, event, origin)
    in_history = scene == CARELESS and "check-history" in block.text
    assert len(failed) == in_history
    assert all("pycache-guard check-history" in step for step in failed)


def run_job(stage: Sandbox, block: Block, event: str, origin: Path) -> list[str]:
    """Run all steps that the system would run; return those that failed."""
    heads = {ref: stage.run(f"git rev-parse {ref}", origin).out.strip() for ref in BRANCHES}
    events = GITLAB_EVENTS if is_gitlab(block) else GITHUB_EVENTS
    given = {name: heads[ref] for name, ref in events[event].items()}
    if is_gitlab(block):
        values = given
    else:
        values = {n: evaluate(value, given) for n, value in job_of(block).get("env", {}).items()}
    place = origin
    failed: list[str] = []
    for step in steps(block):
        if failed and "!cancelled()" not in step.get("if", ""):
            continue
        action = step.get("uses", "").partition("@")[0]
        if action:
            assert action in ACTIONS
            place = act(stage, action, step.get("with", {}), place, origin)
            continue
        command = "\n".join(installed(line) for line in step["run"].splitlines())
        answer = stage.run(f"set -eu\n{command}", place, **values)
        assert answer.code in (0, 1), answer.out
        if answer.code:
            assert "pkg/c.pyc" in answer.out or "--output" in command
            failed.append(step["run"])
    if is_gitlab(block):
        report = json.loads((place / "gl-code-quality-report.json").read_text("utf-8"))
        assert [row["check_name"] for row in report] == ["PYC001"] * len(failed)
    return failed


def evaluate(expression: str, given: dict[str, str]) -> str:
    """Return the value of `${{ A || B || C }}`: the first of these names that the event has."""
    names = [name.strip() for name in expression.strip("${} ").split("||")]
    return next(given[name] for name in names if name in given)


@pytest.mark.parametrize("block", WORKFLOWS, ids=[block.name for block in WORKFLOWS])
def test_recipes_follow_the_advice_for_secure_workflows(block: Block) -> None:
    """As zizmor checks it: pinned actions, minimal permissions, no credentials left in the clone."""
    if is_gitlab(block):
        return
    job = job_of(block)
    assert job["permissions"]["contents"] == "read"
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False
        if "--config-from" in step.get("run", ""):
            assert step["if"] == "${{ !cancelled() }}"
    for line in re.findall(r"(?m)^ *- uses: (.*)$", block.text):
        assert re.fullmatch(r"[\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    if block.page == "docs/ci.md":
        document = yaml.safe_load(block.text)
        assert document["permissions"] == {}
        # YAML 1.1 reads the key `on` as true.
        assert set(document[True]) == GITHUB_EVENTS.keys()


def act(stage: Sandbox, action: str, options: dict[str, Any], place: Path, origin: Path) -> Path:
    """Do what an action does; return where the next step is run."""
    if action == "actions/checkout":
        depth = options.get("fetch-depth", 1)
        how = f"--depth {depth}" if depth else ""
        clone = f"git clone --quiet {how} --branch feature {origin.as_uri()} work && cd work"
        return stage.prepare(clone)
    if action.startswith("github/"):
        files = [*(place / options["sarif_file"]).iterdir()]
        runs = [json.loads(file.read_text("utf-8"))["runs"][0] for file in files]
        # One upload takes several runs of a tool if each has a category of its own.
        assert len({run["automationDetails"]["id"] for run in runs}) == len(runs) == 3
    return place


def installed(command: str) -> str:
    """Leave out what `test_installations.py` does once; what is named must be the same address."""
    words = command.split()
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
