"""`python -m scripts.completions`: write the files that complete commands in bash, zsh and fish.

The wheel installs them where the shells look. `tests/test_completions.py` fails if one is out of date.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import shtab

from pycache_guard.cli import COMMANDS
from pycache_guard.commands import _arguments
from pycache_guard.commands._help import load_help
from pycache_guard.findings import Rule

ROOT = Path(__file__).resolve().parents[1]
#: The file of each shell, as the shell looks for it: bash-completion(7), zshcompsys(1), fish-completions(1).
FILES = {
    "bash": "completions/pycache-guard",
    "zsh": "completions/_pycache-guard",
    "fish": "completions/pycache-guard.fish",
}
#: What an argument is completed with, by its name in the help.
FILE_ARGUMENTS = {"ARCHIVE", "FILE", "PATH", "EXE"}
DIRECTORY_ARGUMENTS = {"CONTEXT", "DIR"}


class Parsed(Exception):
    """Carries the parser of a command out of it."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__()
        self.parser = parser


def main() -> int:
    """Write all files; print the changed ones."""
    for shell, name in FILES.items():
        path, text = ROOT / name, complete(shell)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(name)
    return 0


def complete(shell: str) -> str:
    """Return the completion script for `shell`."""
    return shtab.complete(program_parser(), shell=shell).rstrip() + "\n"


def program_parser() -> argparse.ArgumentParser:
    """Return one parser with a subparser for each command."""
    parser = argparse.ArgumentParser(prog="pycache-guard", add_help=False)
    parser.add_argument("-h", "--help", action="help", help="print the commands")
    parser.add_argument("-V", "--version", action="version", version="", help="print the version")
    commands = parser.add_subparsers()
    for name in COMMANDS:
        found = command_parser(name)
        commands.add_parser(name, parents=[found], add_help=False, help=load_help(name).summary)
    return parser


def command_parser(name: str) -> argparse.ArgumentParser:
    """Return the parser of a command, taken out of it when it begins to parse."""
    module = import_module(f"pycache_guard.commands.{name.replace('-', '_')}")
    original = _arguments.Parser.parse
    _arguments.Parser.parse = raise_parser  # type: ignore[method-assign, assignment]
    try:
        module.main(["--help"])
    except Parsed as parsed:
        found = parsed.parser
    finally:
        _arguments.Parser.parse = original  # type: ignore[method-assign]
    for action in found._actions:
        if action.dest == "help":
            action.help = "print the help of this command"
        names = {action.metavar} if isinstance(action.metavar, str) else set()
        if names & FILE_ARGUMENTS:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif names & DIRECTORY_ARGUMENTS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif "CODE" in names:
            action.choices = [rule.name for rule in Rule]
    return found


def raise_parser(parser: argparse.ArgumentParser, _: object) -> NoReturn:
    """Raise `Parsed` instead of parsing."""
    raise Parsed(parser)


if __name__ == "__main__":
    raise SystemExit(main())
