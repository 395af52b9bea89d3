from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pycache_guard.commands.arguments import reporting_parser
from pycache_guard.errors import Failure

if TYPE_CHECKING:
    from conftest import Program
    from conftest import Run
    from repo import Repo

SEE = " (see `pycache-guard forbid-bytecode --help`)\n"

USAGE = [
    (("--no-such",), "unrecognized arguments: --no-such"),
    (("a.pyc",), "unrecognized arguments: a.pyc"),
    (("--stage",), "unrecognized arguments: --stage"),
    (("--tree",), "argument --tree: expected one argument"),
    (("--tree", ""), "argument --tree: must not be empty"),
    (("--allow", ""), "argument --allow: must not be empty"),
    (("--allow", " "), "argument --allow: must not be empty"),
    (("--output", ""), "argument --output: must not be empty"),
    (("--staged", "--tree", "HEAD"), "argument --tree: not allowed with argument --staged"),
    (("--fix", "--tree", "HEAD"), "--fix changes the index: it does not go with --tree"),
]


@pytest.mark.parametrize(("argv", "message"), USAGE)
def test_wrong_usage(repo: Repo, run: Run, argv: tuple[str, ...], message: str) -> None:
    repo.add("a.pyc")
    assert run("forbid-bytecode", *argv) == (2, "", f"error: {message}{SEE}")


@pytest.mark.parametrize("option", ["--format", "--content"])
def test_no_such_choice(repo: Repo, run: Run, option: str) -> None:
    code, out, err = run("forbid-bytecode", option, "xml")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: argument {option}: invalid choice: 'xml' (choose from ")
    assert err.count("\n") == 1


def test_defaults() -> None:
    options = reporting_parser("x", "y", "z").parse_args([])
    assert vars(options) == {"format": "text", "output": None}
    with pytest.raises(Failure, match="unrecognized arguments: --form"):
        reporting_parser("x", "y", "z").parse_args(["--form", "json"])


def test_help(run: Run, program: Program) -> None:
    """Needs no repository."""
    code, out, err = run("forbid-bytecode", "--help")
    assert (code, err) == (0, "")
    assert out.startswith("usage: pycache-guard forbid-bytecode ")
    assert out.endswith("example: pycache-guard forbid-bytecode --fix\n")
    assert program("forbid-bytecode", "-h").code == 0
