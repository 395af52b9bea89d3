"""Append missing patterns to an ignore file of git or Docker, and prove that they have an effect."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.bytecode.probes import lines_for
from pycache_guard.errors import Failure
from pycache_guard.fs.atomic import read_if_exists
from pycache_guard.fs.atomic import stat_replaceable
from pycache_guard.gitignore.patterns import append_patterns
from pycache_guard.gitignore.patterns import detect_utf16_32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from collections.abc import Sequence

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


def complete(
    old: bytes,
    find_unignored: Callable[[bytes], Sequence[UnignoredPath]],
    lines: Mapping[str, bytes],
    *,
    cache_contents: bytes = b"",
) -> Completion:
    """Return `old`, the content of an ignore file, completed for what `find_unignored` returns.

    `lines` are the patterns by probe. `cache_contents` is appended as well if they leave a probe in
    `__pycache__` unignored.
    """
    before = find_unignored(old)
    patterns = lines_for((gap.kind for gap in before), lines)
    content = append_patterns(old, patterns)
    after = find_unignored(content)
    if cache_contents and any(b"__pycache__/" in gap.probe for gap in after):
        patterns = [*patterns, cache_contents]
        content = append_patterns(old, patterns)
        after = find_unignored(content)
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
