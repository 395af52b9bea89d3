"""The table of faults in the documentation names every test here, and every command is attacked."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from faults.fault_env import INVOCATIONS
from pycache_guard.cli import COMMANDS

HERE = Path(__file__).parent
DOCUMENTED = (HERE / "README.md").read_text("utf-8")
ROWS = [line for line in DOCUMENTED.splitlines() if line.startswith("| ")]
NAMED = re.findall(r"`(test_\w+\.py::test_\w+)` \|$", DOCUMENTED, re.MULTILINE)


def functions() -> list[str]:
    """Return every test here, by file and name; this file's are none of a fault."""
    return sorted(
        f"{path.name}::{node.name}"
        for path in HERE.glob("test_*.py")
        if path != Path(__file__)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def test_every_fault_stands_in_the_table_once() -> None:
    assert sorted(NAMED) == functions()


def test_every_row_names_a_test() -> None:
    rows = [row for row in ROWS if not row.startswith("| fault |")]
    assert len(rows) == len(NAMED)
    assert all(row.count(" | ") == 3 for row in rows)


@pytest.mark.parametrize("name", NAMED)
def test_slow_ones_are_marked_so(name: str) -> None:
    file, _, function = name.partition("::")
    text = (HERE / file).read_text("utf-8")
    above = text.partition(f"\ndef {function}(")[0].rpartition("\n\n")[2]
    row = next(row for row in ROWS if f"`{name}`" in row)
    assert ("@slow" in above) == ("(*slow*)" in row)


def test_every_command_is_attacked() -> None:
    """A new command needs a line in `INVOCATIONS`; `explain` reads only a page of the package."""
    assert {call.command for call in INVOCATIONS} == {*COMMANDS} - {"explain"}
