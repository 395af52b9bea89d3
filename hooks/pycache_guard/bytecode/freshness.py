"""Whether Python takes a bytecode file for its source's: the rules of import.

Source: `SourceLoader.get_code` in CPython `Lib/importlib/_bootstrap_external.py`, the same from 3.7 to
3.15; for the formats before PEP 552, `Python/import.c`.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from pycache_guard.bytecode import magic as magics
from pycache_guard.bytecode.cache_names import tag_fits
from pycache_guard.bytecode.cache_names import writes_other_code
from pycache_guard.bytecode.header import SourceHash
from pycache_guard.bytecode.header import Timestamp
from pycache_guard.bytecode.magic_numbers import CRLF
from pycache_guard.bytecode.source_hash import source_hash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.header import InvalidHeader
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import ImportProblem


class Freshness(Enum):
    """What becomes of a file when its module is imported."""

    #: It is run, here and now.
    RUNS = "runs"
    #: It is run where the source has another time, or other line ends.
    MAY_RUN = "may run"
    #: The source is compiled anew.
    STALE = "stale"


class FreshnessResult(NamedTuple):
    """How a file fits its source."""

    freshness: Freshness
    #: In words, to follow "because".
    why: str
    #: Whether nothing but the time speaks against it: so it is after every checkout.
    only_mtime_differs: bool = False


class Source(NamedTuple):
    """What import asks of a source."""

    size: int
    #: As in `os.stat`; `None` where sources have none, in an index or a commit.
    mtime: float | None
    #: Gives the bytes.
    read: Callable[[], bytes]


def check_freshness(
    header: Header,
    source: Source,
    hashed: Callable[[bytes, Magic], bytes | None] = source_hash,
) -> FreshnessResult:
    """Tell whether Python would take the file with `header` for that of `source`.

    Raises what `source.read` raises. It is asked only where a hash, or line ends, matter.
    """
    validation = header.validation
    if isinstance(validation, Timestamp):
        return _by_timestamp(validation, source)
    if isinstance(validation, SourceHash):
        return _by_hash(validation, header.magic, source, hashed)
    return FreshnessResult(Freshness.MAY_RUN, "its header does not describe the source")


def swap_line_endings(source: bytes) -> bytes:
    r"""Return `source` with `\n` for its `\r\n`, or with `\r\n` for its `\n` where it has none.

    Git gives Windows the other ones than it stores.
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
    """Whether, and why."""

    #: `None` where it depends on what the file does not tell.
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
    """Tell what the interpreter of the file's own magic does with it.

    `fitting` is `None` where there is no source; `in_cache` tells whether the file is in a directory
    `__pycache__`, and `exact_case` what `cache_names.has_exact_case` returns; `problem` is what `pyc.find_import_problem` found in its code.
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
    """Return what happens to a file whose code can be loaded."""
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
    """Tell what becomes of a file whose header `parse_header` refused with `error`.

    Import compiles the source anew where it refuses a cache, and fails where there is no source.
    `data` is the file's first bytes.
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
    """Return what happens to a legacy file.

    It is a cache before Python 3.2; later Pythons import it where there is no source.
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
    """Whether an interpreter keeps caches beside their sources: before PEP 3147, Python 3.2."""
    return magic.version < "3" or magic.version in ("3.0", "3.1")


def _has_pyo(magic: Magic) -> bool:
    """Whether an interpreter writes `.pyo` into `__pycache__`: from PEP 3147 up to PEP 488."""
    return magic.version in ("3.2", "3.3", "3.4")


def _when(name: CacheName) -> str:
    """Return who looks for it, where that is not a plain `python`."""
    if name.pytest:
        return f" ({name.pytest_writer} runs it)"
    if name.suffix == ".pyo":
        return " (with -O)"
    if name.optimization == "1":
        return " (with -O)"
    if name.optimization == "2":
        return " (with -OO)"
    return f" (where .opt-{name.optimization} is used)" if name.optimization else ""
