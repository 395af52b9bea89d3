"""One bytecode file under judgement."""

from __future__ import annotations

from pycache_guard.verifying.outcome import Outcome
from pycache_guard.verifying.outcome import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.verifying.store import Found


class Case:
    """A file whose header is well-formed, with a source to compare it with."""

    __slots__ = ("digest", "header", "name", "outcome", "path", "pyc", "source")

    def __init__(self, path: str, name: CacheName, header: Header, source: Found) -> None:
        self.path = path
        self.name = name
        self.header = header
        self.source = source
        #: Read when it is compared first, and dropped when it is settled.
        self.pyc: Pyc | None = None
        self.outcome = Outcome(Result.UNKNOWN)
        #: The hash of the source as the file's own interpreter makes it, where that was asked.
        self.digest: bytes | None = None

    def levels(self) -> tuple[int, ...]:
        """Return the optimization levels that the name leaves open, in rising order.

        A level above 2 compiles as 2 does (CPython `Python/compile.c`).
        """
        if self.name.optimization.isdecimal():
            return (min(int(self.name.optimization), 2),)
        if self.name.tag:
            return (0,)
        return (1, 2) if self.name.suffix == ".pyo" else (0, 1, 2)
