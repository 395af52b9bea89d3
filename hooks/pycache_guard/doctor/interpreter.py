"""Ask an interpreter for its name, version, tag and magic number. Nothing of the checkout is run."""

from __future__ import annotations

import os
import subprocess
from typing import NamedTuple

from pycache_guard import compat
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.doctor.fact import DoctorReport
from pycache_guard.doctor.fact import Fact
from pycache_guard.errors import Failure

#: Maximum time for an answer, in seconds.
TIMEOUT_SECONDS = 60

#: Runs on Python 2.6 and later. Empties `sys.path` first: without `-I` it starts with the current directory.
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

#: Ignores the environment, user packages and `site`, and writes no bytecode: `-I` is `-E -s -P`.
ISOLATED = ("-I", "-S", "-B")
#: The same for Python 2, which does not have `-I`.
ISOLATED_2 = ("-E", "-s", "-S", "-B")


class Interpreter(NamedTuple):
    """The properties of an interpreter that concern bytecode."""

    executable: str
    #: Its own name in lower case: `cpython`.
    implementation: str
    version: str
    #: None if it does not write caches to `__pycache__`.
    tag: str | None
    #: 4 bytes, or empty if the interpreter has none.
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
        raise Failure(f"{executable}: is not a Python interpreter")
    name, version, tag, magic, itself = lines
    return Interpreter(itself, name, version, tag or None, bytes.fromhex(magic))


def ask(executable: str, options: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    """Run `QUESTIONS` in an interpreter, outside the checkout. Raises `Failure` if that is not possible."""
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
        raise Failure(f"{executable}: did not answer in {TIMEOUT_SECONDS} seconds") from None


def described(python: Interpreter) -> DoctorReport:
    """Return the facts about an interpreter."""
    magic = identify_magic(python.magic)
    number = int.from_bytes(python.magic[:2], "little")
    known = f"{magic.implementation} {magic.version}" if magic else "not known"
    facts = [
        Fact(
            "interpreter",
            "python",
            f"{python.implementation} {python.version}, {python.executable}",
            "The report is about this interpreter. To examine another one: --python EXE.",
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
            "The name of every cache contains the tag, so several versions of Python can keep"
            " their caches in one directory (PEP 3147)."
            if python.tag
            else "Without a tag, Python writes bytecode next to the source, or not at all.",
            python.tag,
        ),
        Fact(
            "interpreter",
            "magic number",
            f"{number} ({python.magic.hex(' ')}): {known}",
            "Every cache starts with it. Python compiles the source again if a cache has another one.",
            {"number": number, "bytes": python.magic.hex()},
        ),
    ]
    return DoctorReport(facts, [])
