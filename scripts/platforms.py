"""Run the tests with every Python of this machine and print a table: `python -m scripts.platforms`.

    python -m scripts.platforms --root /opt/sid tests/verify

runs one directory of tests, also with every Python of a system below `/opt/sid` (as root on Linux), which
`debootstrap --include=python3.15-venv,pypy3-venv,git,procps,e2fsprogs sid /opt/sid` makes on Debian.
Each Python gets a virtual environment and a copy of the checkout of its own, in the temporary directory.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
ENTER = ROOT / "scripts" / "enter-root.sh"
#: Names of interpreters: CPython 3.10 and later, free-threaded builds, PyPy 3.
INTERPRETER = re.compile(r"python3\.[1-9]\d+t?|pypy3(\.[1-9]\d+)?")
OUTCOMES = ("passed", "failed", "errors", "skipped")
#: Prints the release and the prefix, which is equal for two names of one interpreter.
IDENTIFY = "import platform as p, sys; print(p.python_implementation(), p.python_version(), sys.base_prefix, sep='|')"


class Platform(NamedTuple):
    """An interpreter, and what runs it: nothing, or the way into another system."""

    name: str
    executable: str
    enter: tuple[str, ...] = ()


class SuiteResult(NamedTuple):
    """The result of the suite under one interpreter."""

    name: str
    #: Number of tests by outcome; empty if the suite did not run.
    counts: dict[str, int]
    seconds: float
    #: Why the suite did not run.
    reason: str = ""


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
    found: dict[tuple[str, tuple[str, ...]], Platform] = {}
    for executable, enter in candidates:
        done = subprocess.run(
            [*enter, executable, "-c", IDENTIFY], capture_output=True, check=False, text=True
        )
        if done.returncode == 0:
            implementation, version, _ = done.stdout.strip().split("|")
            name = f"{implementation} {version}{f' ({enter[1]})' if enter else ''}"
            found.setdefault((done.stdout, enter), Platform(name, executable, enter))
    return list(found.values())


def run_suite(platform: Platform, arguments: Sequence[str]) -> SuiteResult:
    """Run the tests in a new environment. `arguments` are those of pytest."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pycache-guard-platforms-") as directory:
        checkout = Path(directory) / "checkout"
        ignored = shutil.ignore_patterns(".venv", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, checkout, symlinks=True, ignore=ignored)
        steps = (
            (platform.executable, "-m", "venv", ".venv"),
            (".venv/bin/python", "-m", "pip", "install", "--quiet", "--editable", ".[test]"),
            (".venv/bin/python", "-m", "pytest", "--no-cov", "--quiet", *arguments),
        )
        for step in steps:
            done = subprocess.run(
                [*platform.enter, *step], cwd=checkout, capture_output=True, check=False, text=True
            )
            if done.returncode and step is not steps[-1]:
                reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
                return SuiteResult(platform.name, {}, time.monotonic() - start, "".join(reason))
    failures = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    print("\n".join(failures), end="\n" * bool(failures), flush=True)
    return SuiteResult(platform.name, count_outcomes(done.stdout), time.monotonic() - start)


def count_outcomes(output: str) -> dict[str, int]:
    """Return the numbers in the last line of pytest, by outcome."""
    last = output.strip().rpartition("\n")[2]
    words = re.findall(r"(\d+) (passed|failed|errors?|skipped)", last)
    return {f"{word}s" if word == "error" else word: int(count) for count, word in words}


def format_table(results: Iterable[SuiteResult]) -> str:
    """Return the results as a table in Markdown."""
    head = ["Python", *OUTCOMES, "time"]
    rows = [head, ["---"] * len(head)]
    for result in results:
        minutes, seconds = divmod(round(result.seconds), 60)
        counts = [str(result.counts.get(outcome, 0)) for outcome in OUTCOMES]
        cells = [f"not run: {result.reason}", "", "", ""] if not result.counts else counts
        rows.append([result.name, *cells, f"{minutes}:{seconds:02}"])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if the suite ran with every Python and nothing failed."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.platforms",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--root", type=Path, help="also the Pythons of the system below ROOT")
    parser.add_argument("--list", action="store_true", help="print the Pythons and do not run them")
    options, arguments = parser.parse_known_args(argv)
    if options.root and not (sys.platform == "linux" and os.geteuid() == 0):
        print(f"{options.root}: skipped, because entering it needs root on Linux")
        options.root = None
    platforms = find_platforms(options.root)
    if options.list:
        print("\n".join(f"{platform.name}: {platform.executable}" for platform in platforms))
        return 0
    results = []
    for platform in platforms:
        print(f"== {platform.name}", flush=True)
        results.append(run_suite(platform, arguments))
    print(format_table(results), end="")
    clean = all(
        result.counts and not result.counts.keys() & {"failed", "errors"} for result in results
    )
    return 0 if clean else 1


if __name__ == "__main__":
    raise SystemExit(main())
