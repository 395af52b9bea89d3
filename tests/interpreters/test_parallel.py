from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from helpers.windows import needs_shell_scripts
from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.interpreters import parallel
from pycache_guard.interpreters.parallel import Job, ParallelCompiler
from pycache_guard.interpreters.process import CompilerProcess, InterpreterUnusable, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pycache_guard.interpreters.process import CompileResult

SLOW = b"x = 1\n" * 3_000_000


@pytest.fixture(autouse=True)
def processors(monkeypatch: pytest.MonkeyPatch) -> int:
    """Say that there are three processors, and that each process pays from its second source on."""
    monkeypatch.setattr(compat, "count_processors", lambda: 3)
    monkeypatch.setattr(parallel, "SOURCES_PER_PROCESS", 2)
    return 3


def make_python(tmp_path: Path, first: str = "") -> str:
    """Make an interpreter that notes the id of each of its processes in a file."""
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\n{first}\necho $$ >> {tmp_path}/ids\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return os.fspath(path)


def started(tmp_path: Path) -> list[int]:
    """Return the ids of the processes of `make_python`."""
    return [*map(int, (tmp_path / "ids").read_text().split())]


def jobs(count: int, slow: tuple[int, ...] = (), size: int = 0) -> list[Job[int]]:
    """Return sources; every third takes longer, and those of `slow` very long."""
    return [
        Job(n, SLOW if n in slow else b"x = %d\n" % n + b"y = 1\n" * (n % 3 * 2000), 0, size)
        for n in range(count)
    ]


def compile_all(
    executable: str, work: list[Job[int]], limits: Limits | None = None
) -> list[tuple[int, CompileResult]]:
    process = CompilerProcess(executable, limits or Limits())
    compiler: ParallelCompiler[int] = ParallelCompiler(process)
    with compiler:
        done = list(compiler.compile_all(iter(work)))
    process.close()
    return done


def wait_for_ends(processes: list[int]) -> None:
    """Wait until processes are gone, init having reaped them."""
    end = time.monotonic() + 60
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.kill(process, 0)
                assert time.monotonic() < end
                time.sleep(0.01)


@needs_shell_scripts
@pytest.mark.parametrize(("count", "processes"), [(0, 1), (1, 1), (2, 2), (4, 3), (40, 3)])
def test_results_of_several_processes_are_those_of_one_in_the_order_of_the_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, processes: int
) -> None:
    path, work = make_python(tmp_path), jobs(count)
    process = CompilerProcess(path, Limits())
    compiler: ParallelCompiler[int] = ParallelCompiler(process)
    with compiler:
        found = list(compiler.compile_all(iter(work)))
        ids = started(tmp_path)
    expected = []
    for job in work:
        process.submit(job.source, job.level)
        expected.append((job.key, process.result()))
    process.close()
    assert found == expected
    assert len(compiler._copies) == processes - 1
    wait_for_ends(ids)


def test_results_are_the_same_where_nobody_can_wait_for_several_pipes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = compile_all(sys.executable, jobs(20))
    monkeypatch.setattr(compat, "WINDOWS", True)
    found = compile_all(sys.executable, jobs(20))
    assert [key for key, _ in found] == [*range(20)]
    assert [bool(result.code) for _, result in found] == [True] * 20
    assert [result.digest for _, result in found] == [result.digest for _, result in expected]


def test_source_that_takes_too_long_fails_alone() -> None:
    found = compile_all(sys.executable, jobs(20, slow=(7,)), Limits(timeout=0.5))
    assert {key: result.reason for key, result in found if not result.code} == {
        7: "the compiler took more than 0.5 seconds"
    }
    assert [key for key, _ in found] == [*range(20)]


@needs_shell_scripts
@pytest.mark.parametrize(
    "later", ["exit 1", "printf 'i\\0\\0\\0\\5abcde'; exit 0", "exec sleep 600"]
)
def test_process_that_does_not_start_a_second_time_does_the_work_alone(
    tmp_path: Path, later: str
) -> None:
    path = make_python(tmp_path, f"[ -e {tmp_path}/ids ] && {{ {later}; }}")
    found = compile_all(path, jobs(20), Limits(startup_timeout=2))
    assert [(key, bool(result.code)) for key, result in found] == [(n, True) for n in range(20)]


