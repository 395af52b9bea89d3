"""Help texts of the commands, read from the constants of their modules.

A module of its own because only `--help` and the generated tables of the documentation need it.
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

from pycache_guard.findings import DOCS_URL

#: Meanings of 0, 1 and 2 for a command that only checks.
DEFAULT_EXIT_CODES = ("no findings", "findings", "error")


class HelpText(NamedTuple):
    """The constants of a command's module that describe it."""

    #: One line for the list of commands.
    summary: str
    #: A command line that a reader can copy.
    example: str
    #: File in docs/ that documents the command.
    page: str
    #: Positional arguments in the usage line.
    positionals: str
    #: Meanings of the exit codes 0, 1 and 2.
    exit_codes: tuple[str, str, str]

    def format_footer(self) -> str:
        """Return the lines below the options: example, exit codes, address of the page."""
        codes = "; ".join(f"{code} {meaning}" for code, meaning in enumerate(self.exit_codes))
        return f"example: {self.example}\nexit codes: {codes}\nmore: {DOCS_URL}/{self.page}\n"


def load_help(command: str) -> HelpText:
    """Return the help text of the command named `command`; this imports its module.

    The module must have `SUMMARY`, `EXAMPLE` and `DOCS_PAGE`; it may have `POSITIONALS` and
    `EXIT_CODES`.
    """
    module = import_module(f"pycache_guard.commands.{command.replace('-', '_')}")
    return HelpText(
        module.SUMMARY,
        module.EXAMPLE,
        module.DOCS_PAGE,
        getattr(module, "POSITIONALS", ""),
        getattr(module, "EXIT_CODES", DEFAULT_EXIT_CODES),
    )
