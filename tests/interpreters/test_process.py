from __future__ import annotations

import importlib.util
import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from helpers.make_pyc import COMPILER
from helpers.windows import needs_shell_scripts
from pycache_guard.bytecode.code_object import marshal_format
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.unmarshal import read_code
from pycache_guard.errors import Failure
from pycache_guard.interpreters.process import (
    CompileResult,
    CompilerProcess,
    InterpreterUnusable,
    Limits,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOW = b"x = 1\n" * 3_000_000


@pytest.fixture
def process() -> Iterator[CompilerProcess]:
    made = CompilerProcess(sys.executable, Limits())
    yield made
    made.close()


def asked(process: CompilerProcess, source: bytes, level: int = 0) -> CompileResult:
    process.submit(source, level)
    return process.result()


def test_identity_of_this_interpreter_is_read(process: CompilerProcess) -> None:
    assert process.interpreter.magic == importlib.util.MAGIC_NUMBER
    assert process.interpreter.title == COMPILER
    assert process.interpreter.tag == sys.implementation.cache_tag


def test_compiled_code_is_returned_with_its_source_hash(process: CompilerProcess) -> None:
    magic = identify_magic(importlib.util.MAGIC_NUMBER)
    assert magic is not None
    dialect = marshal_format(magic)
    assert dialect is not None
    source = b"# coding: latin-1\nx = '\xe9'\n"
    answer = asked(process, source)
    assert answer.code is not None
    code, end = read_code(answer.code, 0, dialect)
    assert "\xe9" in code.consts
    assert code.filename == process.name.decode()
    assert end == len(answer.code)
    assert answer.digest == importlib.util.source_hash(source)


def test_optimization_levels_give_different_code(process: CompilerProcess) -> None:
    source = b"def f():\n    'doc'\n    assert g\n"
    codes = [asked(process, source, level).code for level in (0, 1, 2, 0)]
    assert codes[0] == codes[3]
    assert len({*codes}) == 3


def test_source_is_not_run(process: CompilerProcess, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    assert asked(process, f"open({os.fspath(mark)!r}, 'w')\n".encode()).code is not None
    assert not mark.exists()


def test_invalid_source_is_rejected_and_the_process_goes_on(process: CompilerProcess) -> None:
    assert asked(process, b"x =\n") == CompileResult(None, None, "SyntaxError, line 1", True)
    refused = asked(process, b"\0")
    assert (refused.code, refused.rejected) == (None, True)
    assert asked(process, b"x = 1\n").code is not None


def test_source_beyond_the_limits_is_not_rejected(process: CompilerProcess) -> None:
    answer = asked(process, b"-" * 90_000 + b"1")
    assert (answer.code, answer.rejected) == (None, False)
    assert answer.reason


def test_process_does_not_import_from_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "struct.py").write_text("raise SystemExit\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.fspath(tmp_path))
    process = CompilerProcess(sys.executable, Limits())
    assert asked(process, b"").code is not None
    process.close()


def test_compilation_beyond_the_timeout_is_stopped() -> None:
    process = CompilerProcess(sys.executable, Limits(timeout=0.2))
    assert asked(process, SLOW).reason == "the compiler took more than 0.2 seconds"
    assert asked(process, b"").code is not None
    process.close()
    process.close()


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux enforces the limits of a process"
)
def test_compilation_beyond_platform_limits_is_stopped() -> None:
    process = CompilerProcess(sys.executable, Limits(seconds=0))
    assert asked(process, SLOW).reason == "the compiler process ended (CPU time limit exceeded)"
    process.close()
    process = CompilerProcess(sys.executable, Limits(memory=300 << 20))
    answer = asked(process, SLOW)
    assert (answer.code, answer.rejected) == (None, False)
    process.close()


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return os.fspath(path)


@pytest.mark.parametrize(
    "text",
    [
        "exit 0",
        "printf 'i\\0\\0\\0\\5ab'",
        "printf 'i\\0\\0\\0\\5abcde'",
        "printf 'x\\0\\0\\0\\0'",
        "printf i",
        "exec sleep 9",
    ],
)
def test_program_that_is_no_interpreter_is_unusable(tmp_path: Path, text: str) -> None:
    with pytest.raises(InterpreterUnusable):
        CompilerProcess(script(tmp_path / "python", text), Limits(startup_timeout=0.3))


@needs_shell_scripts
def test_removed_interpreter_is_reported(tmp_path: Path) -> None:
    path = script(tmp_path / "python", f'exec {sys.executable} "$@"')
    process = CompilerProcess(path, Limits())
    process.close()
    os.unlink(path)
    assert asked(process, b"") == CompileResult(
        None, reason="the compiler could not be started again"
    )


@needs_shell_scripts
def test_python_2_gets_levels_as_options(tmp_path: Path) -> None:
    refuse = '[ "$1" = -I ] && exit 2'  # as Python 2 does
    path = script(
        tmp_path / "python",
        f'{refuse}\necho "$@" >> {tmp_path}/arguments\nexec {sys.executable} "$@"',
    )
    process = CompilerProcess(path, Limits())
    for level in (0, 1, 1, 2):
        assert asked(process, b"", level).code is not None
    process.close()
    starts = [
        line for line in (tmp_path / "arguments").read_text().splitlines() if line.startswith("-E")
    ]
    isolated = "-E -s -S -B -W ignore"
    assert [line.partition(" -c ")[0] for line in starts] == [
        isolated,
        f"{isolated} -O",
        f"{isolated} -OO",
    ]


@needs_shell_scripts
@pytest.mark.parametrize(
    ("is_repeatable", "options"),
    [(False, "-I -S -B -W ignore"), (True, "-X utf8 -s -S -B -W ignore")],
)
def test_python_3_is_isolated(tmp_path: Path, is_repeatable: bool, options: str) -> None:
    path = script(
        tmp_path / "python", f'echo "$@" >> {tmp_path}/arguments\nexec {sys.executable} "$@"'
    )
    process = CompilerProcess(path, Limits(), is_repeatable=is_repeatable)
    process.close()
    assert (tmp_path / "arguments").read_text().partition(" -c ")[0] == options


def test_process_that_dies_is_restarted(tmp_path: Path) -> None:
    process = CompilerProcess(sys.executable, Limits())
    assert process._child is not None
    process._child.kill()
    process._child.wait()
    reason = asked(process, b"x = 1\n" * 100_000).reason
    ending = "exit code" if sys.platform == "win32" else "Killed"
    assert reason.startswith(f"the compiler process ended ({ending}")
    assert asked(process, b"").code is not None
    process.close()


def test_compiler_without_watchdog_thread_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fails)
    with pytest.raises(
        Failure,
        match=r"^cannot start the thread that watches the compiler: can't start new thread$",
    ):
        CompilerProcess(sys.executable, Limits())
