"""Whether Python would run a bytecode file instead of its source, and why.

Sources: CPython `Lib/importlib/_bootstrap_external.py` (`FileFinder`, `SourceLoader.get_code`), PEP 3147,
PEP 488; `Python/import.c` of 2.7; micropython `docs/reference/mpyfiles.rst`.
"""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.bytecode import magic as magics
from pycache_guard.bytecode.cache_names import tag_fits
from pycache_guard.bytecode.cache_names import writes_other_code
from pycache_guard.bytecode.fit import Standing
from pycache_guard.bytecode.magic_numbers import CRLF

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.fit import Fit
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.header import InvalidHeader
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import ImportProblem


class Running(NamedTuple):
    """Whether, and why."""

    #: `None` where it depends on what the file does not tell.
    answer: bool | None
    why: str


_ANSWERS = {Standing.RUNS: True, Standing.MAY_RUN: None, Standing.STALE: False}
_TEMPORARY = Running(False, "a writer left it under a temporary name, which no import looks for")
_UNNAMED = Running(False, "no import looks for such a name; `python FILE` runs it")
_WITHOUT_SOURCE = Running(False, "its source is not there, and a cache is not looked for without")
_JAVA = "Jython looks for MODULE$py.class, and Python runs no Java class"
_NO_PYO = Running(False, "since Python 3.5 no import looks for .pyo")


def running(
    name: CacheName | None,
    header: Header,
    fitting: Fit | None,
    *,
    in_cache: bool,
    exact_case: bool = True,
    problem: ImportProblem | None = None,
) -> Running:
    """Tell what the interpreter of the file's own magic does with it.

    `fitting` is `None` where there is no source; `in_cache` tells whether the file is in a directory
    `__pycache__`, and `exact_case` what `cache_names.has_exact_case` returns; `problem` is what `pyc.find_import_problem` found in its code.
    """
    found = _find(name, header, fitting, in_cache=in_cache)
    if problem is not None and found.answer is not False:
        return Running(False, problem.message)
    if problem is not None and name is None:
        return Running(False, "no import looks for such a name, and its code cannot be loaded")
    if not exact_case and found.answer is not False:
        return Running(None, f"only on a file system that ignores case; {found.why}")
    return found


def _find(
    name: CacheName | None, header: Header, fitting: Fit | None, *, in_cache: bool
) -> Running:
    """Return what happens to a file whose code can be loaded."""
    if header.magic.implementation == "MicroPython":
        why = "MicroPython imports it where it is named MODULE.mpy and no MODULE.py comes first"
        return Running(None, f"{why}; CPython never does")
    is_java = header.magic.implementation == "Jython"
    if name is None:
        return Running(False, "no import looks for such a name") if is_java else _UNNAMED
    if name.is_temporary:
        return _TEMPORARY
    if is_java is not (name.suffix == "$py.class"):
        return Running(False, _JAVA if is_java else "Jython looks for a Java class there")
    if is_java:
        return Running(None, "Jython runs it if it is not older than its source")
    if not name.tag:
        found = _find_beside(name, header, fitting)
        if in_cache and found.answer is not False:
            return Running(None, f"only where `__pycache__` itself is on the path; {found.why}")
        return found
    if not tag_fits(name.tag, header.magic):
        return Running(False, "the interpreter whose tag it bears takes another magic number")
    if keeps_beside(header.magic) and not name.pytest:
        return Running(False, "Python before 3.2 looks for its caches beside the sources")
    if fitting is None:
        return _WITHOUT_SOURCE
    if name.suffix == ".pyo" and not (name.pytest or _has_pyo(header.magic)):
        return _NO_PYO
    answer = _ANSWERS[fitting.standing]
    if not in_cache:
        return Running(answer and None, f"only below PYTHONPYCACHEPREFIX; {fitting.why}")
    if name.implementation == "PyPy" and writes_other_code(name.tag, header.magic):
        few = "only in releases of PyPy that took the magic number of CPython (pypy/pypy#3782)"
        return Running(answer and None, f"{few}; {fitting.why}")
    return Running(answer, fitting.why + _condition(name))


def run_without_header(
    name: CacheName | None, data: bytes, error: InvalidHeader, *, has_source: bool
) -> Running:
    """Tell what becomes of a file whose header `parse_header` refused with `error`.

    Import compiles the source anew where it refuses a cache, and fails where there is no source.
    `data` is the file's first bytes.
    """
    if name is None:
        return Running(
            False, "no import looks for such a name, and it holds no bytecode known here"
        )
    if name.is_temporary:
        return _TEMPORARY
    if magics.lookup(data) is None and data[2:4] == CRLF:
        return Running(None, "which interpreter takes its magic number is not known here")
    if name.tag:
        if not has_source:
            return _WITHOUT_SOURCE
        return Running(False, "import compiles the source anew")
    if name.suffix == "$py.class":
        return Running(False, "it is no Java class")
    if has_source:
        return Running(False, "import takes the source beside it")
    exception = "EOFError" if str(error).startswith("reached EOF") else "ImportError"
    return Running(False, f"import fails with {exception} ({error})")


def _find_beside(name: CacheName, header: Header, fitting: Fit | None) -> Running:
    """Return what happens to a legacy file.

    It is a cache before Python 3.2; later Pythons import it where there is no source.
    """
    is_cache = keeps_beside(header.magic)
    if name.suffix == ".pyo" and not is_cache:
        return _NO_PYO
    if fitting is None:
        return Running(True, "there is no source beside it")
    if not is_cache:
        return Running(False, "the source beside it comes first")
    optimized = " (with -O)" if name.suffix == ".pyo" else ""
    return Running(_ANSWERS[fitting.standing], fitting.why + optimized)


def keeps_beside(magic: Magic) -> bool:
    """Whether an interpreter keeps caches beside their sources: before PEP 3147, Python 3.2."""
    return magic.version < "3" or magic.version in ("3.0", "3.1")


def _has_pyo(magic: Magic) -> bool:
    """Whether an interpreter writes `.pyo` into `__pycache__`: from PEP 3147 up to PEP 488."""
    return magic.version in ("3.2", "3.3", "3.4")


def _condition(name: CacheName) -> str:
    """Return who looks for it, where that is not a plain `python`."""
    if name.pytest:
        return f" ({name.pytest_writer} runs it)"
    if name.suffix == ".pyo":
        return " (with -O)"
    if name.optimization == "1":
        return " (with -O)"
    if name.optimization == "2":
        return " (with -OO)"
    return f" (where .opt-{name.optimization} is looked for)" if name.optimization else ""
