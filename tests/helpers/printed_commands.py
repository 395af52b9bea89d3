"""Checks of every command that a report prints: by its words at once, by running it after the test.

`conftest.py` passes every report of the fixtures `run` and `program` to a `CommandLog`. Its commands are
run when the test has passed, from where their reader stands, if the files are still as the report found
them. They must succeed, and the same report must not print them again.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from helpers.report_parser import fix_commands
from helpers.report_schema import is_json_report
from pycache_guard.cli import COMMANDS
from pycache_guard.remedies import POSIX_TOOLS, PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from helpers.repo import Result

#: Commands with one of these words are not run: they ask for a password, an editor or a network, or
#: need a program that the tests do not install.
NOT_RUN = {"sudo", "rebase", "filter-repo", "npx", "lefthook", "fetch", "pre-commit", "prek"}
#: A report in such an environment is read somewhere else: in a hook, or with another repository.
ELSEWHERE = {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"}
SEPARATORS = {"&&", "||", ";", "|", "(", ")", "{", "}"}
OURS = "pycache-guard"
#: Words of the shell itself.
BUILTINS = {"cd", "set", "export", "unset", "ulimit", "echo", "printf", "exec", "test"}
#: Programs that need not be installed here.
OPTIONAL = {"sudo", "npx", "lefthook", "pre-commit", "prek", "iconv"}
#: Options of git that precede its verb, with the number of words that they take.
GIT_OPTIONS = {"-C": 1, "-c": 1, "--no-pager": 0}


class UnfitCommand(AssertionError):
    """A report prints a command that does not work where it is pasted."""


class PrintedCommands(NamedTuple):
    """The commands of one report, and where their reader stands."""

    argv: tuple[str, ...]
    commands: tuple[str, ...]
    cwd: str
    environment: dict[str, str]
    #: The state of the files below the directory of the test.
    files: frozenset[tuple[str, int, int]]
    #: What makes the report again in this process, faster than in another one.
    report: Callable[[PrintedCommands], Result] | None = None


class CommandLog:
    """The last report of a test, if it prints commands."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._last: PrintedCommands | None = None

    def add(
        self,
        argv: Sequence[str],
        result: Result,
        *,
        cwd: Path | None = None,
        script: Path | None = None,
        report: Callable[[PrintedCommands], Result] | None = None,
    ) -> None:
        """Check the words of every command of a report, and keep the report.

        `script` is the program if the report was made in this process, and so does not know its path;
        `report` then makes it again. Raises `UnfitCommand`.
        """
        commands = printed_commands(argv, result.out)
        for command in commands:
            check_words(command, is_named=script is not None)
        self._last = None
        if self._directory is None or not commands or ELSEWHERE & os.environ.keys():
            return
        if shutil.which("bash") is None:
            return
        try:
            here = os.path.realpath(cwd or os.curdir)
        except FileNotFoundError:  # the test has deleted it
            return
        here = os.path.join(here, os.environ.get("GIT_PREFIX", ""))
        top = os.path.realpath(self._directory)
        if here != top and not here.startswith(os.path.join(top, "")):
            return
        environment = {name: text for name, text in os.environ.items() if name != "GIT_PREFIX"}
        if script is not None and shutil.which(script.name) is None:
            environment["PATH"] += f"{os.pathsep}{script.parent}"
        files = frozenset(list_files(top))
        self._last = PrintedCommands(tuple(argv), tuple(commands), here, environment, files, report)

    def run(self, report: Callable[[PrintedCommands], Result]) -> int:
        """Run the commands of the last report, then `report` again; return how many were run.

        None is run if a file was changed since. Raises `UnfitCommand`.
        """
        last, self._last = self._last, None
        if last is None or self._directory is None:
            return 0
        if last.files != frozenset(list_files(os.path.realpath(self._directory))):
            return 0
        try:
            os.scandir(last.cwd).close()
        except PermissionError:  # nobody can stand there
            return 0
        commands = [command for command in last.commands if not NOT_RUN & {*split_words(command)}]
        for command in commands:
            run_command(command, last)
        # What `export` sets ends with the shell.
        if commands == [*last.commands] and not last.commands[0].startswith("export "):
            # What a test has replaced in this process may be the reason for a report.
            for make in filter(None, (last.report, report)):
                again = make(last)
                repeated = {*printed_commands(last.argv, again.out)} & {*commands}
                if not repeated:
                    return len(commands)
            raise UnfitCommand(f"printed again: {repeated}\n{again.out}{again.err}")
        return len(commands)


