"""Parse command lines: the parser of all commands, and the options that several commands share."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from pycache_guard.commands import print_safely
from pycache_guard.errors import Failure
from pycache_guard.report import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn


#: Prefix of the arguments after `--`, so that they are not read as options: `parse_intermixed_args`
#: parses positional arguments in a second pass, without the `--`. Arguments cannot contain NUL.
POSITIONAL_MARK = "\0"
#: Whether `argparse` imports colours for every argument: in Python 3.14. In 3.15 `_theme` is a property.
_IMPORTS_COLORS = hasattr(argparse.HelpFormatter, "_set_color") and not hasattr(
    argparse.HelpFormatter, "_theme"
)


class QuickFormatter(argparse.HelpFormatter):
    """A formatter that asks for the width of the terminal only when it writes help.

    `argparse` makes one for each argument, and each would ask: that imports `shutil` and takes 2 ms.
    """

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, width=80, **options)

    def format_help(self) -> str:
        """Return the help text."""
        from shutil import get_terminal_size

        # As `HelpFormatter.__init__` sets both.
        width = get_terminal_size().columns - 2
        position = min(24, max(width - 20, 2 * self._indent_increment))
        vars(self).update(_width=width, _max_help_position=position)
        return super().format_help()


class LazyFormatter(QuickFormatter):
    """A formatter that imports the colours of Python 3.14 only when it writes help.

    There `argparse` makes a formatter for each argument, which imports `dataclasses` and takes 17 ms. Python
    3.15 imports them when they are used.
    """

    def _set_color(self, *color: bool, **options: Any) -> None:
        self._wanted_color = color, options

    def __getattr__(self, name: str) -> Any:
        """Return the theme, or the function that removes it."""
        if name not in ("_theme", "_decolor"):
            raise AttributeError(name)
        base: Any = super()
        color, options = self._wanted_color
        base._set_color(*color, **options)
        return self.__dict__[name]


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `Failure` for errors and accepts no abbreviations."""

    def __init__(self, command: str, description: str) -> None:
        self.command = command
        super().__init__(
            prog=f"pycache-guard {command}",
            usage="",  # `print_help` writes it; without it, each run would
            description=description,
            allow_abbrev=False,
            formatter_class=LazyFormatter if _IMPORTS_COLORS else QuickFormatter,
            add_help=False,
        )
        # From 3.15 on, argparse suggests choices in its own words.
        self.suggest_on_error = False
        # Not listed: a reader of the help page has just used it.
        self.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse options and arguments in any order; all words after `--` are arguments.

        The type of every argument is `any_text` or `non_empty`. Raises `Failure`.
        """
        end = argv.index("--") if "--" in argv else len(argv)
        for word in argv[:end]:
            name = word.partition("=")[0]
            if word.startswith("--") and name not in self._option_string_actions:
                self.error(f"unrecognized arguments: {word}")
        words = [*argv[:end], *(POSITIONAL_MARK + word for word in argv[end + 1 :])]
        return self.parse_intermixed_args(words)

    def print_help(self, file: object = None) -> None:
        """Print the help on one screen, with an example and the exit codes of the command."""
        from pycache_guard.commands._help import load_help

        text = load_help(self.command)
        self.usage = f"{self.prog} [OPTION...] {text.positionals}".rstrip()
        options = self.format_help().replace("\n\noptions:\n", "\noptions:\n")
        print_safely(f"{options}\n{text.format_footer()}")

    def error(self, message: str) -> NoReturn:
        """Raise `Failure` with the message of argparse and the likely option or choice."""
        from pycache_guard.config import suggestion  # imports json

        unknown = re.match(r"unrecognized arguments: (-[^\s=]+)", message)
        choice = re.match(r"argument .*?: invalid choice: '(.*?)' \(choose from (.*)\)$", message)
        if unknown:
            message += suggestion(unknown[1], self._option_string_actions)
        elif choice:
            message += suggestion(choice[1], re.findall(r"[\w-]+", choice[2]))
        raise Failure(f"{message.replace(POSITIONAL_MARK, '')} (see `{self.prog} --help`)")


def any_text(text: str) -> str:
    """Return an argument unchanged."""
    return text.removeprefix(POSITIONAL_MARK)


def non_empty(text: str) -> str:
    """Return an argument that is not blank. Raises `ArgumentTypeError`.

    A blank argument is often an unset variable in a script. As a glob it would match everything, and
    as a path it would be the current directory.
    """
    text = any_text(text)
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def report_parser(command: str, description: str) -> Parser:
    """Return a parser with the options of every command that reports."""
    parser = Parser(command, description)
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        choices=FORMATS,
        default="text",
        help=", ".join(FORMATS),
    )
    parser.add_argument(
        "--output", metavar="FILE", type=non_empty, help="write the report to a file, not to stdout"
    )
    parser.add_argument("--quiet", action="store_true", help="print findings and errors only")
    parser.add_argument(
        "--color",
        metavar="WHEN",
        choices=("auto", "always", "never"),
        default="auto",
        help="auto (default: at a terminal), always or never",
    )
    return parser


def add_config_option(parser: Parser) -> None:
    """Add the option that names the revision with the configuration."""
    parser.add_argument(
        "--config-from",
        metavar="REV",
        type=non_empty,
        help="read the configuration from this revision",
    )


def add_scan_options(parser: Parser, *contents: str, meaning: str) -> None:
    """Add the options of every command that checks entries: `--content`, `--allow`, `--config-from`."""
    add_config_option(parser)
    parser.add_argument("--content", metavar="WHICH", choices=contents, default="new", help=meaning)
    parser.add_argument(
        "--allow",
        metavar="GLOB",
        type=non_empty,
        action="append",
        default=[],
        help="bytecode that may be tracked: a git glob; repeatable",
    )


def ignorable_code(text: str) -> str:
    """Return the code of a rule that can be ignored. Raises `Failure` for another."""
    from pycache_guard.config import ignored_codes

    return ignored_codes([non_empty(text)], "--ignore")[0]


def add_ignore_option(parser: Parser) -> None:
    """Add `--ignore`, which adds to the `ignore` of the configuration."""
    parser.add_argument(
        "--ignore",
        metavar="CODE",
        type=ignorable_code,
        action="append",
        default=[],
        help="do not report findings of this rule; repeatable",
    )


def add_python_option(parser: Parser, meaning: str) -> None:
    """Add `--python`, which names the interpreters that compile before all others."""
    parser.add_argument(
        "--python",
        metavar="EXE",
        type=non_empty,
        action="append",
        default=[],
        help=f"{meaning} to use first; repeatable",
    )


def add_probe_options(parser: Parser) -> None:
    """Add the options of every command that proves that bytecode is ignored."""
    from pycache_guard.bytecode.probes import SUFFIXES

    parser.add_argument(
        "--probe",
        metavar="NAME",
        choices=tuple(SUFFIXES),
        action="append",
        help="require only cache, temporary, legacy or python2; repeatable (default: cache)",
    )
    parser.add_argument(
        "--strict", action="store_true", help="require temporary and legacy as well"
    )
