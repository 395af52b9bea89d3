"""The program of compiler processes, run in this process: what it reads and writes."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import marshal
import os
import struct
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard.errors import Failure
from pycache_guard.interpreters import compiler_child
from pycache_guard.interpreters.identity import ask, parse_identity
from pycache_guard.interpreters.pool import find_candidates
from pycache_guard.interpreters.process import CompilerProcess, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_FSIZE")
SOURCE = b"x = 1\n"
HASH = importlib.util.source_hash(SOURCE)


@pytest.fixture
def soft_limits() -> Iterator[dict[str, int]]:
    """Return the soft limits of this process, and restore them afterwards."""
    resource = pytest.importorskip("resource")
    limits = {name: resource.getrlimit(getattr(resource, name)) for name in NAMES}
    yield {name: soft for name, (soft, _) in limits.items()}
    for name, limit in limits.items():
        resource.setrlimit(getattr(resource, name), limit)


def split_frames(data: bytes) -> list[tuple[bytes, bytes]]:
    found = []
    while data:
        kind, length = struct.unpack_from(">cI", data)
        found.append((kind, data[5 : 5 + length]))
        data = data[5 + length :]
    return found


def request(source: bytes, level: int = 0) -> bytes:
    return struct.pack(">BHI", level, 4, len(source)) + b"name" + source


def answers_to(*requests: bytes) -> list[tuple[bytes, bytes]]:
    answers = io.BytesIO()
    compiler_child.serve(io.BytesIO(b"".join(requests)), answers, 10**6)
    return split_frames(answers.getvalue())


def test_identity_is_that_of_this_interpreter() -> None:
    identity = parse_identity(compiler_child.identity())
    assert identity.magic == importlib.util.MAGIC_NUMBER
    assert identity.release == sys.version_info[:3]
    assert (identity.tag, identity.executable) == (sys.implementation.cache_tag, sys.executable)


@pytest.mark.usefixtures("soft_limits")
def test_requests_are_answered_in_order() -> None:
    invalid = b"x =\n"
    deep = b"-" * 90_000 + b"1"
    first, *frames = answers_to(*map(request, (SOURCE, invalid, b"\0", deep)), request(SOURCE, 2))
    assert first == (b"i", compiler_child.identity())
    assert [kind for kind, _ in frames] == [b"=", b"!", b"!", b"?", b"="]
    payload = frames[0][1]
    assert payload[: 1 + payload[0]] == bytes([len(HASH)]) + HASH
    name = b"name".decode()  # a literal would be interned, which marshal notes
    code = compile(SOURCE, name, "exec", dont_inherit=True, optimize=0)
    assert payload[1 + payload[0] :] == marshal.dumps(code)
    assert frames[1][1] == b"SyntaxError, line 1"


@pytest.mark.usefixtures("soft_limits")
def test_truncated_request_ends_the_process() -> None:
    assert len(answers_to(request(SOURCE), b"\0\0\0")) == 2


def test_limits_are_lowered_as_far_as_they_exist(soft_limits: dict[str, int]) -> None:
    import resource

    compiler_child.lower("RLIMIT_CORE", 0)
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
    compiler_child.lower("RLIMIT_OF_ANOTHER_SYSTEM", 0)
    compiler_child.allow(1000)
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = resource.getrlimit(resource.RLIMIT_CPU)[0]
    assert 1000 < limit <= used.ru_utime + used.ru_stime + 1002
    assert soft_limits["RLIMIT_CPU"] != limit


def test_system_without_limits_sets_none(
    monkeypatch: pytest.MonkeyPatch, soft_limits: dict[str, int]
) -> None:
    import resource

    monkeypatch.setattr(compiler_child, "resource", None)
    compiler_child.allow(1)
    compiler_child.lower("RLIMIT_CORE", 0)
    assert soft_limits == {name: resource.getrlimit(getattr(resource, name))[0] for name in NAMES}


def test_main_limits_the_process_and_serves_its_streams(
    monkeypatch: pytest.MonkeyPatch, soft_limits: dict[str, int]
) -> None:
    import resource

    answers = io.BytesIO()
    monkeypatch.setattr(sys, "argv", ["-c", "1000000", str(1 << 50)])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(request(SOURCE))))
    with contextlib.redirect_stdout(io.TextIOWrapper(answers)):
        file_size = resource.getrlimit(resource.RLIMIT_FSIZE)
        try:
            compiler_child.main()
            limits = [resource.getrlimit(getattr(resource, name))[0] for name in NAMES]
        finally:
            # Before the fixture does so, pytest writes the result, perhaps to a file.
            resource.setrlimit(resource.RLIMIT_FSIZE, file_size)
        found = split_frames(answers.getvalue())
    assert [kind for kind, _ in found] == [b"i", b"="]
    assert (limits[1], limits[3]) == (0, 0)
    assert limits[0] <= 1 << 50
    assert soft_limits["RLIMIT_CPU"] != limits[2]


@pytest.mark.parametrize("version", ["2.7", "3.6"])
def test_old_python_runs_the_program(version: str) -> None:
    paths = [p for p in find_candidates(version) if version in os.path.dirname(p)]
    for path in paths:
        with contextlib.suppress(Failure):
            interpreter = ask(path)
            if interpreter.version.startswith(version):
                break
    else:
        pytest.skip(f"Python {version} is not installed")
    process = CompilerProcess(path, Limits())
    process.submit(SOURCE, 0)
    answer = process.result()
    process.close()
    assert (answer.code is not None, answer.reason) == (True, "")
    assert process.interpreter.version == interpreter.version
