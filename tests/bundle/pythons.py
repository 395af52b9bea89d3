"""The interpreters of this machine, as makers of bytecode and as judges of what import does with it."""

from __future__ import annotations

import functools
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.interpreters.pool import find_candidates

if TYPE_CHECKING:
    from collections.abc import Sequence

ORACLE = (Path(__file__).parent / "import_oracle.txt").read_text("utf-8")

IDENTITY = (
    "import sys; print(sys.implementation.name, '.'.join(map(str, sys.version_info[:3])),"
    " sys.implementation.cache_tag)"
)

#: Compiles each of a list of [source, output, level, mode].
COMPILE = """
import json, py_compile, sys
for source, output, level, mode in json.load(sys.stdin):
    py_compile.compile(source, output, doraise=True, optimize=level,
                       invalidation_mode=py_compile.PycInvalidationMode[mode])
"""
#: Names in `py_compile.PycInvalidationMode`, and ours.
MODES = {
    "TIMESTAMP": "timestamp",
    "CHECKED_HASH": "checked-hash",
    "UNCHECKED_HASH": "unchecked-hash",
}


class Python(NamedTuple):
    """An interpreter."""

    path: str
    #: `3.13`.
    version: str
    tag: str

    def compile(self, requests: Sequence[tuple[str, str, int, str]]) -> None:
        """Compile sources: each request is source, output, level, and a key of `MODES`."""
        self._run([], COMPILE, requests)

    def ask(
        self, items: Sequence[object], level: int = 0, *, is_fast: bool = False
    ) -> dict[str, object]:
        """Return what import does in folders, or with names in zip files, at an optimization level.

        With `is_fast` no source is really compiled.
        """
        flags = [f"-{'O' * level}"] if level else []
        flags += ["-X", "fast"] if is_fast else []
        answers: dict[str, object] = json.loads(self._run(flags, ORACLE, items))
        return answers

    def _run(self, flags: list[str], program: str, items: Sequence[object]) -> str:
        command = [self.path, *flags, "-I", "-S", "-c", program]
        return subprocess.check_output(command, input=json.dumps(items), text=True)


@functools.cache
def pythons() -> tuple[Python, ...]:
    """Return one CPython of each version from 3.8 on that this machine has."""
    found: dict[tuple[int, int], Python] = {}
    for path in find_candidates("3"):
        try:
            said = subprocess.run(
                [path, "-I", "-S", "-c", IDENTITY],
                check=False,
                capture_output=True,
                text=True,
                timeout=30,
            ).stdout.split()
        except (OSError, subprocess.TimeoutExpired):
            continue
        if len(said) == 3 and said[0] == "cpython":
            major, minor = (int(part) for part in said[1].split(".")[:2])
            if (major, minor) >= (3, 8):
                found.setdefault((major, minor), Python(path, f"{major}.{minor}", said[2]))
    return tuple(found[key] for key in sorted(found))
