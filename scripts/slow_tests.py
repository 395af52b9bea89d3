"""`python -m scripts.slow_tests`: run the suite, and name the tests that use the most processor time.

It writes `docs/internals/tests.md`. Words after the options belong to pytest. With `--from FILE` nothing
is run; FILE was written by pytest with `-p scripts.slow_tests`, which this module is a plugin of, and
the variable `PROCESSOR_TIMES`:

    PROCESSOR_TIMES=times python -m pytest -p scripts.slow_tests tests/git
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "internals" / "tests.md"
#: The environment variable with the file that the plugin appends to.
FILE_VARIABLE = "PROCESSOR_TIMES"
COUNT = 20
HEADER = """\
# Slowest tests

`python -m scripts.slow_tests` runs the suite and writes this page: the {count} tests that use the most processor time,
their own and that of the processes they wait for. The rows of a test are counted together. All {rows:,} rows use
{seconds:,.0f} seconds.

| seconds | rows | test |
|--:|--:|---|
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure if no file is given, write the page, and return the exit code of pytest."""
    parser = argparse.ArgumentParser(prog="python -m scripts.slow_tests", description=__doc__)
    parser.add_argument("--from", dest="file", type=Path, help="processor times of earlier runs")
    options, rest = parser.parse_known_args(argv)
    code = 0
    with TemporaryDirectory() as directory:
        file = options.file or Path(directory) / "times"
        if options.file is None:
            command = [sys.executable, "-m", "pytest", "-p", "scripts.slow_tests", *rest]
            environment = {**os.environ, FILE_VARIABLE: os.fspath(file)}
            code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        lines = file.read_text("utf-8").splitlines()
    PAGE.write_text(format_page(lines), "utf-8")
    return code


def format_page(lines: Iterable[str]) -> str:
    """Return the page for lines `SECONDS<TAB>ID`."""
    seconds: defaultdict[str, float] = defaultdict(float)
    rows: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        number, _, test = line.partition("\t")
        name = test.partition("[")[0]
        seconds[name] += float(number)
        rows[name] += 1
    slowest = sorted(seconds, key=lambda name: (-seconds[name], name))[:COUNT]
    head = HEADER.format(count=len(slowest), rows=sum(rows.values()), seconds=sum(seconds.values()))
    return head + "".join(
        f"| {seconds[name]:.1f} | {rows[name]} | `{name.removeprefix('tests/')}` |\n"
        for name in slowest
    )


def processor_seconds() -> float:
    """Return the processor time of this process and of the children that have ended."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Append what a test has used, its fixtures included. Short lines of two processes do not mix."""
    before = processor_seconds()
    try:
        return (yield)
    finally:
        name = item.nodeid.partition("[")[0]
        with open(os.environ[FILE_VARIABLE], "a", encoding="utf-8") as file:
            file.write(f"{processor_seconds() - before:.4f}\t{name}\n")


if __name__ == "__main__":
    raise SystemExit(main())
