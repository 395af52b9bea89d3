"""Which paths are bytecode's, by name alone.

Names: PEP 3147 (`__pycache__`, tags), PEP 488 (`.opt-N`), Jython's `$py.class`, and the temporary
files `NAME.pyc.<id>` that `importlib._bootstrap_external._write_atomic` leaves when it is killed.
Paths are git's: bytes of any encoding, `/` between parts. This module is on the way of every
commit and therefore imports nothing.
"""

from __future__ import annotations

#: What every path of bytecode holds somewhere, in lower case.
SUBSTRINGS = (b"__pycache__", b".pyc", b".pyo", b"$py.class")


def may_contain_bytecode(text: bytes) -> bool:
    """Tell whether `text`, a path or a whole listing of paths, can name bytecode at all.

    Never wrong when it says no; a yes is for `is_bytecode_path` to confirm, path by path. This is
    what makes a clean run of a million paths cost a few searches instead of a loop.
    """
    lowered = text.lower()
    return any(mark in lowered for mark in SUBSTRINGS)


def is_bytecode_path(path: bytes) -> bool:
    """Tell whether `path` is bytecode's: rule PYC001.

    True for anything in a directory named `__pycache__` and for such a name itself, for `*.pyc`,
    `*.pyo`, `*$py.class` and a leftover `*.pyc.<digits>`, all in any case: on a case-insensitive
    file system Python opens `X.PYC` too.
    """
    *directories, name = path.lower().split(b"/")
    if name == b"__pycache__" or b"__pycache__" in directories:
        return True
    if name.endswith((b".pyc", b".pyo", b"$py.class")):
        return True
    stem, _, suffix = name.rpartition(b".")
    return suffix.isdigit() and stem.endswith(b".pyc")
