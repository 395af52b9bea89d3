"""Ask an interpreter's own marshal whether two files hold the same code: in a child, which may crash."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

PROGRAM = (Path(__file__).parent / "marshal_oracle.txt").read_text("ascii")


class Oracle:
    """One interpreter, which loads marshalled code and never runs it."""

    def __init__(self, executable: str, *, is_python_2: bool) -> None:
        self._executable = executable
        self._options = ("-E", "-s", "-S", "-B") if is_python_2 else ("-I", "-S", "-B")
        self._child = self._start()
        #: How many inputs ended the process.
        self.crashes = 0

    def compiled(self, source: bytes) -> bytes:
        """Return marshalled code, as import writes it, for the file name `m.py`."""
        self._write(b"c" + struct.pack(">I", len(source)) + source)
        return self._read(struct.unpack(">I", self._read(4))[0])

    def compare(self, expected: bytes, found: bytes) -> str:
        """Return `=` for equal code, `l` if lines differ, `d` if more does, `x` for what does not load."""
        self._write(b"=" + struct.pack(">II", len(expected), len(found)) + expected + found)
        answer = self._read(1)
        if not answer:
            self.crashes += 1
            self.close()
            self._child = self._start()
        return answer.decode("ascii") or "x"

    def close(self) -> None:
        """End the process."""
        self._child.kill()
        self._child.communicate()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self._executable, *self._options, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=os.path.abspath(os.sep),
            env={},
        )

    def _write(self, data: bytes) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(data)
        self._child.stdin.flush()

    def _read(self, size: int) -> bytes:
        assert self._child.stdout is not None
        return self._child.stdout.read(size)
