"""Streams that are closed or full, or whose reader has ended."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conftest import PROGRAM
from faults.fault_env import Call, Sandbox, assert_clean_exit, every_command, posix
from helpers.posix_names import decode_posix_name

if TYPE_CHECKING:
    from helpers.repo import Result

pytestmark = posix


def shell(scene: Sandbox, call: Call, form: str, *options: str) -> Result:
    """Run a call in a shell; `form` has `"$@"` where it stands."""
    return scene.run(call, *options, program=("sh", "-c", form, "sh", os.fspath(PROGRAM)))


@every_command(32)
def test_a_reader_that_goes_away(scene: Sandbox, call: Call) -> None:
    """`| head -1`: the exit code stays, and no error is printed."""
    expected = scene.baseline(call).code
    form = '{ "$@"; echo $? >&3; } 3>&2 | head -c 1 >/dev/null'
    result = shell(scene, call, form, "--format", "json")
    assert result.err.splitlines()[-1:] == [str(expected)]
    assert "Traceback" not in result.err


@every_command(33)
def test_a_reader_that_is_not_there(scene: Sandbox, call: Call) -> None:
    expected = scene.baseline(call).code
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = scene.run(call, "--format", "sarif", stdout=writing)
    finally:
        os.close(writing)
    assert (result.code, result.err) == (expected, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@every_command(34)
def test_stdout_is_full(scene: Sandbox, call: Call) -> None:
    """A report that cannot be written is an error."""
    with open("/dev/full", "wb") as full:
        result = scene.run(call, "--format", "json", stdout=full)
    assert (result.code, result.err) == (2, "error: No space left on device\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@every_command(35)
def test_the_report_is_full(scene: Sandbox, call: Call) -> None:
    result = scene.run(call, "--format", "json", "--output", "/dev/full")
    assert (result.code, result.out) == (2, "")
    assert result.err == "error: No space left on device\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@every_command(36)
def test_stderr_is_full(scene: Sandbox, call: Call) -> None:
    expected = scene.baseline(call)
    with open("/dev/full", "wb") as full:
        result = scene.run(call, stderr=full)
        failed = scene.run(Call(call.command, ("--no-such-option",)), stderr=full)
    assert (result.code, result.out) == (expected.code, expected.out)
    assert (failed.code, failed.out) == (2, "")


#: Which are closed, and what is still reported.
CLOSED = ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- 2>&-", "<&- >&- 2>&-"]


@every_command(37)
@pytest.mark.parametrize("closed", CLOSED[-1:])
def test_streams_are_closed(scene: Sandbox, call: Call, closed: str) -> None:
    check_closed(scene, call, closed)


@pytest.mark.parametrize("closed", CLOSED)
@pytest.mark.parametrize("call", [Call("fix", (), writes=True), Call("check-gitignore")], ids=str)
def test_some_streams_are_closed(scene: Sandbox, call: Call, closed: str) -> None:
    check_closed(scene, call, closed)


def check_closed(scene: Sandbox, call: Call, closed: str) -> None:
    """Run with closed descriptors, and look what became of them."""
    before = scene.state()
    result = shell(scene, call, f'"$@" {closed}')
    if "<&-" in closed and call.stdin:
        assert result.code == 2
    else:
        assert result.code == (0 if call.command == "clean" else 1)
    assert "Traceback" not in result.err
    after = scene.state()
    # No report was written to a file that got the descriptor of a closed stream.
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed <= {":index", ".gitignore"} or call.command == "clean"
    scene.repo.git("fsck", "--no-dangling")


@every_command(38)
def test_stdin_is_endless_or_a_directory(scene: Sandbox, call: Call) -> None:
    """Only who is given ref lines reads it."""
    if call.stdin:
        for given in (b"x\n" * 10, b"\xff\0\n", scene.given(call)[:-9], b"\0" * 100_000):
            process = scene.start(call)
            with process:
                out, err = process.communicate(given, timeout=60)
            assert (process.returncode, out) == (2, b""), given[:20]
            assert err.count(b"\n") == 1
            assert err.startswith(b"error: ")
    directory = os.open(".", os.O_RDONLY)
    try:
        with scene.start(call, stdin=directory) as process:
            out, err = process.communicate(timeout=60)
    finally:
        os.close(directory)
    assert b"Traceback" not in err
    if call.stdin:
        assert process.returncode  # Python itself ends with 1 where stdin is a directory


#: Encodings of the streams; text that they cannot represent is escaped, and the job is done.
ENCODINGS = ["ascii", "ascii:strict", "latin-1", "utf-16", "utf-7", "cp437", "euc-jp:strict"]


@every_command(39)
@pytest.mark.parametrize("encoding", ENCODINGS[1:2])
def test_a_stream_of_another_encoding(scene: Sandbox, call: Call, encoding: str) -> None:
    check_encoding(scene, call, encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_streams_of_other_encodings(scene: Sandbox, encoding: str) -> None:
    check_encoding(scene, Call("forbid-bytecode"), encoding)


def check_encoding(scene: Sandbox, call: Call, encoding: str) -> None:
    """Tell of odd names in an encoding that has no such letters."""
    expected = scene.baseline(call).code
    for name in ("größe.pyc", "日本.pyc", decode_posix_name(b"\xff.pyc"), "\N{PILE OF POO}.pyc"):
        scene.repo.stage(name)
    result = scene.run(call, env={"PYTHONIOENCODING": encoding})
    assert_clean_exit(
        result._replace(err=result.err if encoding.startswith(("ascii", "latin")) else "")
    )
    assert result.code == expected
    assert "Traceback" not in result.err


def test_stderr_closed_before_a_failure(scene: Sandbox) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" 2>&-', "sh", sys.executable, "-m", "pycache_guard", "no-such"],
        cwd=scene.path,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")
