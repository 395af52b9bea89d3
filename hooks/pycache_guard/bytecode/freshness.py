"""Check whether Python would use a bytecode file for its source: the rules of import.

Source: `SourceLoader.get_code` in CPython `Lib/importlib/_bootstrap_external.py`, the same from 3.7 to
3.15; for the formats before PEP 552, `Python/import.c`.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode import magic as magics
from pycache_guard.bytecode.cache_names import tag_fits, writes_other_code
from pycache_guard.bytecode.header import SourceHash, Timestamp
from pycache_guard.bytecode.magic_numbers import CRLF
from pycache_guard.bytecode.source_hash import source_hash

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header, InvalidHeader
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import ImportProblem


class Freshness(Enum):
    """What import does with a file."""

    #: Import runs it.
    RUNS = "runs"
    #: Import runs it if the source gets another time, or other line endings.
    MAY_RUN = "may run"
    #: Import compiles the source again.
    STALE = "stale"


class FreshnessResult(NamedTuple):
    """How a file matches its source."""

    freshness: Freshness
    #: A clause that can follow "because".
    why: str
    #: Whether only the modification time differs, as after every checkout.
    only_mtime_differs: bool = False


class Source(NamedTuple):
    """The facts about a source that import checks."""

    size: int
    #: As in `os.stat`; None in an index or a commit.
    mtime: float | None
    #: Returns the bytes.
    read: Callable[[], bytes]


def check_freshness(
    header: Header,
    source: Source,
    hashed: Callable[[bytes, Magic], bytes | None] = source_hash,
) -> FreshnessResult:
    """Return whether Python would use a file with `header` for `source`.

    Raises what `source.read` raises. It is called only if a hash or line endings matter.
    """
    validation = header.validation
    if isinstance(validation, Timestamp):
        return _by_timestamp(validation, source)
    if isinstance(validation, SourceHash):
        return _by_hash(validation, header.magic, source, hashed)
    return FreshnessResult(Freshness.MAY_RUN, "its header does not describe the source")


def swap_line_endings(source: bytes) -> bytes:
    r"""Return `source` with `\n` instead of `\r\n`, or with `\r\n` instead of `\n` if it has no `\r\n`.

    Git can check out other line endings on Windows than it stores.
    """
    if b"\r\n" in source:
        return source.replace(b"\r\n", b"\n")
    return source.replace(b"\n", b"\r\n")


def _by_timestamp(stamp: Timestamp, source: Source) -> FreshnessResult:
    timely = source.mtime is None or stamp.has_mtime(source.mtime)
    if not stamp.has_size(source.size):
        if stamp.has_size(len(swap_line_endings(source.read()))):
            why = "its source has other line endings than when it was compiled"
            return FreshnessResult(
                Freshness.MAY_RUN if timely else Freshness.STALE, why, only_mtime_differs=not timely
            )
        why = f"the source is now {source.size} bytes; it was {stamp.source_size} when this was compiled"
        return FreshnessResult(Freshness.STALE, why)
    if source.mtime is None:
        return FreshnessResult(
            Freshness.MAY_RUN, "the size matches its source, and anyone can set the time"
        )
    if timely:
        which = "time matches" if stamp.source_size is None else "time and size match"
        return FreshnessResult(Freshness.RUNS, f"{which} its source")
    return FreshnessResult(
        Freshness.STALE, "the source's modification time differs", only_mtime_differs=True
    )


def _by_hash(
    validation: SourceHash,
    magic: Magic,
    source: Source,
    hashed: Callable[[bytes, Magic], bytes | None],
) -> FreshnessResult:
    if not validation.checked:
        return FreshnessResult(Freshness.RUNS, "its flags disable the check of the source")
    data = source.read()
    digest = hashed(data, magic)
    if digest is None:
        return FreshnessResult(
            Freshness.MAY_RUN, f"the hash function of {magic.implementation} is not known"
        )
    if digest == validation.digest:
        return FreshnessResult(Freshness.RUNS, "the hash matches its source")
    if source_hash(swap_line_endings(data), magic) == validation.digest:
        return FreshnessResult(
            Freshness.MAY_RUN, "the hash matches its source with other line endings"
        )
    return FreshnessResult(Freshness.STALE, "the source's hash differs")


class ImportOutcome(NamedTuple):
    """Return whether import runs a file, and why."""

    #: None if it depends on facts outside the file.
    runs: bool | None
    why: str


_ANSWERS = {Freshness.RUNS: True, Freshness.MAY_RUN: None, Freshness.STALE: False}
_TEMPORARY = ImportOutcome(
    False, "an interrupted write left it under a temporary name, which import does not use"
)
_UNNAMED = ImportOutcome(False, "import does not use such a name; `python FILE` runs it")
_WITHOUT_SOURCE = ImportOutcome(
    False, "its source does not exist, and import uses a cache only with its source"
)
_JAVA = "Jython uses MODULE$py.class, and Python cannot run a Java class"
_NO_PYO = ImportOutcome(False, "Python 3.5 and later do not use .pyo")


def would_import(
    name: CacheName | None,
    header: Header,
    fitting: FreshnessResult | None,
    *,
    in_cache: bool,
    exact_case: bool = True,
    problem: ImportProblem | None = None,
) -> ImportOutcome:
    """Return what the interpreter of the magic number does with a file.

    `fitting` is None if there is no source. `in_cache` is whether the file is in a directory
    `__pycache__`, `exact_case` the result of `cache_names.has_exact_case`, and `problem` that of
    `pyc.find_import_problem`.
    """
    found = _find(name, header, fitting, in_cache=in_cache)
    if problem is not None and found.runs is not False:
        return ImportOutcome(False, problem.message)
    if problem is not None and name is None:
        return ImportOutcome(
            False, "import does not use such a name, and its code cannot be loaded"
        )
    if not exact_case and found.runs is not False:
        return ImportOutcome(None, f"only on a file system that ignores case; {found.why}")
    return found


def _find(
    name: CacheName | None, header: Header, fitting: FreshnessResult | None, *, in_cache: bool
) -> ImportOutcome:
    """Return what import does with a file whose code can be loaded."""
    if header.magic.implementation == "MicroPython":
        why = "MicroPython imports it if it is named MODULE.mpy and there is no MODULE.py"
        return ImportOutcome(None, f"{why}; CPython never does")
    is_java = header.magic.implementation == "Jython"
    if name is None:
        return ImportOutcome(False, "import does not use such a name") if is_java else _UNNAMED
    if name.is_temporary:
        return _TEMPORARY
    if is_java is not (name.suffix == "$py.class"):
        return ImportOutcome(False, _JAVA if is_java else "Jython expects a Java class there")
    if is_java:
        return ImportOutcome(None, "Jython runs it if it is not older than its source")
    if not name.tag:
        found = _find_beside(name, header, fitting)
        if in_cache and found.runs is not False:
            return ImportOutcome(None, f"only if `__pycache__` itself is on the path; {found.why}")
        return found
    if not tag_fits(name.tag, header.magic):
        return ImportOutcome(False, "the interpreter of its tag uses another magic number")
    if is_pre_pep3147(header.magic) and not name.pytest:
        return ImportOutcome(False, "Python before 3.2 keeps caches next to the sources")
    if fitting is None:
        return _WITHOUT_SOURCE
    if name.suffix == ".pyo" and not (name.pytest or _has_pyo(header.magic)):
        return _NO_PYO
    answer = _ANSWERS[fitting.freshness]
    if not in_cache:
        return ImportOutcome(answer and None, f"only below PYTHONPYCACHEPREFIX; {fitting.why}")
    if name.implementation == "PyPy" and writes_other_code(name.tag, header.magic):
        few = "only in releases of PyPy that used the magic number of CPython (pypy/pypy#3782)"
        return ImportOutcome(answer and None, f"{few}; {fitting.why}")
    return ImportOutcome(answer, fitting.why + _when(name))


def run_without_header(
    name: CacheName | None, data: bytes, error: InvalidHeader, *, has_source: bool
) -> ImportOutcome:
    """Return what import does with a file whose header `parse_header` refused with `error`.

    If import refuses a cache, it compiles the source, and fails if there is no source. `data` is
    the start of the file.
    """
    if name is None:
        return ImportOutcome(False, "import does not use such a name, and it is not known bytecode")
    if name.is_temporary:
        return _TEMPORARY
    if magics.identify_magic(data) is None and data[2:4] == CRLF:
        return ImportOutcome(None, "the interpreter of its magic number is not known")
    if name.tag:
        if not has_source:
            return _WITHOUT_SOURCE
        return ImportOutcome(False, "import compiles the source again")
    if name.suffix == "$py.class":
        return ImportOutcome(False, "it is not a Java class")
    if has_source:
        return ImportOutcome(False, "import uses the source next to it")
    exception = "EOFError" if str(error).startswith("reached EOF") else "ImportError"
    return ImportOutcome(False, f"import fails with {exception} ({error})")


def _find_beside(name: CacheName, header: Header, fitting: FreshnessResult | None) -> ImportOutcome:
    """Return what import does with a legacy file.

    It is a cache before Python 3.2. Later versions import it if there is no source.
    """
    is_cache = is_pre_pep3147(header.magic)
    if name.suffix == ".pyo" and not is_cache:
        return _NO_PYO
    if fitting is None:
        return ImportOutcome(True, "it has no source next to it")
    if not is_cache:
        return ImportOutcome(False, "the source next to it comes first")
    optimized = " (with -O)" if name.suffix == ".pyo" else ""
    return ImportOutcome(_ANSWERS[fitting.freshness], fitting.why + optimized)


def is_pre_pep3147(magic: Magic) -> bool:
    """Return whether an interpreter keeps caches next to the sources, as before Python 3.2 (PEP 3147)."""
    return magic.version < "3" or magic.version in ("3.0", "3.1")


def _has_pyo(magic: Magic) -> bool:
    """Return whether an interpreter writes `.pyo` into `__pycache__`: after PEP 3147, before PEP 488."""
    return magic.version in ("3.2", "3.3", "3.4")


def _when(name: CacheName) -> str:
    """Return which interpreter or option uses the file, empty for a plain `python`."""
    if name.pytest:
        return f" ({name.pytest_writer} runs it)"
    if name.suffix == ".pyo":
        return " (with -O)"
    if name.optimization == "1":
        return " (with -O)"
    if name.optimization == "2":
        return " (with -OO)"
    return f" (where .opt-{name.optimization} is used)" if name.optimization else ""
