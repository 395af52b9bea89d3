"""The steps that CONTRIBUTING.md asks for, and whether they were done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pycache_guard
from helpers.runners import ROOT
from pycache_guard.cli import COMMANDS
from pycache_guard.lint.rules import CHECKS
from pycache_guard.report import FORMATS

PACKAGE = Path(str(pycache_guard.__file__)).parent
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
#: People and CI copy this command.
SET_UP = 'python3 -m venv .venv && .venv/bin/python -m pip install --quiet --editable ".[test]"'


def test_contributing_has_one_command_for_the_setup() -> None:
    assert f"\n{SET_UP} && .venv/bin/python -m pytest\n" in GUIDE


@pytest.mark.parametrize(
    "name",
    sorted(
        path.name if path.is_file() else f"{path.name}/"
        for path in PACKAGE.iterdir()
        if path.name[0] not in "_" and path.name != "py.typed"
    ),
)
def test_contributing_lists_every_module(name: str) -> None:
    assert re.search(rf"(?:── |  |py ){re.escape(name)}(?:[ \n]|$)", GUIDE)


def test_contributing_names_existing_paths() -> None:
    text = GUIDE.partition("## Add a rule")[2]
    named = re.findall(r"`((?:\w+/)+\w*(?:\.\w+)?)`", text)
    assert len(named) > 15
    for name in (name for name in named if not re.search("NAME|CODE", name)):
        assert any((root / name).exists() for root in (ROOT, PACKAGE, ROOT / "tests")), name


@pytest.mark.parametrize("name", FORMATS)
def test_format_has_a_test_and_is_documented(name: str) -> None:
    assert (ROOT / "tests" / "report" / f"test_{name}.py").is_file()
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert f"\n| `{name}` | " in page


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_a_module_and_a_test(name: str) -> None:
    module = name.replace("-", "_")
    assert (PACKAGE / "commands" / f"{module}.py").is_file()
    assert (ROOT / "tests" / "commands" / f"test_{module}.py").is_file()


def test_lint_rule_modules_are_all_registered() -> None:
    modules = {path.stem for path in (PACKAGE / "lint" / "rules").glob("*.py")} - {"__init__"}
    assert {str(vars(check)["__name__"]).rpartition(".")[2] for check in CHECKS} == modules
