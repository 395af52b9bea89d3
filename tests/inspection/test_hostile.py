"""Files that are made to cost time, memory or lines: every view stays within bounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from conftest import PROGRAM
from helpers.make_pyc import compile_source, timestamp_pyc, write_file
from pycache_guard.commands import inspect as command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import CodeType

    from conftest import Run

VIEWS = ["--strings", "--leaks", "--textconv", "--code"]
MODULE = compile_source("x = 1\n")


def deep(depth: int) -> tuple[object, ...]:
    value: tuple[object, ...] = ()
    for number in range(depth):
        value = (value, f"level {number}")
    return value


def nested(depth: int) -> CodeType:
    code = MODULE
    for _ in range(depth):
        code = code.replace(co_consts=(code, *MODULE.co_consts), co_name="n" * 1000)
    return code


FILES = {
    "controls": MODULE.replace(co_consts=("\u202e\x1b[31m\n::stop\0##vso[x]" * 20_000,)),
    "long": MODULE.replace(co_consts=("x" * 3_000_000,)),
    "many": MODULE.replace(co_consts=tuple(f"constant {n}" for n in range(30_000))),
    "deep": MODULE.replace(co_consts=(deep(900),)),
    "nested": nested(400),
    "large": MODULE.replace(co_consts=tuple(2**20_000 + n for n in range(50))),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("view", VIEWS)
def test_lines_stay_lines(tmp_path: Path, run: Run, view: str, name: str) -> None:
    path = write_file(tmp_path / "m.pyc", timestamp_pyc(FILES[name], 0))
    done = run("inspect", view, str(path))
    assert done.err == ""
    assert done.code in (0, 1)
    lines = done.out.split("\n")[:-1]
    assert all(line.isprintable() for line in lines)
    assert not any(line.lstrip().startswith("::") or "##" in line for line in lines)
    if view == "--leaks":
        assert len(lines) <= command.DEFAULT_LIMIT + 3
        assert max(map(len, lines)) < 20_000


@pytest.mark.parametrize("name", FILES)
def test_differences_are_bounded(tmp_path: Path, run: Run, name: str) -> None:
    files = [
        write_file(tmp_path / f"{n}.pyc", timestamp_pyc(code, 0))
        for n, code in enumerate((FILES[name], MODULE))
    ]
    done = run("inspect", "--diff", *map(str, files))
    assert (done.code, done.err) == (1, "")
    assert len(done.out) < 100_000
    assert all(line.isprintable() for line in done.out.splitlines())


def test_strings_in_json_are_bounded(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "MAX_JSON_STRINGS", 100)
    path = write_file(tmp_path / "m.pyc", timestamp_pyc(FILES["many"], 0))
    (file,) = json.loads(run("inspect", "--strings", "--format", "json", str(path)).out)["files"]
    assert (len(file["strings"]), file["omitted"] > 29_000) == (100, True)


def functions(number: int, prefix: str, **changes: Any) -> CodeType:
    """Return a module of functions."""
    codes = [MODULE.replace(co_name=f"{prefix}{n}", **changes) for n in range(number)]
    return MODULE.replace(co_consts=(*codes, *MODULE.co_consts))


def files_of(number: int, prefix: str) -> CodeType:
    """Return a module whose functions all have other file names."""
    codes = [MODULE.replace(co_filename=f"{prefix}{n}") for n in range(number)]
    return MODULE.replace(co_consts=tuple(codes))


def constants(*values: object) -> CodeType:
    return MODULE.replace(co_consts=values)


#: Two files, with the number of objects in both that are not shared.
Pair = tuple["CodeType", "CodeType", int]
MILLION = 1_000_000
TEN_MB = 10 << 20
SHARED = tuple(f"a{n}" for n in range(20_000)), tuple(f"b{n}" for n in range(20_000))


def make_pair(name: str) -> Pair:
    """Return a pair near a limit: 64 MiB for a file, 2 million objects, 10 million with repetitions."""
    zeros = bytes((62 << 20) - 1)
    pairs: dict[str, Callable[[], Pair]] = {
        "ints": lambda: (constants(*range(MILLION)), constants(*range(-MILLION, 0)), 2 * MILLION),
        "strings": lambda: (
            constants(*[f"{n}a" for n in range(MILLION)]),
            constants(*[f"{n}b" for n in range(MILLION)]),
            2 * MILLION,
        ),
        "ten MB": lambda: (
            constants(*[f"{n}{'a' * TEN_MB}" for n in range(6)]),
            constants(*[f"{n}{'b' * TEN_MB}" for n in range(6)]),
            0,
        ),
        "one string": lambda: (constants("x" * len(zeros)), constants("x" * len(zeros) + "y"), 0),
        "one bytes": lambda: (constants(zeros + b"x"), constants(zeros + b"y"), 0),
        "instructions": lambda: (
            MODULE.replace(co_code=b"\t\0" * (31 << 20)),
            MODULE.replace(co_code=b"\t\0" * ((31 << 20) - 1)),
            0,
        ),
        "functions": lambda: (functions(100_000, "a"), functions(100_000, "b"), 4 * MILLION),
        "file names": lambda: (files_of(100_000, "a"), files_of(100_000, "b"), 4 * MILLION),
        "deep": lambda: (constants(deep(1900)), constants((deep(1900), 1)), 0),
        "nested": lambda: (nested(900), nested(901), 0),
        "shared": lambda: (
            functions(450, "f", co_consts=SHARED[0]),
            functions(450, "f", co_consts=SHARED[1]),
            100_000,
        ),
    }
    return pairs[name]()


PAIRS = (
    *("ints", "strings", "ten MB", "one string", "one bytes", "instructions"),
    *("functions", "file names", "deep", "nested", "shared"),
)


#: Runs a command, and prints its exit code, processor time and peak memory. A process of its own, because
#: the peak of a new process begins with the memory of the one that starts it.
MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
kib = usage.ru_maxrss / 1024 if sys.platform == "darwin" else usage.ru_maxrss
print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, kib, file=sys.stderr)
"""


class Cost(NamedTuple):
    """What a run of the program took."""

    code: int
    out: str
    seconds: float
    peak: float


def measure(*argv: str) -> Cost:
    """Run the program; the seconds are those of the processor, the peak is in bytes."""
    command = [sys.executable, "-I", "-S", "-c", MEASURE, os.fspath(PROGRAM), *argv]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    code, seconds, kib = done.stderr.split()
    return Cost(int(code), done.stdout, float(seconds), float(kib) * 1024)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no process there says what it used")
@pytest.mark.parametrize("name", PAIRS)
def test_differences_of_the_largest_files_are_bounded(tmp_path: Path, name: str) -> None:
    """In time by what reading the files takes, in memory by their sizes and numbers of objects."""
    first, second, objects = make_pair(name)
    files = [
        write_file(tmp_path / f"{n}.pyc", timestamp_pyc(code, 0))
        for n, code in enumerate((first, second))
    ]
    sizes = sum(path.stat().st_size for path in files)
    start, reading = measure("inspect", "--help"), measure("inspect", *map(str, files))
    cost = measure("inspect", "--diff", *map(str, files))
    assert cost.code == (0 if name == "file names" else 1)
    assert len(cost.out) < 1 << 20
    assert max(map(len, cost.out.splitlines())) < 5000
    assert cost.seconds < 20 * (start.seconds + reading.seconds)
    assert cost.peak < (64 << 20) + 6 * sizes + 500 * objects
