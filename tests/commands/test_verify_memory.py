"""Files made to take memory: `verify-bytecode` and `inspect` end within a limit, with an answer."""

from __future__ import annotations

import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.make_pyc import (
    INNOCENT,
    cache_path,
    compile_source,
    matching_pyc,
    timestamp_pyc,
    write_file,
)

if TYPE_CHECKING:
    from pathlib import Path

resource = pytest.importorskip("resource", reason="no memory limits here")

#: Of address space: the file itself takes 62 MiB, the interpreter and its libraries the rest.
LIMIT_BYTES = 320 << 20
SIZE = 62 << 20
PROGRAM = """\
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
from pycache_guard.cli import main
sys.exit(main(sys.argv[2:]))
"""


def i32(number: int) -> bytes:
    return struct.pack("<i", number)


def planted(constant: bytes) -> bytes:
    """Return a file whose code has this in the place of its first constant."""
    marker = 0x12345678
    data = timestamp_pyc(compile_source(f"x = {marker}\n"), len(INNOCENT))
    number = b"i" + i32(marker)
    at = data.find(number) if number in data else data.index(b"\xe9" + i32(marker))
    return data[:at] + constant + data[at + 5 :]


CONSTANTS = {
    "one number": lambda: b"l" + i32(SIZE // 2) + b"\1\0" * (SIZE // 2),
    "one negative number": lambda: b"l" + i32(-(SIZE // 2)) + b"\xff\x7f" * (SIZE // 2),
    "a number out of form": lambda: b"l" + i32(SIZE // 2) + b"\xff" * SIZE,
    "one tuple": lambda: b"(" + i32(SIZE) + b"N" * SIZE,
    "one frozenset": lambda: b">" + i32(SIZE) + b"N" * SIZE,
    "one dict": lambda: b"{" + b"N" * (SIZE // 4 * 4) + b"0",
    "empty dicts": lambda: b"(" + i32(SIZE // 2) + b"{0" * (SIZE // 2),
    "tuples of one": lambda: b"(" + i32(SIZE // 3) + b")\1N" * (SIZE // 3),
    "short texts": lambda: b"(" + i32(SIZE // 4) + b"z\2ab" * (SIZE // 4),
    "many numbers": lambda: b"(" + i32(SIZE // 5) + b"i\0\0\0\1" * (SIZE // 5),
}
#: They are distinguished from the source's code, or refused at the first count.
DIFFERENT = ("one number", "one negative number")


def limited(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, str(LIMIT_BYTES), *arguments]
    return subprocess.run(command, cwd=where, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("name", CONSTANTS)
def test_verify_and_inspect_end_within_a_limit(tmp_path: Path, name: str) -> None:
    write_file(tmp_path / "m.py", INNOCENT)
    write_file(tmp_path / cache_path(), planted(CONSTANTS[name]()))
    code = "PYC202" if name in DIFFERENT else "PYC206"
    for command in (["verify-bytecode"], ["inspect", "--code", cache_path()]):
        done = limited(tmp_path, *command)
        inspected_well = command[0] == "inspect" and name in DIFFERENT
        assert (done.returncode, done.stderr) == (0 if inspected_well else 1, "")
        assert (code in done.stdout) is not inspected_well


#: Of a string, which is in memory several times: as bytes, text, line and output.
PART = 6 << 20
TEXTS = {
    "a run of ASCII": b"(" + i32(PART) + b"N" * PART,
    "a run of other characters": b"\xc3\xa9" * (PART // 2),
    "characters that are escaped": b"s" + i32(PART) + bytes(PART),
    "short runs": b"abcd\0" * (PART // 10),
}


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="PyPy itself takes more memory")
@pytest.mark.parametrize("option", ["--strings", "--leaks"])
@pytest.mark.parametrize("constant", TEXTS.values(), ids=TEXTS)
def test_strings_end_within_a_limit(tmp_path: Path, constant: bytes, option: str) -> None:
    write_file(tmp_path / "m.pyc", planted(constant))
    done = limited(tmp_path, "inspect", option, "m.pyc")
    assert done.returncode in (0, 1)
    assert "Error" not in done.stderr


def test_limit_is_one_that_an_ordinary_file_keeps(tmp_path: Path) -> None:
    write_file(tmp_path / "m.py", INNOCENT)
    write_file(tmp_path / cache_path(), matching_pyc())
    done = limited(tmp_path, "verify-bytecode")
    assert (done.returncode, done.stderr) == (0, "")
