"""Ask an interpreter what it is. It runs our program in isolation, and nothing of the checkout."""

from __future__ import annotations

import os
import pkgutil
import struct
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard import compat
from pycache_guard.bytecode.magic import LENGTH
from pycache_guard.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Maximum time for an answer, in seconds.
TIMEOUT_SECONDS = 60

#: For a process with our environment: neither that nor user site nor site-packages counts, and no
#: bytecode is written. Python 2 lacks -I.
ISOLATED = ("-I", "-S", "-B", "-W", "ignore")
ISOLATED_2 = ("-E", "-s", "-S", "-B", "-W", "ignore")
#: The kind and the length of the payload of a frame: see `compiler_child`.
_FRAME_HEAD = struct.Struct(">cI")

_TITLES = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}


class Interpreter(NamedTuple):
    """An interpreter, as far as bytecode is concerned."""

    executable: str
    #: 4 bytes.
    magic: bytes
    #: `sys.implementation.name`, such as `cpython`.
    implementation: str
    #: In full: `3.12.1`.
    version: str
    #: The tag of its cache files, empty if it does not write caches to `__pycache__`.
    tag: str

    @property
    def title(self) -> str:
        """`CPython 3.12.1`."""
        return f"{_TITLES.get(self.implementation, self.implementation)} {self.version}"

    @property
    def release(self) -> tuple[int, ...]:
        """The version as numbers, to compare."""
        return tuple(map(int, self.version.split(".")))

    def writes(self, magic: bytes, tag: str) -> bool:
        """Return whether it writes files with `magic` and `tag`, which is empty if the name has none.

        Pyston writes CPython 3.8's magic and its own tag.
        """
        return self.magic == magic and (not (tag and self.tag) or self.tag == tag.lower())


def ask(executable: str) -> Interpreter:
    """Return the identity of an interpreter. `executable` is a path or a name on PATH.

    Raises `Failure` if it does not answer as Python does. The environment is passed on, because a
    launcher such as a shim of pyenv needs it; the interpreter itself ignores it.
    """
    done = _run(executable, ISOLATED)
    if done.returncode:
        done = _run(executable, ISOLATED_2)
    head, payload = done.stdout[: _FRAME_HEAD.size], done.stdout[_FRAME_HEAD.size :]
    try:
        if done.returncode or head != _FRAME_HEAD.pack(b"i", len(payload)):
            raise ValueError
        return parse_identity(payload)
    except ValueError:
        raise Failure(f"{executable}: is not a Python interpreter") from None


def child_command(
    executable: str, options: Iterable[str], *, seconds: int = 60, memory: int = 4 << 30
) -> list[str]:
    """Return the command that runs `compiler_child` within limits of processor time and memory."""
    program = pkgutil.get_data(__package__, "compiler_child.py")
    assert program is not None
    return [executable, *options, "-c", program.decode("ascii"), str(seconds), str(memory)]


def parse_identity(payload: bytes) -> Interpreter:
    """Parse the identity that `compiler_child` writes first. Raises `ValueError`."""
    name, version, tag, executable = payload[LENGTH:].split(b"\n", 3)
    return Interpreter(
        executable.decode("utf-8", "surrogateescape"),
        payload[:LENGTH],
        name.decode("ascii"),
        version.decode("ascii"),
        tag.decode("ascii"),
    )


def _run(executable: str, options: Iterable[str]) -> subprocess.CompletedProcess[bytes]:
    """Run the child without requests, outside the checkout. Raises `Failure` if that is not possible."""
    try:
        if os.path.dirname(executable):
            program = os.path.abspath(executable)
        else:
            program = compat.find_program(executable, os.environ.get("PATH"))
        return subprocess.run(
            child_command(program, options),
            cwd=os.path.abspath(os.sep),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except OSError as error:
        raise Failure(f"{executable}: cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"{executable}: did not answer in {TIMEOUT_SECONDS} seconds") from None
