"""One bytecode file under judgement."""

from __future__ import annotations

from pycache_guard.verifying.outcome import Outcome
from pycache_guard.verifying.outcome import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic
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

        A level above 2 compiles as 2 does (CPython `Python/compile.c`). Before PEP 488, Python 3.5,
        `.pyc` is level 0, and `.pyo` is level 1 or 2. Since then, `compileall -b` writes files
        of all levels under one name, which has no tag.
        """
        if self.name.optimization.isdecimal():
            return (min(int(self.name.optimization), 2),)
        if self.name.suffix == ".pyo":
            return (1, 2)
        return (0, 1, 2) if self.is_level_open() else (0,)

    def is_level_open(self) -> bool:
        """Return whether the name of a `.pyc` does not state its optimization level."""
        is_legacy = not self.name.tag and self.name.suffix == ".pyc"
        return is_legacy and not is_before_pep_488(self.header.magic)


def is_before_pep_488(magic: Magic) -> bool:
    """Return whether suffixes state optimization levels: before Python 3.5."""
    first = magic.version.partition("-")[0]
    return tuple(int(part) for part in first.split(".") if part.isdecimal()) < (3, 5)
