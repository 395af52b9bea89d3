"""What the commands' arguments have in common."""

from __future__ import annotations

import argparse

from pycache_guard.commands.reporting import say
from pycache_guard.errors import Failure
from pycache_guard.report import FORMATS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are failures like all others, and that takes no abbreviations."""

    def __init__(self, command: str, description: str, example: str) -> None:
        super().__init__(
            prog=f"pycache-guard {command}",
            description=description,
            epilog=f"example: {example}",
            allow_abbrev=False,
        )

    def print_help(self, file: object = None) -> None:
        """Write the help as everything else is written."""
        say(self.format_help())

    def error(self, message: str) -> NoReturn:
        """Raise `Failure`."""
        raise Failure(f"{message} (see `{self.prog} --help`)")


def filled(text: str) -> str:
    """Take an argument that must say something: an unset variable in a script is no wish.

    As a glob, nothing at all would match everything.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def reporting_parser(command: str, description: str, example: str) -> Parser:
    """Return a parser with the options of every command that reports."""
    parser = Parser(command, description, example)
    parser.add_argument(
        "--format", choices=FORMATS, default="text", help="who the report is for (default: text)"
    )
    parser.add_argument(
        "--output", metavar="FILE", type=filled, help="write the report there, not to stdout"
    )
    return parser
