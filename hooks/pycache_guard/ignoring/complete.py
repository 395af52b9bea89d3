"""Complete the top `.gitignore`: append what is missing, prove that it helps, then write."""

from __future__ import annotations

import os
from typing import NamedTuple

from pycache_guard.bytecode.probes import MISSING
from pycache_guard.bytecode.probes import PATTERNS
from pycache_guard.bytecode.probes import WRITERS
from pycache_guard.bytecode.probes import lines_for
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
from pycache_guard.remedies import program
from pycache_guard.repair import held_by
from pycache_guard.repair import replaceable
from pycache_guard.repair import rewrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycache_guard.bytecode.probes import ProbeChoice
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
    #: As in `IgnoreCheck`.
    directories: int = 0
    #: What is on disk is complete: only staging is left.
    is_only_unstaged: bool = False

    def foretold(self) -> list[Finding]:
        """Return the findings of a run that writes nothing."""
        return self._told("would add", f"{program()} fix", is_fixed=False)

    def carried_out(self) -> list[Finding]:
        """Write, and return the findings. Raises `Failure` where the file cannot be replaced."""
        if self.content:
            rewrite(self.path, self.old, self.content)
        return self._told("added", self.stage, is_fixed=True)

    def _told(self, verb: str, remedy: str, *, is_fixed: bool) -> list[Finding]:
        if not self.content:
            return self.left
        message = f"{verb} {', '.join(f'`{pattern}`' for pattern in self.patterns)}"
        return [Finding(NAME, Rule.PYC101, message, remedy, is_fixed=is_fixed), *self.left]


class IgnoreCheck(NamedTuple):
    """The result of `check-gitignore`."""

    findings: list[Finding]
    #: The number of directories that were asked about; the top and one that does not exist included.
    directories: int
    #: What would be good to ignore as well; empty where everything is, or where findings come first.
    advice: str = ""


def prove(index: Index, probes: ProbeChoice) -> IgnoreCheck:
    """Check that bytecode is ignored by the rules in the index.

    Probes that are only recommended are looked at where nothing required is missing.
    """
    root = work_tree()
    found = tracked(index)
    directories = len({b"", MISSING, *found.modules})
    missing = gaps(found.modules, found.rules, probes.required)
    if missing:
        return IgnoreCheck(explained(missing, found, root), directories)
    advised = gaps(found.modules, found.rules, probes.advised) if probes.advised else []
    return IgnoreCheck([], directories, describe_advice(gap.kind for gap in advised))


def describe_advice(kinds: Iterable[str]) -> str:
    """Return one sentence that recommends the lines for `kinds`; empty for none."""
    wanted = {*kinds}
    reasons = [
        f"`{PATTERNS[kind].decode('ascii')}` ({WRITERS[kind]})"
        for kind in PATTERNS
        if kind in wanted
    ]
    if not reasons:
        return ""
    return f"Advice: .gitignore could also have {' and '.join(reasons)}; `--strict` requires it."


def completion(index: Index, probes: ProbeChoice) -> Completion:
    """Plan what to append to the top `.gitignore`.

    Only the top file is ever written, and only if that ignores more than before: a nested file that
    defeats it is named and left alone. Nothing is appended where nothing required is missing; where
    something is, the recommended lines are appended as well. Raises `Failure` where the file cannot
    be completed.
    """
    root = work_tree()
    found = tracked(index)
    directories = len({b"", MISSING, *found.modules})
    proven = gaps(found.modules, found.rules, probes.required)
    if not proven:
        return Completion([], directories=directories)
    kinds = (*probes.required, *probes.advised)
    if TOP in found.recoded:  # what is appended would be turned into UTF-16 too
        return Completion(explained(proven, found, root), directories=directories)
    path = os.path.join(root, NAME)
    on_disk = present(path)
    old = found.rules.get(TOP, b"") if on_disk is None else on_disk
    open_now = gaps(found.modules, {**found.rules, TOP: old}, kinds)
    missing = lines_for(gap.kind for gap in open_now)
    new = completed(old, missing)
    after = found._replace(rules={**found.rules, TOP: new})
    open_then = gaps(found.modules, after.rules, kinds)
    if len(open_then) == len(open_now):  # not staged, or defeated by a nested file
        return Completion(
            explained(proven, found, root),
            stage=Mending(found, root).stage(TOP),
            directories=directories,
            is_only_unstaged=not any(gap.kind in probes.required for gap in open_now),
        )
    left = explained([gap for gap in open_then if gap.kind in probes.required], after, root)
    patterns = tuple(pattern.decode("ascii") for pattern in missing)
    stage = Mending(found, root).stage(TOP)
    return Completion(left, path, on_disk, new, patterns, stage, directories)


def present(path: str) -> bytes | None:
    """Return what the file holds, `None` where it is not on disk.

    In a sparse checkout that says nothing of what is tracked: nothing of it must be lost. Raises
    `Failure` if it is no text file.
    """
    held = held_by(path) if replaceable(path) else None
    encoding = wide_encoding(held or b"")
    if encoding:
        raise Failure(
            f"{NAME}: is {encoding}; git cannot read patterns in it: convert it to UTF-8 first"
        )
    return held
