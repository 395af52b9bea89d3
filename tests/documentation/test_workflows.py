"""The `yaml` blocks for GitHub Actions and GitLab CI, acted out: the scripts are run, the rest is given."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import pycache_guard
from conftest import PROGRAM
from documentation.blocks import Block, blocks_of_page
from documentation.doc_setups import BUILDABLE, PROJECT
from documentation.test_configurations import is_configuration
from helpers.composite_action import run_check
from helpers.runners import ROOT

if TYPE_CHECKING:
    from documentation.sandbox import Sandbox

WORKFLOWS = [
    block
    for block in blocks_of_page("yaml")
    # Those of other systems begin with the name of their file: tests/test_workflow_linters.py.
    if (not is_configuration(block) and block.begins[:2] in ("on", "di"))
    or ".gitlab-ci" in block.begins
]
#: Those with a job; the other one includes a file.
JOBS = [block for block in WORKFLOWS if "\ninclude:" not in block.text]

#: What actions do, and how it is given here.
ACTIONS = {
    "actions/checkout": "a clone, as deep as `fetch-depth` says",
    "actions/setup-python": "the Python of the tests",
    "github/codeql-action/upload-sarif": "the file is there, and is SARIF",
    "pycache-guard/pycache-guard": "the action of this checkout, with the program of the tests",
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

REPOSITORY = {"default_branch": "main"}
#: The events that start a recipe, with what GitHub writes to the event file.
GITHUB_EVENTS: dict[str, dict[str, Any]] = {
    "pull_request": {"pull_request": {"base": {"sha": "main"}, "head": {"sha": "feature"}}},
    "merge_group": {"merge_group": {"base_sha": "main", "head_sha": "feature"}},
    "push": {"before": "main", "after": "feature", "ref": "refs/heads/feature"},
}
GITLAB_EVENTS = {
    "pull_request": {"CI_MERGE_REQUEST_IID": "1", "CI_MERGE_REQUEST_DIFF_BASE_SHA": "main"},
    "push": {"CI_COMMIT_BEFORE_SHA": "main", "CI_COMMIT_BRANCH": "feature"},
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
    for block in JOBS
    for event in (GITLAB_EVENTS if is_gitlab(block) else GITHUB_EVENTS)
    if block.page == "docs/ci.md" or event == "pull_request"
]


def test_there_are_some() -> None:
    assert [block.page for block in WORKFLOWS] == [*["docs/ci.md"] * 4, "docs/dist.md"]
    assert len(JOBS) == 4


def test_included_file_is_there() -> None:
    (block,) = [block for block in WORKFLOWS if block not in JOBS]
    ((_, (include,)),) = yaml.safe_load(block.text).items()
    start = "https://raw.githubusercontent.com/pycache-guard/pycache-guard/"
    version, path = include["remote"].removeprefix(start).split("/", 1)
    assert version == f"v{pycache_guard.__version__}"
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("scene", [REQUEST, CARELESS], ids=["clean", "careless"])
@pytest.mark.parametrize(("block", "event"), RECIPES)
def test_a_change(stage: Sandbox, block: Block, event: str, scene: str, tmp_path: Path) -> None:
    """A clean one passes; where only history shows bytecode, the step that looks there fails."""
    (tmp_path / "bench").mkdir()
    bench = {"BENCH": str(tmp_path / "bench"), "PYTHONPATH": str(tmp_path / "bench")}
    stage = stage._replace(environment={**stage.environment, **bench})
    origin = stage.prepare(f"{scene}\ngit push --quiet origin feature\ncd ../origin.git")
    heads = {ref: stage.run(f"git rev-parse {ref}", origin).out.strip() for ref in BRANCHES}
    if is_gitlab(block):
        values = {"GITLAB_CI": "true", "CI_COMMIT_SHA": heads["feature"]}
        values |= {name: heads.get(text, text) for name, text in GITLAB_EVENTS[event].items()}
    else:
        file = tmp_path / "event.json"
        text = json.dumps({"repository": REPOSITORY, **GITHUB_EVENTS[event]})
        for ref, commit in heads.items():
            text = text.replace(f'sha": "{ref}"', f'sha": "{commit}"')
            text = re.sub(rf'"(before|after)": "{ref}"', rf'"\1": "{commit}"', text)
        file.write_text(text, "utf-8")
        values = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event}
        values |= {"GITHUB_EVENT_PATH": os.fspath(file), "GITHUB_SHA": heads["feature"]}
    failed = run_job(stage, block, origin, values, tmp_path)
    assert len(failed) == (scene == CARELESS and block.page == "docs/ci.md")


def run_job(
    stage: Sandbox, block: Block, origin: Path, values: dict[str, str], tmp_path: Path
) -> list[str]:
    """Run all steps that the system would run; return the logs of those that failed."""
    place = origin
    failed: list[str] = []
    for step in steps(block):
        if failed and "!cancelled()" not in step.get("if", ""):
            continue
        action = step.get("uses", "").partition("@")[0]
        options = step.get("with", {})
        if action == "pycache-guard/pycache-guard":
            env = {**stage.environment, **values}
            done = run_check(PROGRAM, options, place=place, files=tmp_path / "files", env=env)
            assert done.result.code in (0, 1), done.result
            failed += [done.result.out] * done.result.code
            continue
        if action:
            assert action in ACTIONS
            place = act(stage, action, options, place, origin)
            continue
        command = "\n".join(installed(line) for line in step["run"].splitlines())
        answer = stage.run(f"set -eu\n{command}", place, **values)
        assert answer.code in (0, 1), answer.out
        failed += [answer.out] * answer.code
    assert all("pkg/c.pyc" in log for log in failed)
    if is_gitlab(block):
        report = json.loads((place / "gl-code-quality-report.json").read_text("utf-8"))
        assert [row["check_name"] for row in report] == ["PYC001"] * len(failed)
    return failed


@pytest.mark.parametrize("block", JOBS, ids=[block.name for block in JOBS])
def test_recipes_follow_the_advice_for_secure_workflows(block: Block) -> None:
    """As zizmor checks it: pinned actions, minimal permissions, no credentials left in the clone."""
    if is_gitlab(block):
        return
    job = job_of(block)
    assert job["permissions"]["contents"] == "read"
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False
    for line in re.findall(r"(?m)^ *- uses: (.*)$", block.text):
        own = f"pycache-guard/pycache-guard@v{pycache_guard.__version__}"
        assert line == own or re.fullmatch(r"[\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    if block.page == "docs/ci.md":
        document = yaml.safe_load(block.text)
        assert document["permissions"] == {}
        # YAML 1.1 reads the key `on` as true.
        assert {"pull_request", "push"} <= set(document[True]) <= GITHUB_EVENTS.keys()


def act(stage: Sandbox, action: str, options: dict[str, Any], place: Path, origin: Path) -> Path:
    """Do what an action does; return where the next step is run."""
    if action == "actions/checkout":
        depth = options.get("fetch-depth", 1)
        how = f"--depth {depth}" if depth else ""
        clone = f"git clone --quiet {how} --branch feature {origin.as_uri()} work && cd work"
        return stage.prepare(clone)
    if action.startswith("github/"):
        (run,) = json.loads((place / options["sarif_file"]).read_text("utf-8"))["runs"]
        assert run["automationDetails"]["id"] == "pycache-guard/ci/"
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
