"""Make bytecode of this Python, matching its source or forged."""

from __future__ import annotations

import base64
import dis
import importlib.util
import marshal
import os
import platform
import struct
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import TYPE_CHECKING

from bytecode.dump_marshal import dump_marshal
from pycache_guard.bytecode.code_object import Code, marshal_format
from pycache_guard.bytecode.pyc import read_pyc

if TYPE_CHECKING:
    from types import CodeType

    from pycache_guard.bytecode.code_object import Value

TAG = sys.implementation.cache_tag
#: How reports name the interpreter that runs the tests, as the writer of a file and as a compiler.
WRITER = "{} {}.{}".format(platform.python_implementation(), *sys.version_info)
COMPILER = f"{platform.python_implementation()} {platform.python_version()}"
INNOCENT = "def greet(name):\n    return 'hello ' + name\n"
#: Of the same size.
EVIL = "def greet(name):\n    return 'HELLO ' + name\n"
TIME = 1_700_000_000
#: The tag of an interpreter that does not run the tests, whose instruction set is known.
OTHER_TAG = "cpython-313" if TAG == "cpython-314" else "cpython-314"


def compile_source(source: str | bytes, level: int = 0, name: str = "m.py") -> CodeType:
    """Compile as import does."""
    code: CodeType = compile(source, name, "exec", dont_inherit=True, optimize=level)
    return code


def describe_greeting() -> str:
    """Return how a report names the constant in which `EVIL` differs: up to 3.13, None precedes it."""
    (greet,) = (const for const in compile_source(INNOCENT).co_consts if hasattr(const, "co_code"))
    return f"consts[{greet.co_consts.index('hello ')}] of greet"


def without_lines(code: CodeType) -> CodeType:
    """Return code with a well-formed line table that assigns no lines."""
    size, table = len(code.co_code), b""
    step = 16 if sys.version_info >= (3, 11) else 254
    for start in range(0, size, step):
        covered = min(step, size - start)
        table += bytes([0xF8 | covered // 2 - 1] if step == 16 else [covered, 0x80])
    return code.replace(co_linetable=table)


def with_nop(code: CodeType) -> CodeType:
    """Return code with a NOP before its last instruction, which executes the same (CPython 3.11 and later).

    Its line table still covers the instructions of `code`.
    """
    return code.replace(
        co_code=code.co_code[:-2] + bytes([dis.opmap["NOP"], 0]) + code.co_code[-2:]
    )


def timestamp_pyc(code: CodeType, size: int, mtime: int = TIME, flags: int = 0) -> bytes:
    """Return a timestamp file."""
    return MAGIC_NUMBER + struct.pack("<III", flags, mtime, size) + marshal.dumps(code)


def hash_pyc(code: CodeType, source: bytes, *, checked: bool) -> bytes:
    """Return a hash-based file."""
    flags = struct.pack("<I", 3 if checked else 1)
    return MAGIC_NUMBER + flags + importlib.util.source_hash(source) + marshal.dumps(code)


def matching_pyc(source: str = INNOCENT, level: int = 0) -> bytes:
    """Return the timestamp file that import writes for a source modified at `TIME`."""
    return timestamp_pyc(compile_source(source, level), len(source))


def edit_pyc(data: bytes, path: tuple[str, ...], **fields: Value) -> bytes:
    """Return a file in which fields of the code object at `path`, names below the module, are others.

    `CodeType.replace` is not used because, from 3.14 on, it forgets the kinds of arguments.
    """
    pyc = read_pyc(data)
    magic = pyc.header.magic
    dialect = marshal_format(magic)
    assert dialect is not None

    def edit(code: Code, path: tuple[str, ...]) -> Code:
        if not path:
            return Code({**code.fields, **fields})
        consts = tuple(
            edit(part, path[1:]) if isinstance(part, Code) and part.name == path[0] else part
            for part in code.consts
        )
        return Code({**code.fields, "consts": consts})

    return data[: magic.header_length] + dump_marshal(edit(pyc.code, path), dialect)


def foreign_pyc(tag: str) -> bytes:
    """Return the bytecode of `basic.py` that the interpreter of a tag wrote."""
    text = (Path(__file__).parents[1] / "bytecode" / "fixtures" / f"{tag}.txt").read_text("ascii")
    return base64.b85decode(text.replace("\n", ""))


def forged_pyc() -> bytes:
    """Return bytecode of `EVIL` with the header of `INNOCENT`."""
    return matching_pyc(EVIL)


def cache_path(module: str = "m", more: str = "") -> str:
    """Return the name of a module's cache file."""
    return f"__pycache__/{module}.{TAG}{more}.pyc"


def write_file(path: Path, data: bytes | str) -> Path:
    """Write a file that was modified at `TIME`, directories included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    os.utime(path, (TIME, TIME))
    return path
