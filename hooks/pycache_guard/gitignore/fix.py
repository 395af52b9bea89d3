"""Complete an ignore file: append missing lines, prove that they help, then write.

`complete_ignore_file` serves `.gitignore` and `.dockerignore`; the rest is about the top `.gitignore`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.probes import PATTERNS, UNTRACKED_DIR, describe_advice, lines_for
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding, Rule
from pycache_guard.fs.atomic import read_if_exists, rewrite_atomic, stat_replaceable
from pycache_guard.git.objects import ObjectReader, find_blobs, read_blob
from pycache_guard.git.repository import require_toplevel
from pycache_guard.gitignore.explain import TOP_GITIGNORE, explain
from pycache_guard.gitignore.fix_commands import FixCommands
from pycache_guard.gitignore.patterns import append_patterns, detect_utf16_32
from pycache_guard.gitignore.project import read_project
from pycache_guard.gitignore.proof import find_unignored
from pycache_guard.remedies import program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pycache_guard.bytecode.probes import ProbeChoice
    from pycache_guard.git.index import Index
    from pycache_guard.gitignore.check import IgnoreCheck
    from pycache_guard.gitignore.project import Project
    from pycache_guard.gitignore.proof import UnignoredPath


class Completion(NamedTuple):
    """An ignore file with appended patterns."""

    content: bytes
    #: The appended patterns.
    patterns: Sequence[bytes]
    #: The probes that are not ignored without, and with, the appended patterns.
    before: Sequence[UnignoredPath]
    after: Sequence[UnignoredPath]

    @property
    def is_effective(self) -> bool:
        """Return whether the appended patterns exclude more probes."""
        return len(self.after) < len(self.before)


def complete_ignore_file(
    old: bytes,
    find_gaps: Callable[[bytes], Sequence[UnignoredPath]],
    lines: Mapping[str, bytes],
    *,
    cache_contents: bytes = b"",
) -> Completion:
    """Return `old`, the content of an ignore file, completed for what `find_gaps` returns.

    `lines` are the patterns by probe. `cache_contents` is appended as well if they leave a probe in
    `__pycache__` unignored.
    """
    before = find_gaps(old)
    patterns = lines_for((gap.kind for gap in before), lines)
    content = append_patterns(old, patterns)
    after = find_gaps(content)
    if cache_contents and any(b"__pycache__/" in gap.probe for gap in after):
        patterns = [*patterns, cache_contents]
        content = append_patterns(old, patterns)
        after = find_gaps(content)
    return Completion(content, patterns, before, after)


def read_ignore_file(path: str, name: str, reader: str) -> bytes | None:
    """Return the content of an ignore file, `None` if it is not on disk.

    `name` and `reader` are for the message of `Failure`, which is raised for UTF-16 and UTF-32, and
    for a file that cannot be replaced.
    """
    content = read_if_exists(path) if stat_replaceable(path) else None
    encoding = detect_utf16_32(content or b"")
    if encoding:
        raise Failure(
            f"{name}: is {encoding}; {reader} cannot read patterns in it: convert it to UTF-8 first"
        )
    return content


NAME = os.fsdecode(TOP_GITIGNORE)


class GitignoreFix(NamedTuple):
    """The change to the top `.gitignore`, and the findings that it leaves."""

    remaining: list[Finding]
    path: str = ""
    #: The content on disk, None if the file does not exist.
    old: bytes | None = None
    #: The whole new content, empty if there is nothing to write.
    content: bytes = b""
    patterns: tuple[str, ...] = ()
    #: The command that stages it.
    stage: str = ""
    #: As in `IgnoreCheck`.
    directories: int = 0
    #: What is on disk is complete: only staging is left.
    is_only_unstaged: bool = False
    #: Once staged, the file is as HEAD has it: there is nothing to commit.
    is_as_in_head: bool = False

    def preview(self) -> list[Finding]:
        """Return the findings of a run that writes nothing."""
        return self._to_findings("would add", f"{program()} fix", is_fixed=False)

    def apply(self) -> list[Finding]:
        """Write the file and return the findings. Raises `Failure` if it cannot be replaced."""
        if self.content:
            rewrite_atomic(self.path, self.old, self.content)
        return self._to_findings("added", self.stage, is_fixed=True)

    def _to_findings(self, verb: str, remedy: str, *, is_fixed: bool) -> list[Finding]:
        if not self.content:
            return self.remaining
        message = f"{verb} {', '.join(f'`{pattern}`' for pattern in self.patterns)}"
        return [Finding(NAME, Rule.PYC101, message, remedy, is_fixed=is_fixed), *self.remaining]


def find_gaps(index: Index, probes: ProbeChoice) -> IgnoreCheck:
    """Check the same by asking about every module, and explain what is not ignored."""
    from pycache_guard.gitignore.check import IgnoreCheck

    root = require_toplevel()
    found = read_project(index)
    directories = len({b"", UNTRACKED_DIR, *found.modules})
    kinds = (*probes.required, *probes.advised)
    unignored = find_unignored(found.modules, found.ignore_files, kinds)
    missing = [gap for gap in unignored if gap.kind in probes.required]
    if missing:
        return IgnoreCheck(explain(missing, found, root), directories)
    return IgnoreCheck([], directories, describe_advice(gap.kind for gap in unignored))


def plan_fix(index: Index, probes: ProbeChoice) -> GitignoreFix:
    """Plan which lines to append to the top `.gitignore`.

    Only the top file is written, and only if more paths are ignored afterwards; a nested file that
    re-includes bytecode is reported and left alone. If a required line is missing, the recommended
    ones are appended as well; otherwise nothing is. Raises `Failure` if the file cannot be completed.
    """
    root = require_toplevel()
    found = read_project(index)
    directories = len({b"", UNTRACKED_DIR, *found.modules})
    proven = find_unignored(found.modules, found.ignore_files, probes.required)
    if not proven:
        return GitignoreFix([], directories=directories)
    kinds = (*probes.required, *probes.advised)
    if TOP_GITIGNORE in found.recoded:  # what is appended would be turned into UTF-16 too
        return GitignoreFix(explain(proven, found, root), directories=directories)
    path = os.path.join(root, NAME)
    # A sparse checkout may leave the file out, so a missing file is not an empty one.
    on_disk = read_ignore_file(path, NAME, "git")
    old = found.ignore_files.get(TOP_GITIGNORE, b"") if on_disk is None else on_disk

    def replace(content: bytes) -> Project:
        return found._replace(ignore_files={**found.ignore_files, TOP_GITIGNORE: content})

    done = complete_ignore_file(
        old, lambda c: find_unignored(found.modules, replace(c).ignore_files, kinds), PATTERNS
    )
    if not done.is_effective:  # not staged, or defeated by a nested file
        return GitignoreFix(
            explain(proven, found, root),
            stage=FixCommands(found, root).stage(TOP_GITIGNORE),
            directories=directories,
            is_only_unstaged=not any(gap.kind in probes.required for gap in done.before),
            is_as_in_head=is_as_in_head(old),
        )
    remaining = [gap for gap in done.after if gap.kind in probes.required]
    left = explain(remaining, replace(done.content), root)
    patterns = tuple(pattern.decode("ascii") for pattern in done.patterns)
    stage = FixCommands(found, root).stage(TOP_GITIGNORE)
    return GitignoreFix(
        left,
        path,
        on_disk,
        done.content,
        patterns,
        stage,
        directories,
        is_as_in_head=is_as_in_head(done.content),
    )


def is_as_in_head(content: bytes) -> bool:
    """Return whether HEAD has the top `.gitignore` with this content, apart from line ends."""
    reader = ObjectReader(0)
    try:
        blobs = find_blobs("HEAD", [TOP_GITIGNORE], reader)
    finally:
        reader.close()
    return any(
        read_blob(blob).replace(b"\r\n", b"\n") == content.replace(b"\r\n", b"\n")
        for blob in blobs.values()
    )
