"""Whether Python would run a bytecode file instead of its source, and why.

Sources: CPython `Lib/importlib/_bootstrap_external.py` (`FileFinder`, `SourceLoader.get_code`), PEP 3147;
`Python/import.c` of 2.7.
"""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.bytecode.cache_names import tag_fits
from pycache_guard.bytecode.fit import Standing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.fit import Fit
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic


class Running(NamedTuple):
    """Whether, and why."""

    #: `None` where it depends on what the file does not tell.
    answer: bool | None
    why: str


_ANSWERS = {Standing.RUNS: True, Standing.MAY_RUN: None, Standing.STALE: False}


def running(
    name: CacheName | None, header: Header, fitting: Fit | None, *, in_cache: bool
) -> Running:
    """Tell what the interpreter of the file's own magic does with it.

    `fitting` is `None` where there is no source; `in_cache` tells whether the file is in a directory
    `__pycache__`.
    """
    if name is None:
        return Running(False, "no import looks for such a name; `python FILE` runs it")
    if name.is_temporary:
        return Running(False, "a writer left it under a temporary name, which no import looks for")
    if name.suffix == "$py.class":
        return Running(None, "Jython runs it if it is not older than its source")
    if not name.tag:
        return _beside(name, header, fitting)
    if not tag_fits(name.tag, header.magic):
        return Running(False, "the interpreter whose tag it bears takes another magic number")
    if fitting is None:
        return Running(False, "its source is not there, and a cache is not looked for without")
    answer = _ANSWERS[fitting.standing]
    if not in_cache:
        return Running(answer and None, f"only below PYTHONPYCACHEPREFIX; {fitting.why}")
    return Running(answer, fitting.why + _condition(name))


def _beside(name: CacheName, header: Header, fitting: Fit | None) -> Running:
    """Judge a legacy file: a cache before Python 3.2, and what is imported without a source."""
    is_cache = keeps_beside(header.magic)
    if name.suffix == ".pyo" and not is_cache:
        return Running(False, "since Python 3.5 no import looks for .pyo")
    if fitting is None:
        return Running(True, "there is no source beside it")
    if not is_cache:
        return Running(False, "the source beside it comes first")
    optimized = " (with -O)" if name.suffix == ".pyo" else ""
    return Running(_ANSWERS[fitting.standing], fitting.why + optimized)


def keeps_beside(magic: Magic) -> bool:
    """Whether an interpreter keeps caches beside their sources: before PEP 3147, Python 3.2."""
    return magic.version < "3" or magic.version in ("3.0", "3.1")


def _condition(name: CacheName) -> str:
    """Say who looks for it, where that is not a plain `python`."""
    if name.pytest:
        return f" (pytest {name.pytest} runs it)"
    if name.optimization == "1":
        return " (with -O)"
    if name.optimization == "2":
        return " (with -OO)"
    return f" (where .opt-{name.optimization} is looked for)" if name.optimization else ""
