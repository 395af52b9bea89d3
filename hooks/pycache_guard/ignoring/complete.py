"""Complete the top `.gitignore`: append what is missing, prove that it helps, then write."""

from __future__ import annotations

import os

from pycache_guard.bytecode.probes import PATTERNS
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.git.repository import work_tree
from pycache_guard.ignorefiles.gitignore import completed
from pycache_guard.ignorefiles.gitignore import encoding_fault
from pycache_guard.ignoring.explain import Explanation
from pycache_guard.ignoring.modules import tracked
from pycache_guard.ignoring.proof import gaps
from pycache_guard.repair import replaceable
from pycache_guard.repair import write_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.git.index import Index

NAME = ".gitignore"
TOP = os.fsencode(NAME)


def prove(index: Index, kinds: Sequence[str]) -> list[Finding]:
    """Return what keeps bytecode of `kinds` from being ignored, by the rules in the index."""
    found = tracked(index)
    left = gaps(found.modules, found.rules, kinds)
    return Explanation(left, found, work_tree()).findings()


def complete(index: Index, kinds: Sequence[str], *, write: bool = True) -> list[Finding]:
    """Append to the top `.gitignore` what is missing; return what was done and what is still wrong.

    Only the top file is written, and only if that ignores more than before: a nested file that
    defeats it is named and left alone. Without `write` nothing is changed. Raises `Failure` where
    the file cannot be completed.
    """
    found = tracked(index)
    proven = gaps(found.modules, found.rules, kinds)
    if not proven:
        return []
    root = work_tree()
    path = os.path.join(root, NAME)
    old = present(path)
    on_disk = found._replace(rules={**found.rules, TOP: old})
    open_now = gaps(found.modules, on_disk.rules, kinds)
    missing = [
        pattern for kind, pattern in PATTERNS.items() if any(g.kind == kind for g in open_now)
    ]
    new = completed(old, missing)
    after = found._replace(rules={**found.rules, TOP: new})
    open_then = gaps(found.modules, after.rules, kinds)
    if len(open_then) == len(open_now):  # not staged, or defeated by a nested file
        return Explanation(proven, found, root).findings()
    if write:
        write_whole(path, new)
    patterns = ", ".join(f"`{pattern.decode()}`" for pattern in missing)
    done = (
        Finding(NAME, Rule.PYC101, f"added {patterns}", f"git add -- {NAME}")
        if write
        else Finding(NAME, Rule.PYC101, f"would add {patterns}", "pycache-guard fix")
    )
    return [done, *Explanation(open_then, after, root).findings()]


def present(path: str) -> bytes:
    """Return what the file holds, nothing if it is not there. Raises `Failure` if it is no text file."""
    if not replaceable(path):
        return b""
    with open(path, "rb") as file:
        content = file.read()
    why = encoding_fault(content)
    if why:
        raise Failure(f"{NAME}: {why}: make it a text file in UTF-8 first")
    return content
