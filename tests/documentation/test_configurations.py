"""The `yaml` blocks for pre-commit and prek: parsed, checked against the manifest, installed and run."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import pycache_guard
from documentation.blocks import Block, blocks_of_page
from documentation.conftest import ADDRESS
from documentation.doc_setups import FIXTURES, PROJECT
from helpers.runners import HOOKS

if TYPE_CHECKING:
    from documentation.sandbox import Sandbox

HEAD = f"repos:\n  - repo: {ADDRESS}\n    rev: v{pycache_guard.__version__}\n    hooks:\n"


def parsed(block: Block) -> Any:
    return yaml.safe_load(block.text)


def is_part(block: Block) -> bool:
    """Whether a block is only some hooks, to be put into a configuration."""
    return isinstance(parsed(block), list) and "id" in parsed(block)[0]


def is_configuration(block: Block) -> bool:
    return is_part(block) or {"repos", "default_install_hook_types"} & set(parsed(block)) != set()


CONFIGURATIONS = [
    block
    for block in blocks_of_page("yaml")
    if is_configuration(block) and "repo: local" not in block.text
]


def test_there_are_some() -> None:
    pages = {block.page for block in CONFIGURATIONS}
    assert {"README.md", "docs/hooks.md", "docs/history.md", "docs/clean.md"} <= pages


#: What a hook of a page refuses, once the runner has installed it.
CARELESS = {
    "forbid-bytecode": "touch c.pyc && git add --force c.pyc && git commit -m careless",
    "check-history": """
touch c.pyc && git add --force c.pyc && git commit --quiet --no-verify -m careless
git rm --quiet c.pyc && git commit --quiet --no-verify -m 'remove it'
git push origin HEAD
""",
}


#: `prek` reads the same file; that every hook runs under it is shown in `tests/e2e`.
RUNS = [("pre-commit", b) for b in CONFIGURATIONS] + [("prek", CONFIGURATIONS[0])]


@pytest.mark.parametrize(("runner", "block"), RUNS, ids=[f"{r} {b.name}" for r, b in RUNS])
def test_it_runs(stage: Sandbox, runner: str, block: Block) -> None:
    """As a reader has it, in a healthy project, at every stage that is installed."""
    scene = FIXTURES if "--allow" in block.text else PROJECT
    place = stage.prepare(
        f"{scene}\nmkdir -p services/api && cp .dockerignore services/api\ngit add ."
    )
    text = block.text
    if is_part(block):
        text = HEAD + textwrap.indent(textwrap.dedent(text), " " * 6)
    elif "hooks" not in text:
        text += HEAD + "      - id: forbid-bytecode\n"
    (place / ".pre-commit-config.yaml").write_text(text, "utf-8")
    written = yaml.safe_load(text)
    (repo,) = written["repos"]
    assert (repo["repo"], repo["rev"]) == (ADDRESS, f"v{pycache_guard.__version__}")
    assert {hook["id"] for hook in repo["hooks"]} <= HOOKS.keys()
    stages = written.get("default_install_hook_types", ["pre-commit"])
    used = {stage for hook in repo["hooks"] for stage in HOOKS[hook["id"]]["stages"]}
    assert set(stages) & used
    checked = f"git add . && {runner} validate-config .pre-commit-config.yaml && {runner} install"
    answer = stage.run(f"set -eu\n{checked}\ngit commit -m configured\ngit push origin HEAD", place)
    assert answer.code == 0, answer.out
    for kind in stages:
        assert (place / ".git" / "hooks" / kind).exists()
    for hook in repo["hooks"]:
        if script := CARELESS.get(hook["id"]):
            answer = stage.run(script, place)
            assert answer.code == 1, answer.out
            assert "c.pyc: PYC001" in answer.out
