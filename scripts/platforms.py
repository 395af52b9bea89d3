"""Run the tests with every Python of this machine and print a table: `python -m scripts.platforms`.

    python -m scripts.platforms --root /opt/sid tests/verify

runs one directory of tests, also with every Python of a system below `/opt/sid` (as root on Linux), which
`scripts/make-root.sh /opt/sid` builds on Debian; `scripts/make-windows.sh /opt/sid` adds a CPython for
Windows. Each Python gets a virtual environment and a copy of the checkout of its own, in the temporary
directory. The reasons of all skipped tests follow the table.

Exit codes: 0 every test that ran passed; 1 a test failed; 2 the tests could not run with a Python.
"""

from __future__ import annotations

import argparse
import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
ENTER = ROOT / "scripts" / "enter-root.sh"
#: Names of interpreters: CPython 3.10 and later, free-threaded builds, PyPy 3.
INTERPRETER = re.compile(r"python3\.[1-9]\d+t?|pypy3(\.[1-9]\d+)?")
#: The CPython for Windows of `make-windows.sh`, below the root, and what runs it. It has all packages.
WINDOWS_PYTHON = "windows/python.exe"
WINE = (
    "env",
    "HOME=/windows/home",
    "WINEPREFIX=/windows/prefix",
    "WINEDEBUG=-all",
    "WINEDLLOVERRIDES=winedbg.exe=d;mscoree,mshtml=",
    "wine",
)
VENV_PYTHON = ".venv/bin/python"
INSTALL = ("-m", "pip", "install", "--quiet")
#: Some packages have no wheels for PyPy and for the newest CPython, but older versions have.
WITH_PACKAGES = (*INSTALL, "--prefer-binary", "--editable", ".[test]")
WITHOUT_PACKAGES = (*INSTALL, "--no-deps", "--no-index", "--no-build-isolation", "--editable", ".")
PYTEST = ("-m", "pytest", "--no-cov", "--quiet")
OUTCOMES = ("passed", "failed", "errors", "skipped")
#: Prints the release, the prefix, which is equal for two names of one interpreter, the version of git, and
#: the system.
IDENTIFY = """\
import platform, shutil, subprocess, sys
git = "none"
if shutil.which("git"):
    git = subprocess.run(["git", "--version"], stdout=subprocess.PIPE).stdout.decode().split()[2]
release = (platform.python_implementation(), platform.python_version())
print(*release, sys.base_prefix, git, sys.platform, sep="|")
"""
#: What pytest prints with `-rs` for tests that were skipped for one reason.
SKIPPED = re.compile(r"SKIPPED \[(\d+)\] (?:\S+?:(?:\d+:)? )?(.*)")
#: The end of the output of a failed run, in lines, without the skipped tests.
SHOWN_LINES = 400


class Platform(NamedTuple):
    """An interpreter, and what runs it: nothing, or the way into another system."""

    name: str
    executable: str
    git: str
    enter: tuple[str, ...] = ()
    #: Whether it has the packages of the tests, and no environment of its own is made.
    has_packages: bool = False


class SuiteResult(NamedTuple):
    """The result of the suite under one interpreter."""

    name: str
    git: str
    #: Number of tests by outcome; empty if the suite did not run.
    counts: dict[str, int]
    seconds: float
    #: Why the suite did not run.
    reason: str = ""
    #: Number of skipped tests by reason.
    skips: dict[str, int] = {}  # noqa: RUF012 - never changed


def find_executables(directories: Iterable[Path]) -> Iterator[Path]:
    """Yield every file in the directories that is named like a supported interpreter."""
    for directory in directories:
        if directory.is_dir():
            for path in sorted(directory.iterdir()):
                if INTERPRETER.fullmatch(path.name):
                    yield path


def find_platforms(root: Path | None) -> list[Platform]:
    """Return every interpreter on PATH, of pyenv and below `root`, each once."""
    pyenv = Path.home() / ".pyenv" / "versions"
    here = [*map(Path, os.get_exec_path()), *sorted(pyenv.glob("*/bin"))]
    nothing: tuple[str, ...] = ()
    candidates = [
        (os.fspath(path), nothing) for path in find_executables(here) if "shims" not in path.parts
    ]
    if root is not None:
        inside = find_executables([root / "usr" / "bin"])
        way = (os.fspath(ENTER), os.fspath(root))
        candidates += [(f"/{path.relative_to(root)}", way) for path in inside]
        if (root / WINDOWS_PYTHON).is_file():
            candidates.append((f"/{WINDOWS_PYTHON}", (*way, *WINE)))
    found: dict[tuple[str, tuple[str, ...]], Platform] = {}
    for executable, enter in candidates:
        done = subprocess.run(
            [*enter, executable, "-c", IDENTIFY], capture_output=True, check=False, text=True
        )
        if done.returncode == 0:
            implementation, version, _, git, system = done.stdout.strip().split("|")
            is_windows = system == "win32"
            name = f"{implementation} {version}{' for Windows' if is_windows else ''}"
            name += f" ({enter[1]})" if enter else ""
            platform = Platform(name, executable, git, enter, has_packages=is_windows)
            found.setdefault((done.stdout, enter), platform)
    return list(found.values())


