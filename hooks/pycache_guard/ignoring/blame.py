"""Which file is to blame for a gap: where it is to be closed, and what closes it here alone."""

from __future__ import annotations

import os
import stat

from pycache_guard.bytecode.probes import IN_CACHE
from pycache_guard.bytecode.probes import INVENTED
from pycache_guard.git.ignore import Ignoring
from pycache_guard.git.ignore import rules_here
from pycache_guard.git.process import GitFailure
from pycache_guard.ignoring.proof import Gap
from pycache_guard.regular import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

TOP = b".gitignore"

#: How many directories are looked at on this machine for rules that others do not have.
LOOKED_AT = 1000


def blamed(gaps: Sequence[Gap], rules: Mapping[bytes, bytes]) -> list[Gap]:
    """Return gaps with the rule that takes back in their `__pycache__`, where none speaks of them.

    Git names such a rule only for a directory that is there, and asked about by itself.
    """
    silent = {gap.directory for gap in gaps if gap.kind in IN_CACHE and not gap.pattern}
    if not silent or not any(b"!" in content for content in rules.values()):
        return [*gaps]
    caches = [os.path.join(directory, b"__pycache__") for directory in silent]
    there = {os.path.join(cache, INVENTED): b"" for cache in caches}
    with Ignoring({**rules, **there}) as ignoring:
        answers = zip(silent, ignoring.rules(caches), strict=True)
        negated = {directory: rule for directory, rule in answers if rule[2].startswith(b"!")}
    return [
        Gap(gap.kind, gap.directory, gap.probe, *negated[gap.directory])
        if gap.kind in IN_CACHE and not gap.pattern and gap.directory in negated
        else gap
        for gap in gaps
    ]


def target(gap: Gap) -> bytes:
    """Return the file in which a gap is to be closed: no other comes after it."""
    return gap.file or TOP


def culprits(
    gaps: Sequence[Gap], rules: Mapping[bytes, bytes], top: str
) -> list[tuple[Gap, bytes]]:
    """Return the gaps that are none on this machine, with the file that makes the difference.

    That is a file outside the work tree, or one whose content on disk is not that of the index.
    """
    looked_at = gaps[:LOOKED_AT]
    if any(map(is_pipe, read_for([gap.probe for gap in looked_at], top))):
        return []
    try:
        answers = rules_here(top, [gap.probe for gap in looked_at])
    except GitFailure:  # a directory of the index is a link or a submodule on disk
        return []
    return [
        (gap, candidate)
        for gap, (file, _, pattern) in zip(looked_at, answers, strict=True)
        if pattern and not pattern.startswith(b"!")
        for candidate in [file, *[gap.file] * (gap.file != file)]
        if is_private(candidate) or is_changed(top, candidate, rules)
    ]


def read_for(probes: Iterable[bytes], top: str) -> Iterator[bytes]:
    """Yield the ignore files of the work tree at `top` that git opens, if they are there."""
    seen: set[bytes] = set()
    for probe in probes:
        directory = os.path.dirname(probe)
        while directory not in seen:
            seen.add(directory)
            yield os.path.join(os.fsencode(top), directory, TOP)
            directory = os.path.dirname(directory)


def is_pipe(path: bytes) -> bool:
    """Whether git would wait here for somebody to write."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False


def is_changed(top: str, file: bytes, rules: Mapping[bytes, bytes]) -> bool:
    """Whether an ignore file is on disk, and not as the index has it; line ends do not count."""
    try:
        with opened(os.path.join(os.fsencode(top), file)) as present:
            content = present.read()
    except OSError:
        return False
    staged = rules.get(file)
    return staged is None or staged.replace(b"\r\n", b"\n") != content.replace(b"\r\n", b"\n")


def is_private(file: bytes) -> bool:
    """Whether git names a file of rules that is not in the work tree: no one else has it."""
    return os.path.isabs(file) or file.rpartition(b"/")[2] not in (b".gitignore", b"")
