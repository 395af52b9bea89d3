"""`--help` of the program and of every command: one screen, an example, the exit codes, a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from helpers.runners import ROOT
from pycache_guard.cli import COMMANDS
from pycache_guard.findings import DOCS_URL

if TYPE_CHECKING:
    from conftest import Program, Run

LINES, COLUMNS = 24, 80
PAGES = [(), *((name,) for name in COMMANDS)]


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the width of the smallest terminal."""
    monkeypatch.setenv("COLUMNS", str(COLUMNS))


@pytest.mark.parametrize("command", PAGES)
def test_help_fits_a_screen(run: Run, command: tuple[str, ...]) -> None:
    code, out, err = run(*command, "--help")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) < LINES  # one line is for the prompt
    assert max(map(len, out.splitlines())) <= COLUMNS
    assert out.isascii()
    assert run(*command, "-h").out == out


@pytest.mark.parametrize("command", PAGES)
def test_help_has_an_example_and_the_exit_codes(run: Run, command: tuple[str, ...]) -> None:
    out = run(*command, "--help").out
    (example,) = re.findall(r"(?m)^example: (.*)$", out)
    assert re.match(r"(exec )?pycache-guard [\w-]+", example)
    assert re.search(r"(?m)^exit codes: 0 .+; 1 .+; 2 .+$", out)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_a_page_about_the_command(run: Run, command: str) -> None:
    out = run(command, "--help").out
    assert out.startswith(f"usage: pycache-guard {command} [OPTION...]")
    (address,) = re.findall(r"(?m)^more: (.*)$", out)
    page = address.removeprefix(f"{DOCS_URL}/")
    assert command in (ROOT / "docs" / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_example_has_existing_options(program: Program, run: Run, command: str) -> None:
    """The example calls this command, and all its options exist."""
    out = run(command, "--help").out
    (example,) = re.findall(r"(?m)^example: (?:exec )?pycache-guard ([^#\n]*)", out)
    name, *words = example.split()
    assert name == command
    assert all(word in out.partition("example:")[0] for word in words if word.startswith("--"))


def test_usage_in_a_wide_terminal_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run("inspect", "--help").out.startswith(
        "usage: pycache-guard inspect [OPTION...] FILE...\n"
    )
