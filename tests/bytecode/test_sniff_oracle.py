"""What an interpreter runs of a file of any name is bytecode: every interpreter here is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.sniff import HEAD_BYTES, is_bytecode

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS = Path.home() / ".pyenv" / "versions"
INTERPRETERS = sorted({sys.executable, *map(str, VERSIONS.glob("*/bin/python"))})
#: Prints the magic number, and what marshal makes of a module and of its source, as hexadecimals.
PARTS = """
import binascii, json, marshal
try:
    from importlib.util import MAGIC_NUMBER
except ImportError:
    from imp import get_magic
    MAGIC_NUMBER = get_magic()
source = "RAN = 1"
code = compile(source, "m.py", "exec")
values = [code, u"" + source, source.encode("ascii"), [code], None, 1]
dumped = [marshal.dumps(value, version) for value in values for version in range(3)]
dumped += [marshal.dumps(value) for value in values]
print(json.dumps([binascii.hexlify(part).decode() for part in [MAGIC_NUMBER] + dumped]))
"""
#: Runs the files that a list names in every way that Python runs a file, and prints which of them set
#: `RAN`; they do nothing else. Runs in every Python from 2.7 on.
CHILD = """
import json, runpy, sys

with open(sys.argv[1]) as listed:
    paths = json.load(listed)
answers = {"run_path": [], "import": []}
for number, path in enumerate(paths):
    try:
        if runpy.run_path(path).get("RAN"):
            answers["run_path"].append(path)
    except BaseException:
        pass
    name = "variant%d" % number
    try:
        if sys.version_info[0] == 2:
            import imp

            module = imp.load_compiled(name, path)
        else:
            import types
            from importlib.machinery import SourcelessFileLoader

            module = types.ModuleType(name)
            SourcelessFileLoader(name, path).exec_module(module)
        if getattr(module, "RAN", 0):
            answers["import"].append(path)
    except BaseException:
        pass
print(json.dumps(answers))
"""
#: Bytes of the four that hold the flags from Python 3.7 on.
FLAGS = [
    *(bytes([n, 0, 0, 0]) for n in range(256)),
    b"\0\0\0\x80",
    b"\0\1\0\0",
    b"abcd",
    b"\xff" * 4,
]


def parts(exe: str) -> tuple[bytes, list[bytes]]:
    """Return the magic number of an interpreter, and what it marshals."""
    done = subprocess.run([exe, "-E", "-S", "-c", PARTS], check=True, capture_output=True)
    magic, *dumped = map(bytes.fromhex, json.loads(done.stdout))
    return magic, list(dict.fromkeys(dumped))


def variants(magic: bytes, dumped: list[bytes]) -> Iterator[bytes]:
    """Yield files: headers of any flags and length before what was marshalled, whole and cut off."""
    code, *others = dumped
    for flags in FLAGS:
        yield magic + flags + b"12345678" + code
        yield magic + flags + b"1234" + code
    for length in range(24):
        yield magic + b"\1" * length + code
    for length in (4, 8, 12):
        for other in others:
            yield magic + b"\4" * length + other
            yield magic + b"\4" * length + other + b"more"
            yield magic + b"\4" * length + other[:-1]
        # A code object with one argument more does not run; one without FLAG_REF does.
        yield magic + bytes(length) + bytes([code[0] & 0x7F]) + code[1:]
        yield magic + bytes(length) + code[:1] + b"\1" + code[2:]
    for size in (0, 1, 5, 17, len(code) - 1):
        yield magic + bytes(12) + code[:size]
    for position in range(4):
        changed = bytearray(magic + bytes(12) + code)
        changed[position] ^= 1
        yield bytes(changed)


@pytest.mark.parametrize("exe", INTERPRETERS, ids=lambda exe: Path(exe).parts[-3])
def test_sniff_file_that_an_interpreter_runs_is_bytecode(exe: str, tmp_path: Path) -> None:
    magic, dumped = parts(exe)
    files = {f"{n}.png": data for n, data in enumerate(dict.fromkeys(variants(magic, dumped)))}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "list.json").write_text(json.dumps([*files]))
    done = subprocess.run(
        [exe, "-E", "-S", "-B", "-c", CHILD, "list.json"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        env={name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ},
    )
    ran = {way: set(names) for way, names in json.loads(done.stdout).items()}
    sniffed = {name for name, data in files.items() if is_bytecode(data[:HEAD_BYTES])}
    row = identify_magic(magic)
    assert row is not None
    assert len(ran["run_path"]) > (256 if row.header_length == 16 else 5)
    assert ran["run_path"] | ran["import"] <= sniffed, sorted(
        files[name][:HEAD_BYTES] for name in (ran["run_path"] | ran["import"]) - sniffed
    )


@pytest.mark.parametrize("exe", INTERPRETERS, ids=lambda exe: Path(exe).parts[-3])
@pytest.mark.parametrize("flags", [b"\4\0\0\0", b"\0\0\0\x80", b"\xff" * 4])
def test_python_file_with_unknown_flags_runs_bytecode(
    exe: str, flags: bytes, tmp_path: Path
) -> None:
    """The interpreter prints nothing if it takes the file for bytecode, an error if for source."""
    magic, (code, *_) = parts(exe)
    row = identify_magic(magic)
    assert row is not None
    if row.implementation == "PyPy":
        pytest.skip("PyPy decides by the name of a file")
    length = row.header_length - 4
    data = magic + (flags * 3)[:length] + code
    (tmp_path / "logo.png").write_bytes(data)
    done = subprocess.run(
        [exe, "-E", "-S", "logo.png"], cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert is_bytecode(data[:HEAD_BYTES])