def run_command(command: str, printed: PrintedCommands) -> None:
    """Run a command where its reader stands. Raises `UnfitCommand` if it fails."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=printed.cwd,
        env=printed.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    # Our own commands end with 1 if something is left, or was changed.
    allowed = (0, 1) if is_our_command(command) else (0,)
    if done.returncode not in allowed:
        raise UnfitCommand(f"{command}\nends with {done.returncode}: {os.fsdecode(done.stderr)}")


def printed_commands(argv: Sequence[str], out: str) -> list[str]:
    """Return the commands of a text or JSON report."""
    if not is_json_report(argv, out):
        return list(dict.fromkeys(fix_commands(out)))
    report = json.loads(out)
    remedies = [finding["remedy"] or "" for finding in report["findings"]]
    remedies.append(report.get("commit_command") or "")
    return list(dict.fromkeys(filter(is_command, remedies)))


def is_command(remedy: str) -> bool:
    """Return whether a remedy is a command, and not a sentence."""
    return remedy.startswith((*PROGRAMS, *POSIX_TOOLS, "(cd ", "export ")) or is_our_command(remedy)


def is_our_command(command: str) -> bool:
    """Return whether a command starts with this program, by its name or by its path."""
    return bool(re.match(rf"'?(/.*/)?{OURS}(-\w+)?'? [a-z]", command))


def list_files(top: str) -> Iterator[tuple[str, int, int]]:
    """Yield path, time and size of every file, without the objects of repositories."""
    for directory, names, files in os.walk(top):
        names[:] = [name for name in names if name != "objects"]
        for name in (*names, *files):
            path = os.path.join(directory, name)
            try:
                status = os.lstat(path)
            except PermissionError:
                continue
            is_directory = name in names
            yield path, 0 if is_directory else status.st_mtime_ns, status.st_mode


@cache
def check_words(command: str, *, is_named: bool = False) -> None:
    """Check that a shell can parse a command, and that its programs and options exist.

    This program need not be found if `is_named`. Raises `UnfitCommand`.
    """
    if shutil.which("sh") is None:  # on Windows, and where a test hides all programs
        return
    done = subprocess.run(["sh", "-n", "-c", command], capture_output=True, check=False)
    if done.returncode:
        raise UnfitCommand(f"{command}\nis not shell: {os.fsdecode(done.stderr)}")
    for words in simple_commands(command):
        if not (is_named and words[0] == OURS):
            check_program(words[0], command)
        check_options(words, command)


def check_program(program: str, command: str) -> None:
    """Check that a program exists. Raises `UnfitCommand`."""
    if program not in BUILTINS | OPTIONAL and shutil.which(program) is None:
        raise UnfitCommand(f"{command}\nthere is no program {program}")


def check_options(words: list[str], command: str) -> None:
    """Check the options of one simple command (POSIX shell, 2.9.1). Raises `UnfitCommand`."""
    program, *rest = words
    name = os.path.basename(program)
    if name.startswith(OURS):
        options, known = rest[1:], our_options(rest[0]) if rest else ""
        if not rest or rest[0] not in COMMANDS:
            raise UnfitCommand(f"{command}\n{program} has no command {rest[:1]}")
    elif name == "git":
        verb, options = split_git(rest)
        known = git_options(verb)
    else:
        return
    for option in options:
        if option == "--":
            break
        if option.startswith("-") and option != "-" and not has_option(known, option):
            raise UnfitCommand(f"{command}\n{name} has no option {option}")


def has_option(known: str, option: str) -> bool:
    """Return whether a help text has an option; git takes `--no-x` for each `--x` or `--[no-]x`."""
    name = option.partition("=")[0]
    words = re.sub(r"--(?:\[no-\])?(\w[\w-]*)", r"--\1 --no-\1", known)
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", words) is not None


def split_git(words: list[str]) -> tuple[str, list[str]]:
    """Return the verb of git and the words that follow it."""
    rest = [*words]
    while rest and rest[0] in GIT_OPTIONS:
        del rest[: 1 + GIT_OPTIONS[rest[0]]]
    return rest[0], rest[1:]


#: Options that git has and does not list.
UNLISTED_OPTIONS = {"commit": "--allow-empty", "diff": "--cached --stat --exit-code"}


@cache
def git_options(verb: str) -> str:
    """Return what git prints about the options of a verb."""
    if verb in ("filter-repo", "rev-parse"):  # one is not a part of git, the other parses by hand
        return (
            "--invert-paths --path --path-glob --absolute-git-dir --show-toplevel --git-common-dir"
            " --git-path"
        )
    done = subprocess.run(["git", verb, "-h"], capture_output=True, check=False)
    if done.returncode != 129:
        raise UnfitCommand(f"git has no verb {verb}")
    shown = os.fsdecode(done.stdout + done.stderr)
    return f"{shown} {UNLISTED_OPTIONS.get(verb, '')}"


@cache
def our_options(command: str) -> str:
    """Return the help page of a command of this program."""
    words = [sys.executable, "-m", "pycache_guard", command, "--help"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def simple_commands(command: str) -> Iterator[list[str]]:
    """Yield the simple commands of a command, those in `$(…)` included."""
    # Nothing is substituted in single quotes.
    inner = re.compile(r"('[^']*')|\$\(([^()]*)\)")
    for match in inner.finditer(command):
        if match[2]:
            yield from simple_commands(match[2])
    words: list[str] = []
    is_target = False
    for word in [*split_words(inner.sub(lambda m: m[1] or "substituted", command)), ";"]:
        if word in SEPARATORS:
            if words:
                yield words
            words = []
        elif is_target or set(word) <= {">", "<"}:
            is_target = not is_target
        elif words or not re.match(r"\w+=", word):
            words.append(word)


def split_words(command: str) -> list[str]:
    """Return the words and operators of a command; `$'…'` is taken for a plain word."""
    lexer = shlex.shlex(re.sub(r"\$'", "'", command), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(lexer)
