"""Ask an interpreter who it is. It runs a few lines of ours, and nothing of the checkout."""

from __future__ import annotations

import os
import subprocess
from typing import NamedTuple

from pycache_guard import compat
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.doctor.fact import DoctorReport
from pycache_guard.doctor.fact import Fact
from pycache_guard.errors import Failure

#: Seconds that an interpreter may take to start.
TIMEOUT_SECONDS = 60

#: Any Python from 2.6 on. `sys.path` is emptied first: without `-I` it begins with the current directory.
QUESTIONS = """
import sys
sys.path[:] = []
try:
    from _frozen_importlib_external import MAGIC_NUMBER as magic
except ImportError:
    import imp
    magic = imp.get_magic()
kind = getattr(sys, "implementation", None)
tag = getattr(kind, "cache_tag", None) or ""
name = getattr(kind, "name", None) or sys.subversion[0]
version = ".".join(map(str, sys.version_info[:3]))
digits = "".join("%02x" % byte for byte in bytearray(magic))
sys.stdout.write("\\n".join([name.lower(), version, tag, digits, sys.executable, ""]))
"""

#: Isolated from environment, user's packages and `site`, and writing nothing: `-I` is `-E -s -P`.
ISOLATED = ("-I", "-S", "-B")
#: The same for Python 2, which has no `-I`.
ISOLATED_2 = ("-E", "-s", "-S", "-B")


class Interpreter(NamedTuple):
    """An interpreter, as far as bytecode is concerned."""

    executable: str
    #: As it names itself, in lower case: `cpython`.
    implementation: str
    version: str
    #: `None` where it keeps no caches in `__pycache__`.
    tag: str | None
    #: 4 bytes; empty where there is none.
    magic: bytes

    @property
    def release(self) -> tuple[int, ...]:
        """The version as numbers, to compare."""
        return tuple(map(int, self.version.split(".")))


def ask_interpreter(executable: str) -> Interpreter:
    """Ask `executable`, a path or a name on `PATH`. Raises `Failure` if it does not answer as Python."""
    done = ask(executable, ISOLATED)
    if done.returncode:
        done = ask(executable, ISOLATED_2)
    lines = done.stdout.decode("utf-8", "surrogateescape").splitlines()
    if done.returncode or len(lines) != 5:
        raise Failure(f"{executable}: does not answer as a Python interpreter does")
    name, version, tag, magic, itself = lines
    return Interpreter(itself, name, version, tag or None, bytes.fromhex(magic))


def ask(executable: str, options: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    """Run our questions in an interpreter, away from the checkout."""
    try:
        if os.path.dirname(executable):
            program = os.path.abspath(executable)
        else:
            program = compat.find_program(executable, os.environ.get("PATH"))
        return subprocess.run(
            [program, *options, "-c", QUESTIONS],
            cwd=os.path.abspath(os.sep),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except OSError as error:
        raise Failure(f"{executable}: cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"{executable}: gave no answer in {TIMEOUT_SECONDS} seconds") from None


def described(python: Interpreter) -> DoctorReport:
    """Return what an interpreter said of itself."""
    magic = identify_magic(python.magic)
    number = int.from_bytes(python.magic[:2], "little")
    known = f"{magic.implementation} {magic.version}" if magic else "none that is known"
    facts = [
        Fact(
            "interpreter",
            "python",
            f"{python.implementation} {python.version}, {python.executable}",
            "Everything below holds for this interpreter; --python EXE asks another one.",
            {
                "executable": python.executable,
                "implementation": python.implementation,
                "version": python.version,
            },
        ),
        Fact(
            "interpreter",
            "cache tag",
            python.tag or "none",
            "The tag is in the name of every cache, so that interpreters of several versions keep"
            " theirs side by side (PEP 3147)."
            if python.tag
            else "Without a tag, bytecode is kept beside the source, or not at all.",
            python.tag,
        ),
        Fact(
            "interpreter",
            "magic number",
            f"{number} ({python.magic.hex(' ')}): {known}",
            "It is the first thing in each file; one with another magic is compiled anew.",
            {"number": number, "bytes": python.magic.hex()},
        ),
    ]
    return DoctorReport(facts, [])
