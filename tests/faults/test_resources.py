"""What a process is short of: descriptors, threads, memory, depth, its dependencies."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from faults.fault_env import (
    Call,
    Sandbox,
    assert_clean_exit,
    copied,
    every_call,
    every_command,
    posix,
    slow,
)
from helpers.repo import BYTECODE

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.repo import Result

pytestmark = posix

#: Runs the program after a line of ours.
WRAPPED = "import sys; {}; from pycache_guard.cli import run; sys.argv[0] = 'pycache-guard'; run()"


def wrapped(line: str) -> tuple[str, ...]:
    """Return a program that is ours after it has run a line."""
    return (sys.executable, "-c", WRAPPED.format(line))


def limited(scene: Sandbox, call: Call, kind: str, limit: int) -> Result:
    """Run a call under a limit of setrlimit(2)."""
    line = f"import resource; resource.setrlimit(resource.{kind}, ({limit}, {limit}))"
    return scene.run(call, program=wrapped(line))


def never_passes(result: Result, call: Call, usual: Result) -> None:
    """Check that what was not done did not pass, and that findings were not confused with failures."""
    assert_clean_exit(result)
    assert result.code in (2, usual.code), result
    assert result.code or call.command == "clean", result


#: Python itself does not start with fewer than 5.
DESCRIPTORS = range(5, 15)


@every_command(33)
def test_l6_few_descriptors(template: Path, tmp_path: Path, call: Call) -> None:
    for limit in DESCRIPTORS[::3]:
        scene = copied(template, tmp_path / str(limit))
        never_passes(limited(scene, call, "RLIMIT_NOFILE", limit), call, scene.baseline(call))


@slow
@every_call(34)
def test_l6_any_number_of_descriptors(template: Path, tmp_path: Path, call: Call) -> None:
    for limit in DESCRIPTORS:
        scene = copied(template, tmp_path / str(limit))
        never_passes(limited(scene, call, "RLIMIT_NOFILE", limit), call, scene.baseline(call))


#: MiB of address space: from too little for the interpreter to enough.
MEMORY = (24, 32, 40, 48, 64, 96)


@slow
@every_command(35)
def test_l6_little_memory(template: Path, tmp_path: Path, call: Call) -> None:
    """A `MemoryError` may print a traceback; the exit code is never that of findings."""
    for limit in MEMORY:
        scene = copied(template, tmp_path / str(limit))
        result = limited(scene, call, "RLIMIT_AS", limit << 20)
        assert result.code in (2, scene.baseline(call).code), (limit, result)
        assert "Traceback" not in result.err or result.code == 2, (limit, result)


NO_THREADS = """
import threading
def fails(self):
    raise RuntimeError("can't start new thread")
threading.Thread.start = fails
""".strip().replace("\n", "\\n")


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (Call("clean", ("--include-tracked",)), 0),
        (Call("verify-bytecode", ("--python", sys.executable, "pkg")), 2),
        (Call("verify-bytecode", ("many",)), 2),
    ],
    ids=str,
)
def test_l6_no_thread_can_be_started(scene: Sandbox, call: Call, code: int) -> None:
    """Removing goes on in one thread; a compiler that nothing watches is not started."""
    tag = sys.implementation.cache_tag
    for number in range(100):
        scene.repo.write(f"many/{number}/m.py", "")
        scene.repo.write(f"many/{number}/__pycache__/m.{tag}.pyc", BYTECODE)
    result = scene.run(
        call, program=wrapped(f"exec({NO_THREADS!r}.replace(chr(92) + 'n', chr(10)))")
    )
    assert_clean_exit(result)
    assert result.code == code, result
    if call.command == "clean":
        assert not [*scene.path.glob("many/*/__pycache__")]


#: Unexpected exceptions, raised instead of a command.
UNEXPECTED = (
    *("MemoryError()", "RecursionError('deep')", "AssertionError()", "KeyError('x')"),
    *("ImportError('gone')", "UnicodeDecodeError('utf-8', b'x', 0, 1, 'y')", "GeneratorExit()"),
    *("BaseException('x')", "RuntimeError(chr(0xdc80))"),
)


@pytest.mark.parametrize("raised", UNEXPECTED)
@pytest.mark.parametrize(
    "start", ["cli.run()", "runpy.run_module('pycache_guard', alter_sys=True, run_name='__main__')"]
)
def test_l6_whatever_is_raised_ends_with_2_and_a_traceback(raised: str, start: str) -> None:
    line = f"""
import runpy, sys
from pycache_guard import cli
def fails(_):
    raise {raised}
cli.dispatch = fails
{start}
"""
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"Traceback (most recent call last):\n")


@pytest.mark.parametrize("stream", ["None", "open('/dev/full', 'w')"])
def test_l6_a_traceback_that_nobody_can_read(stream: str) -> None:
    line = f"import sys; from pycache_guard import cli; cli.dispatch = 1; sys.stderr = {stream}; cli.run()"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, check=False)
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("identify", Call("check-gitignore")),
        ("identify", Call("lint", (".",))),
        ("difflib", Call("no-such-command")),
    ],
    ids=str,
)
def test_l6_a_dependency_that_is_not_installed(scene: Sandbox, module: str, call: Call) -> None:
    result = scene.run(call, program=wrapped(f"sys.modules[{module!r}] = None"))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Traceback")
    assert module in result.err


def test_l6_a_source_that_is_too_deep_is_a_failure(scene: Sandbox) -> None:
    """The exception becomes one line on stderr."""
    scene.repo.write("deep.py", "x = " + "-" * 200_000 + "1\n")
    result = scene.run(Call("lint", ("deep.py",)))
    assert_clean_exit(result)
    assert result.code == 2
