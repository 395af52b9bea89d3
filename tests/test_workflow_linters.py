"""Workflows, action, component, issue forms and the recipes of the documentation, seen by their linters."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from documentation.blocks import Block, blocks_of_page
from helpers.gitlab_component import interpolate_component
from helpers.runners import ROOT, SCRIPTS

pytestmark = [
    pytest.mark.skipif(
        sys.implementation.name != "cpython", reason="the linters have no wheels for PyPy"
    ),
    pytest.mark.skipif(
        shutil.which("check-jsonschema", path=os.fspath(SCRIPTS)) is None,
        reason="run `pip install -e .[test]` again",
    ),
]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTION = ROOT / "action.yml"

#: The schema of each file, as check-jsonschema names it.
FILES = [
    *((path, "github-workflows") for path in WORKFLOWS),
    (ACTION, "github-actions"),
    (GITHUB / "dependabot.yml", "dependabot"),
    (GITHUB / "ISSUE_TEMPLATE" / "config.yml", "github-issue-config"),
    *(
        (path, "github-issue-forms")
        for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))
        if path.name != "config.yml"
    ),
]

#: The schema of a recipe whose first line is a comment with the name of its file.
RECIPE_SCHEMAS = {
    "# .gitlab-ci.yml": "gitlab-ci",
    "# bitbucket-pipelines.yml": "bitbucket-pipelines",
    "# azure-pipelines.yml": "azure-pipelines",
    "# .circleci/config.yml": "circle-ci",
    "# .buildkite/pipeline.yml": "buildkite",
}


def run(program: str, *argv: str | Path, cwd: Path = ROOT) -> None:
    """Run a linter, which must find nothing."""
    done = subprocess.run(
        [SCRIPTS / program, *argv],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, os.fsdecode(done.stdout + done.stderr)


def check_schema(name: str, *paths: Path) -> None:
    """Validate files against a schema that check-jsonschema ships; nothing is fetched."""
    # Some patterns of the schemas are no valid patterns with the flag for Unicode.
    flags = ("--regex-variant", "nonunicode")
    run("check-jsonschema", "--builtin-schema", f"vendor.{name}", *flags, *paths)


def run_actionlint(*paths: Path) -> None:
    """Run actionlint, which exists as a package for Linux only."""
    if shutil.which("actionlint", path=SCRIPTS) is None:
        assert sys.platform != "linux" or os.uname().machine != "x86_64"
        pytest.skip("there is no package of actionlint for this system")
    run("actionlint", "-shellcheck=", "-pyflakes=", *paths)


@pytest.mark.parametrize(("path", "schema"), FILES, ids=lambda value: getattr(value, "name", value))
def test_file_follows_its_schema(path: Path, schema: str) -> None:
    check_schema(schema, path)


def test_component_follows_its_schema(tmp_path: Path) -> None:
    """Its two documents: the inputs, and the job that GitLab makes of them."""
    head, _ = (ROOT / "templates" / "bytecode.yml").read_text("utf-8").split("\n---\n")
    inputs, job = tmp_path / "inputs.yml", tmp_path / "job.yml"
    inputs.write_text(head, "utf-8")
    job.write_text(yaml.safe_dump(interpolate_component()), "utf-8")
    check_schema("gitlab-ci", inputs, job)


def test_actionlint_finds_nothing() -> None:
    run_actionlint(*WORKFLOWS)


def test_zizmor_finds_nothing() -> None:
    run("zizmor", "--offline", "--no-progress", *WORKFLOWS, ACTION, GITHUB / "dependabot.yml")


def is_workflow(block: Block) -> bool:
    """Return whether a block is a workflow of GitHub, or one of its jobs."""
    return "runs-on:" in block.text


SNIPPETS = [block for block in blocks_of_page("yaml") if is_workflow(block)]
RECIPES = [block for block in blocks_of_page("yaml") if block.begins in RECIPE_SCHEMAS]


@pytest.mark.parametrize("block", SNIPPETS, ids=[block.name for block in SNIPPETS])
def test_workflow_of_the_documentation_is_clean(block: Block, tmp_path: Path) -> None:
    text = block.text
    if "\njobs:" not in text:
        text = f"on: push\npermissions: {{}}\njobs:\n{text}"
    file = tmp_path / ".github" / "workflows" / "recipe.yml"
    file.parent.mkdir(parents=True)
    file.write_text(text, "utf-8")
    check_schema("github-workflows", file)
    run_actionlint(file)
    run("zizmor", "--offline", "--no-progress", "--config", GITHUB / "zizmor.yml", file)


@pytest.mark.parametrize("block", RECIPES, ids=[block.name for block in RECIPES])
def test_recipe_follows_the_schema_of_its_system(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yml"
    file.write_text(block.text, "utf-8")
    check_schema(RECIPE_SCHEMAS[block.begins], file)


def test_every_system_with_a_schema_has_a_recipe() -> None:
    assert {block.begins for block in RECIPES} == RECIPE_SCHEMAS.keys()


def test_linters_find_something(tmp_path: Path) -> None:
    """Each refuses what it is for."""
    file = tmp_path / ".github" / "workflows" / "bad.yml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "on: push\njobs:\n  x:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - run: echo ${{ github.event.issue.title }}\n"
        "        shel: bash\n",
        "utf-8",
    )
    with pytest.raises(AssertionError):
        check_schema("github-workflows", file)
    with pytest.raises(AssertionError):
        run("zizmor", "--offline", "--no-progress", file)
    with pytest.raises(AssertionError):
        run_actionlint(file)


def test_forms_ask_for_the_diagnosis() -> None:
    for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")):
        if path.name != "config.yml":
            assert "`pycache-guard doctor --format json`" in path.read_text("utf-8")
