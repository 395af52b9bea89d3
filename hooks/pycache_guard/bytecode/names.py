"""Recognize bytecode paths by name alone.

Names: PEP 3147 (`__pycache__`, tags), PEP 488 (`.opt-N`), Jython's `$py.class`, and the temporary
files `NAME.pyc.<id>` that `importlib._bootstrap_external._write_atomic` leaves when it is killed.
Paths are git paths: bytes of any encoding, with `/` between parts. Every commit runs this module, so
it imports nothing.
"""

from __future__ import annotations


def may_contain_bytecode(text: bytes) -> bool:
    """Return whether `text`, a path or a whole listing of paths, may contain a bytecode path.

    False is certain; `is_bytecode_path` must confirm True for each path. Thus a clean run of a
    million paths costs a few searches instead of a loop.
    """
    lowered = text.lower()
    return (
        b"__pycache__" in lowered
        or b".pyc" in lowered
        or b".pyo" in lowered
        # One byte is found six times faster than a word (memchr(3)).
        or (b"$" in lowered and b"$py.class" in lowered)
    )


def is_bytecode_path(path: bytes) -> bool:
    """Return whether `path` is a bytecode path: rule PYC001.

    True for every path in a directory named `__pycache__`, for that name itself, and for `*.pyc`,
    `*.pyo`, `*$py.class` and a leftover `*.pyc.<digits>`. Case is ignored, because Python opens
    `X.PYC` on a case-insensitive file system.
    """
    lowered = path.lower()
    if lowered.endswith((b".pyc", b".pyo", b"$py.class")):
        return True
    if b"__pycache__" in lowered and b"__pycache__" in lowered.split(b"/"):
        return True
    stem, _, suffix = lowered.rpartition(b".")
    return suffix.isdigit() and stem.endswith(b".pyc")