def run_suite(platform: Platform, arguments: Sequence[str]) -> SuiteResult:
    """Run the tests in a new environment. `arguments` are those of pytest.

    Tests that fail run again, one at a time, because a busy machine lets some run into a time limit.
    """
    start = time.monotonic()
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="pycache-guard-platforms-") as directory:
        checkout = Path(directory) / "checkout"
        ignored = shutil.ignore_patterns(".venv*", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, checkout, symlinks=True, ignore=ignored)

        def run(*command: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*platform.enter, *command],
                cwd=checkout,
                capture_output=True,
                check=False,
                encoding="utf-8",
                errors="replace",
            )

        python = platform.executable if platform.has_packages else VENV_PYTHON
        steps = [(platform.executable, "-m", "venv", ".venv"), (python, *WITH_PACKAGES)]
        if platform.has_packages:
            steps = [(python, *WITHOUT_PACKAGES)]
        for step in steps:
            done = run(*step)
            if done.returncode:
                reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
                seconds = time.monotonic() - start
                return SuiteResult(platform.name, platform.git, {}, seconds, "".join(reason))
        done = run(python, *PYTEST, "-rfEs", *arguments)
        counts = count_outcomes(done.stdout)
        if done.returncode:
            lines = [line for line in done.stdout.splitlines() if not SKIPPED.fullmatch(line)]
            print("\n".join(lines[-SHOWN_LINES:]), done.stderr, flush=True)
        if done.returncode == 1:
            again = run(python, *PYTEST, "-n0", "--last-failed", *arguments)
            if again.returncode == 0:
                print("All of them passed when they ran again, one at a time.", flush=True)
                failed = counts.pop("failed", 0) + counts.pop("errors", 0)
                counts["passed"] = counts.get("passed", 0) + failed
    reason = [] if counts else [f"pytest ended with {done.returncode}"]
    seconds = time.monotonic() - start
    skips = count_skips(done.stdout)
    return SuiteResult(platform.name, platform.git, counts, seconds, "".join(reason), skips)


def count_outcomes(output: str) -> dict[str, int]:
    """Return the numbers in the last line of pytest, by outcome."""
    last = output.strip().rpartition("\n")[2]
    words = re.findall(r"(\d+) (passed|failed|errors?|skipped)", last)
    return {f"{word}s" if word == "error" else word: int(count) for count, word in words}


def count_skips(output: str) -> dict[str, int]:
    """Return the number of skipped tests by reason, from the summary of pytest, the largest first."""
    skips: collections.Counter[str] = collections.Counter()
    for line in output.splitlines():
        if found := SKIPPED.fullmatch(line):
            skips[found[2].removeprefix("Skipped: ")] += int(found[1])
    return dict(skips.most_common())


def format_skips(results: Iterable[SuiteResult]) -> str:
    """Return the reasons of skipped tests with the number of tests under each Python."""
    lines = []
    for result in results:
        if result.skips:
            lines.append(f"\nSkipped with {result.name}, git {result.git}:\n")
            lines += [f"{count:>6}  {reason}\n" for reason, count in result.skips.items()]
    return "".join(lines)


def format_table(results: Iterable[SuiteResult]) -> str:
    """Return the results as a table in Markdown."""
    head = ["Python", "git", *OUTCOMES, "time"]
    rows = [head, ["---"] * len(head)]
    for result in results:
        minutes, seconds = divmod(round(result.seconds), 60)
        counts = [str(result.counts.get(outcome, 0)) for outcome in OUTCOMES]
        cells = [f"not run: {result.reason}", "", "", ""] if not result.counts else counts
        rows.append([result.name, result.git, *cells, f"{minutes}:{seconds:02}"])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if nothing failed, 1 if a test failed, 2 if the suite could not run with a Python."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.platforms",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--root", type=Path, help="also the Pythons of the system below ROOT")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only Pythons whose name has TEXT"
    )
    parser.add_argument("--git", type=Path, metavar="DIR", help="the directory of another git")
    parser.add_argument("--list", action="store_true", help="print the Pythons and do not run them")
    options, arguments = parser.parse_known_args(argv)
    if options.git:
        os.environ["PATH"] = f"{options.git.resolve()}{os.pathsep}{os.environ['PATH']}"
    if options.root and not (sys.platform == "linux" and os.geteuid() == 0):
        print(f"{options.root}: skipped, because entering it needs root on Linux")
        options.root = None
    platforms = [
        platform for platform in find_platforms(options.root) if options.only in platform.name
    ]
    if not platforms:
        print(f"error: no Python here has a name with `{options.only}`", file=sys.stderr)
        return 2
    if options.list:
        for platform in platforms:
            print(f"{platform.name}, git {platform.git}: {platform.executable}")
        return 0
    # So that a time limit leaves no files behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    results = []
    for platform in platforms:
        print(f"== {platform.name}", flush=True)
        results.append(run_suite(platform, arguments))
    print(format_table(results) + format_skips(results), end="")
    if any(result.counts.keys() & {"failed", "errors"} for result in results):
        return 1
    return 0 if all(result.counts for result in results) else 2


if __name__ == "__main__":
    try:
        code = main()
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    raise SystemExit(code)
