"""Complete the top `.gitignore`: append what is missing, prove that it helps, then write."""

from __future__ import annotations

import os
from typing import NamedTuple

from pycache_guard.bytecode.probes import PATTERNS
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.git.repository import work_tree
from pycache_guard.ignorefiles.gitignore import completed
from pycache_guard.ignorefiles.gitignore import wide_encoding
from pycache_guard.ignoring.blame import TOP
from pycache_guard.ignoring.explain import explained
from pycache_guard.ignoring.mending import Mending
from pycache_guard.ignoring.modules import tracked
from pycache_guard.ignoring.proof import gaps
from pycache_guard.repair import held_by
from pycache_guard.repair import replaceable
from pycache_guard.repair import rewrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.git.index import Index

NAME = os.fsdecode(TOP)


class Completion(NamedTuple):
    """What to do to the top `.gitignore`, and what that leaves to be done by a person."""

    left: list[Finding]
    path: str = ""
    #: What the file holds, `None` where it is not on disk.
    old: bytes | None = None
    #: The whole new content, empty where there is nothing to write.
    content: bytes = b""
    patterns: tuple[str, ...] = ()
    #: The command that stages it.
    stage: str = ""

    def foretold(self) -> list[Finding]:
        """Return the findings of a run that writes nothing."""
        return self._told("would add", "pycache-guard fix")

    def carried_out(self) -> list[Finding]:
        """Write, and return the findings. Raises `Failure` where the file cannot be replaced."""
        if self.content:
            rewrite(self.path, self.old, self.content)
        return self._told("added", self.stage)

    def _told(self, verb: str, remedy: str) -> list[Finding]:
        if not self.content:
            return self.left
        message = f"{verb} {', '.join(f'`{pattern}`' for pattern in self.patterns)}"
        return [Finding(NAME, Rule.PYC101, message, remedy), *self.left]


def prove(index: Index, kinds: Sequence[str]) -> list[Finding]:
    """Return what keeps bytecode of `kinds` from being ignored, by the rules in the index."""
    root = work_tree()
    found = tracked(index)
    return explained(gaps(found.modules, found.rules, kinds), found, root)


def completion(index: Index, kinds: Sequence[str]) -> Completion:
    """Plan what to append to the top `.gitignore`.

    Only the top file is ever written, and only if that ignores more than before: a nested file that
    defeats it is named and left alone. Raises `Failure` where the file cannot be completed.
    """
    root = work_tree()
    found = tracked(index)
    proven = gaps(found.modules, found.rules, kinds)
    if not proven:
        return Completion([])
    if TOP in found.recoded:  # what is appended would be turned into UTF-16 too
        return Completion(explained(proven, found, root))
    path = os.path.join(root, NAME)
    on_disk = present(path)
    old = found.rules.get(TOP, b"") if on_disk is None else on_disk
    open_now = gaps(found.modules, {**found.rules, TOP: old}, kinds)
    missing = [
        pattern for kind, pattern in PATTERNS.items() if any(g.kind == kind for g in open_now)
    ]
    new = completed(old, missing)
    after = found._replace(rules={**found.rules, TOP: new})
    open_then = gaps(found.modules, after.rules, kinds)
    if len(open_then) == len(open_now):  # not staged, or defeated by a nested file
        return Completion(explained(proven, found, root))
    left = explained(open_then, after, root)
    patterns = tuple(pattern.decode("ascii") for pattern in missing)
    return Completion(left, path, on_disk, new, patterns, Mending(found, root).stage(TOP))


def present(path: str) -> bytes | None:
    """Return what the file holds, `None` where it is not on disk.

    In a sparse checkout that says nothing of what is tracked: nothing of it must be lost. Raises
    `Failure` if it is no text file.
    """
    held = held_by(path) if replaceable(path) else None
    encoding = wide_encoding(held or b"")
    if encoding:
        raise Failure(f"{NAME}: is {encoding}, of which git reads no pattern: make it UTF-8 first")
    return held
