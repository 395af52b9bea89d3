"""The public API: read a bytecode file without trusting it, or load one that is verified.

It replaces what tutorials show: skip 16 bytes, `marshal.loads`, `exec`.
"""

from __future__ import annotations

import importlib.util
import marshal
import os
import sys
from typing import TYPE_CHECKING

from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.freshness import Freshness, check_freshness
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.pyc import (
    Pyc,
    UnsupportedFormat,
    code_problem,
    header_problem,
    read_pyc,
)
from pycache_guard.errors import Failure
from pycache_guard.fs import files
from pycache_guard.verify.compare import Target, compare_code, describe_difference
from pycache_guard.verify.stores import DiskStore

if TYPE_CHECKING:
    from types import CodeType

__all__ = [
    "InvalidHeader",
    "LoadError",
    "MarshalError",
    "Pyc",
    "UnsupportedFormat",
    "load_code",
    "read_pyc",
]


class LoadError(Failure):
    """A file that cannot be loaded; the message gives the reason."""


def load_code(path: str | os.PathLike[str], *, optimization: int | None = None) -> CodeType:
    """Return the code of the bytecode file at `path` after verifying that its source compiles to it.

    The file must have the magic number of this interpreter, flags that it writes, and its tag or no
    tag. Its source must exist and match the header by the rules of import. The source is compiled in
    this process, without running it, and compared with the code of the file, which is read as inert data.

    `optimization` is the level that the code must have: 0, 1 (`-O`) or 2 (`-OO`). A cache file states
    its level in its name, and is refused for another one. The name of a legacy `m.pyc` does not; its
    default is the level of this interpreter (`sys.flags.optimize`), as in `compile`. The level is never
    derived from the code, because then the author of the file would choose whether asserts run.

    The result is compiled from the source; the bytes of the file never become code. A file without a
    source cannot be verified and is always refused. Raises `LoadError` with a reason, also for an
    unreadable file, and `ValueError` if `optimization` is not a level.
    """
    if optimization not in (None, 0, 1, 2):
        raise ValueError("optimization must be 0, 1 or 2")
    target, pyc = _open_target(os.fspath(path))
    level = _level(target, optimization)
    try:
        source = target.source.source.read()
        fitting = check_freshness(target.header, target.source.source)
    except Failure as failure:
        raise LoadError(str(failure)) from None
    if fitting.freshness is not Freshness.RUNS:
        raise LoadError(f"{target.path}: stale: {fitting.why}")
    # A random file name cannot occur as a constant in the source.
    name = f"<source {os.urandom(8).hex()}>"
    outcome = compare_code(pyc, marshal.dumps(_compile_source(source, name, level)), name.encode())
    if outcome.result.is_equivalent:
        return _compile_source(source, target.source.path.replace("/", os.sep), level)
    why = outcome.reason or (
        f"{describe_difference(outcome.difference)} differs" if outcome.difference else ""
    )
    at_level = f" at optimization level {level}" if target.is_level_open() else ""
    raise LoadError(f"{target.path}: is not what {target.source.path} compiles to{at_level}: {why}")


def _level(target: Target, optimization: int | None) -> int:
    """Return the optimization level that the code must have. Raises `LoadError`."""
    levels = target.levels()
    if len(levels) > 1 and optimization is None:
        optimization = min(sys.flags.optimize, 2)
    if optimization is None or optimization in levels:
        return levels[0] if optimization is None else optimization
    stated = " or ".join(map(str, levels))
    raise LoadError(
        f"{target.path}: its name states optimization level {stated}, not {optimization}"
    )


def _open_target(path: str) -> tuple[Target, Pyc]:
    """Read the file, find its source, and check the header."""
    shown = path.replace(os.sep, "/")
    try:
        pyc = read_pyc(files.read_file(path))
    except files.UnreadableFile as error:
        raise LoadError(str(error)) from None
    except InvalidHeader as error:
        raise LoadError(f"{path}: {error}") from None
    header, name = pyc.header, parse_cache_name(shown)
    if header.magic.data != importlib.util.MAGIC_NUMBER:
        who = f"{header.magic.implementation} {header.magic.version}"
        raise LoadError(f"{path}: was written by {who}, not by this interpreter")
    flaw = header_problem(header) or code_problem(pyc)
    if flaw:
        raise LoadError(f"{path}: {flaw}")
    if name is None:
        raise LoadError(f"{path}: its name does not show where its source is")
    if name.tag and name.tag.lower() != sys.implementation.cache_tag:
        raise LoadError(f"{path}: has the tag {name.tag}, which is not that of this interpreter")
    if name.is_instrumented:
        raise LoadError(f"{path}: was rewritten by {'pytest' if name.pytest else 'an import hook'}")
    source = DiskStore([]).source_of(shown)
    if source is None:
        raise LoadError(f"{path}: has no source to compare it with")
    return Target(shown, name, header, source), pyc


def _compile_source(source: bytes, name: str, level: int) -> CodeType:
    try:
        code: CodeType = compile(source, name, "exec", dont_inherit=True, optimize=level)
    except (MemoryError, RecursionError, SyntaxError, ValueError) as error:
        raise LoadError(
            f"the source does not compile: {str(error) or type(error).__name__}"
        ) from None
    return code