@pytest.mark.parametrize("error", [Failure, InterpreterUnusable])
def test_process_does_the_work_alone_where_no_other_can_be_started(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fails(_: CompilerProcess) -> None:
        raise error("the limit of processes is reached")

    process = CompilerProcess(sys.executable, Limits())
    monkeypatch.setattr(CompilerProcess, "launch", fails)
    compiler: ParallelCompiler[int] = ParallelCompiler(process)
    with compiler:
        found = list(compiler.compile_all(iter(jobs(9))))
    process.close()
    assert [(key, bool(result.code)) for key, result in found] == [(n, True) for n in range(9)]


@needs_shell_scripts
def test_processes_that_are_killed_fail_with_their_sources_and_are_started_again(
    tmp_path: Path,
) -> None:
    path = make_python(tmp_path)
    process = CompilerProcess(path, Limits())
    compiler: ParallelCompiler[int] = ParallelCompiler(process)
    found = []
    with compiler:
        for key, result in compiler.compile_all(iter(jobs(60))):
            found.append((key, result))
            if key == 20:
                for number in started(tmp_path):
                    os.kill(number, signal.SIGKILL)
    process.close()
    failed = [(key, result.reason) for key, result in found if not result.code]
    assert [key for key, _ in found] == [*range(60)]
    assert 1 <= len(failed) <= 3
    assert {reason for _, reason in failed} <= {
        "the compiler process ended (Killed)",
        "the compiler process ended (exit code 1)",
    }


@pytest.mark.parametrize(("size", "most"), [(0, 7), (parallel.MAX_BYTES // 2, 3), (1 << 40, 2)])
def test_few_sources_are_in_memory_at_once(size: int, most: int) -> None:
    """One is read ahead of those that are compiled or wait for one before them."""
    read, done, ahead = 0, 0, []

    def reading() -> Iterator[Job[int]]:
        nonlocal read
        for job in jobs(40, size=size):
            read += 1
            ahead.append(read - done)
            yield job

    process = CompilerProcess(sys.executable, Limits())
    compiler: ParallelCompiler[int] = ParallelCompiler(process)
    with compiler:
        for _ in compiler.compile_all(reading()):
            done += 1
    process.close()
    assert done == 40
    assert max(ahead) <= most


@needs_shell_scripts
@pytest.mark.usefixtures("default_signal_handlers")
@pytest.mark.parametrize("number", compat.TERMINATION_SIGNALS)
def test_signal_ends_every_compiler(tmp_path: Path, number: int) -> None:
    path = make_python(tmp_path)
    for n in range(9):
        source = tmp_path / "top" / f"m{n}.py"
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(b"x = 1\n" * (3_000_000 if n > 2 else 1))
        os.utime(source, (1, 1))
        header = importlib.util.MAGIC_NUMBER + bytes(4)
        stamp = (1).to_bytes(4, "little") + source.stat().st_size.to_bytes(4, "little")
        cache = tmp_path / "top" / "__pycache__" / f"m{n}.{sys.implementation.cache_tag}.pyc"
        cache.parent.mkdir(exist_ok=True)
        cache.write_bytes(header + stamp + b"N")
    program = (
        "from pycache_guard import cli, compat; from pycache_guard.interpreters import parallel;"
        "compat.count_processors = lambda: 3; parallel.SOURCES_PER_PROCESS = 1; cli.run()"
    )
    command = [sys.executable, "-c", program, "verify-bytecode", "--python", path, "top"]
    with subprocess.Popen(command, cwd=tmp_path) as run:
        end = time.monotonic() + 60
        while not (tmp_path / "ids").exists() or len(started(tmp_path)) < 3:
            assert time.monotonic() < end
            time.sleep(0.01)
        run.send_signal(number)
        assert run.wait(60) == 128 + number
    wait_for_ends(started(tmp_path))


@needs_shell_scripts
def test_interpreter_that_is_removed_fails_with_every_source_that_is_left(tmp_path: Path) -> None:
    path = make_python(tmp_path)
    process = CompilerProcess(path, Limits())
    compiler: ParallelCompiler[int] = ParallelCompiler(process)
    found = []
    with compiler:
        for key, result in compiler.compile_all(iter(jobs(60))):
            found.append((key, bool(result.code)))
            if key == 20:
                os.unlink(path)
                for number in started(tmp_path):
                    os.kill(number, signal.SIGKILL)
    process.close()
    assert [key for key, _ in found] == [*range(60)]
    assert [key for key, is_compiled in found if is_compiled and key > 30] == []
