"""The available compilers. Each is found and identified once."""

from __future__ import annotations

import os
import sys

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.interpreters.discover import find_candidates
from pycache_guard.interpreters.process import CompilerProcess
from pycache_guard.interpreters.process import InterpreterUnusable
from pycache_guard.interpreters.process import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.interpreters.identity import Interpreter


class CompilerPool:
    """Finds interpreters: the given ones, the running one, then those of the machine."""

    def __init__(self, named: Sequence[str] = (), limits: Limits | None = None) -> None:
        """Identify the given executables. Raises `Failure` if one is not an interpreter."""
        self._limits = limits or Limits()
        #: By executable; None if it is not an interpreter.
        self._asked: dict[str, CompilerProcess | None] = {}
        self._named = [os.path.realpath(resolve_executable(name)) for name in named]
        for name, path in zip(named, self._named, strict=True):
            if self._ask(path) is None:
                raise Failure(f"--python {name}: does not answer as an interpreter does")

    def for_magic(self, magic: Magic, tag: str) -> Iterator[CompilerProcess]:
        """Yield a compiler of each available patch level that writes files with `magic` and `tag`.

        Starts the next interpreter only when the caller asks for it.
        """
        versions = set()
        running = [os.path.realpath(sys.executable)] if sys.executable else []
        for path in dict.fromkeys([*self._named, *running, *find_candidates(magic.version)]):
            process = self._ask(path)
            if process is None:
                continue
            who = process.interpreter
            if who.writes(magic.data, tag) and who.title not in versions:
                versions.add(who.title)
                yield process
            process.close()  # it starts again when it is used again

    def named_interpreters(self) -> list[Interpreter]:
        """Return the interpreters that were given."""
        processes = [self._asked[path] for path in self._named]
        return [process.interpreter for process in processes if process is not None]

    def close(self) -> None:
        """End every process."""
        for process in self._asked.values():
            if process is not None:
                process.close()

    def _ask(self, path: str) -> CompilerProcess | None:
        if path not in self._asked:
            try:
                self._asked[path] = CompilerProcess(path, self._limits)
            except InterpreterUnusable:
                self._asked[path] = None
        return self._asked[path]


def resolve_executable(name: str) -> str:
    """Return the path of an executable that the user named: a path, or a name on PATH."""
    if os.path.dirname(name):
        return name
    try:
        return compat.find_program(name, os.environ.get("PATH"))
    except OSError as error:
        raise Failure(f"--python {name}: {error.strerror}") from None
