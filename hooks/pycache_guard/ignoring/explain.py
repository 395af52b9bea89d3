"""From gaps to findings: which rule, which file, which line is to blame."""

from __future__ import annotations

import os

from pycache_guard.bytecode.probes import IN_CACHE
from pycache_guard.bytecode.probes import INVENTED
from pycache_guard.bytecode.probes import MISSING
from pycache_guard.bytecode.probes import PATTERNS
from pycache_guard.bytecode.probes import WRITERS
from pycache_guard.bytecode.probes import lines_for
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.ignorefiles.gitignore import wide_encoding
from pycache_guard.ignoring.blame import TOP
from pycache_guard.ignoring.blame import blamed
from pycache_guard.ignoring.blame import culprits
from pycache_guard.ignoring.blame import is_private
from pycache_guard.ignoring.blame import target
from pycache_guard.ignoring.inert import inert_lines
from pycache_guard.ignoring.mending import Mending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence
    from typing import TypeVar

    from pycache_guard.ignoring.modules import Tracked
    from pycache_guard.ignoring.proof import Gap

    Key = TypeVar("Key", bytes, tuple[bytes, bytes, bytes])


def explained(gaps: Sequence[Gap], tracked: Tracked, top: str) -> list[Finding]:
    """Return what is wrong; nothing where there is no gap.

    The work tree on disk, at `top`, is looked at only to explain, and to choose the command.
    """
    return Explanation(blamed(gaps, tracked.rules), tracked, top).findings() if gaps else []


class Explanation:
    """Gaps, and what is known of the ignore files that leave them."""

    def __init__(self, gaps: Sequence[Gap], tracked: Tracked, top: str) -> None:
        self._gaps = gaps
        self._tracked = tracked
        self._mending = Mending(tracked, top)
        #: One of each sort.
        self._sample = [*{(g.kind, g.directory, g.file): g for g in gaps}.values()]
        self._here = culprits(self._sample, tracked.rules, top)

    def findings(self) -> list[Finding]:
        """Return what is wrong."""
        return [
            *self._missing(),
            *self._reincluded(),
            *self._inert_files(),
            *self._foreign_files(),
            *self._inert_patterns(),
        ]

    def _missing(self) -> Iterator[Finding]:
        """PYC101. Where even a directory that nobody has is not covered, none is: said once."""
        silent = [gap for gap in self._gaps if not gap.pattern]
        everywhere = {gap.kind for gap in silent if gap.directory == MISSING}
        if everywhere:
            yield self._not_ignored(TOP, [gap for gap in silent if gap.kind in everywhere])
        elsewhere = [gap for gap in silent if gap.kind not in everywhere]
        for directory, group in grouped(elsewhere, lambda gap: gap.directory):
            yield self._not_ignored(directory or b".", group)

    def _not_ignored(self, place: bytes, gaps: list[Gap]) -> Finding:
        """Return PYC101: how many lines are missing, which, and why."""
        message = describe_missing_lines(gaps, here=place != TOP)
        if not self._tracked.modules:
            message += "; no Python file is tracked, but whatever runs Python here writes some"
        return Finding(os.fsdecode(place), Rule.PYC101, message, self._mend(TOP))

    def _reincluded(self) -> Iterator[Finding]:
        """PYC102, once for each rule."""
        negated = [gap for gap in self._gaps if gap.pattern]
        for (file, line, rule), gaps in grouped(negated, lambda g: (g.file, g.line, g.pattern)):
            path, number = os.fsdecode(file), int(line)
            yield Finding(
                path,
                Rule.PYC102,
                f"`{os.fsdecode(rule)}` re-includes bytecode: {examples(gaps)}",
                self._mend(file),
                line=number,
            )

    def _inert_files(self) -> Iterator[Finding]:
        """PYC103: tracked, but git reads no rule in it."""
        targets = {target(gap) for gap in self._sample}
        for file, why in self._tracked.not_files.items():
            remedy = self._mend(file) if file in targets else self._mending.untrack(file)
            yield Finding(os.fsdecode(file), Rule.PYC103, why, remedy)
        for file, encoding in self._tracked.recoded.items():
            why = f"is checked out as {encoding}; git cannot read patterns in it"
            yield Finding(os.fsdecode(file), Rule.PYC103, why, self._mend(file))
        for file, content in self._tracked.rules.items():
            if wide := wide_encoding(content):
                why = f"is {wide}; git cannot read patterns in it"
                text = self._mending.to_text(file, wide)
                remedy = self._mend(file) if file in targets else text
                yield Finding(os.fsdecode(file), Rule.PYC103, why, remedy)

    def _foreign_files(self) -> Iterator[Finding]:
        """PYC103: git honours it here, and nowhere else."""
        for file in sorted({file for _, file in self._here} - self._tracked.recoded.keys()):
            name = os.fsdecode(file)
            if is_private(file):
                why, remedy = "ignores bytecode for this person only", self._mend(TOP)
            else:
                staged = file in self._tracked.rules
                why = "has rules that are not staged" if staged else "is not tracked"
                remedy = self._mend(file) if file == TOP else self._mending.stage(file)
            yield Finding(name, Rule.PYC103, why, remedy)

    def _inert_patterns(self) -> Iterator[Finding]:
        """PYC104: lines that would have helped, had they been written otherwise."""
        mended = {file: self._could_mend(file) for file in self._tracked.rules}
        for file, number, line, why in inert_lines(
            {file: content for file, content in self._tracked.rules.items() if mended[file]}
        ):
            message = f"`{os.fsdecode(line)}` matches no bytecode: {why}"
            remedy = self._mend(mended[file] or TOP)
            yield Finding(os.fsdecode(file), Rule.PYC104, message, remedy, line=number)

    def _could_mend(self, path: bytes) -> bytes | None:
        """Return the file to mend a gap in that a line of `path` could have closed."""
        place = directory_of(path)
        targets = {
            target(gap)
            for gap in self._sample
            if is_below(gap.directory, place)
            and (path == gap.file or not is_below(directory_of(gap.file), place) or not gap.file)
        }
        return path if path in targets else min(targets, default=None)

    def _mend(self, file: bytes) -> str:
        """Return the command that closes the gaps which are to be closed in `file`.

        Where it is changed on disk, and ignores there, it need only be staged.
        """
        if file in self._tracked.recoded:
            return self._mending.stop_recoding(file)
        here = {(gap.kind, gap.directory) for gap, culprit in self._here if culprit == file}
        kinds = {
            gap.kind
            for gap in self._sample
            if target(gap) == file and (gap.kind, gap.directory) not in here
        }
        patterns = [line.decode("ascii") for line in lines_for(kinds)]
        return self._mending.append(file, patterns) if patterns else self._mending.stage(file)


def directory_of(path: bytes) -> bytes:
    """Return the directory of a file, `b""` for the top."""
    return path.rpartition(b"/")[0]


def is_below(directory: bytes, place: bytes) -> bool:
    """Whether `directory` is `place` or below it."""
    return not place or directory == place or directory.startswith(place + b"/")


def grouped(gaps: Iterable[Gap], key: Callable[[Gap], Key]) -> list[tuple[Key, list[Gap]]]:
    """Return gaps by key, sorted by key."""
    groups: dict[Key, list[Gap]] = {}
    for gap in gaps:
        groups.setdefault(key(gap), []).append(gap)
    return sorted(groups.items(), key=lambda item: item[0])


def describe_missing_lines(gaps: Sequence[Gap], *, here: bool) -> str:
    """Return which lines are missing for `gaps` and why; `here` if only for their directory."""
    writers: dict[bytes, str] = {}
    kinds = {gap.kind for gap in gaps}
    for kind, pattern in PATTERNS.items():
        if kind in kinds:
            writers.setdefault(pattern, WRITERS[kind])
    lines = [f"`{pattern.decode('ascii')}` ({why})" for pattern, why in writers.items()]
    count = "1 line is missing" if len(lines) == 1 else f"{len(lines)} lines are missing"
    real = next((gap.probe for gap in gaps if INVENTED not in gap.probe), None) if here else None
    example = f"; it would ignore {os.fsdecode(real)}" if real else ""
    return f"{count}{' for this directory' * here}: {', '.join(lines)}{example}"


def examples(gaps: Sequence[Gap]) -> str:
    """Name a path of a module that exists and the number of others, or the directory."""
    real = sorted({gap.probe for gap in gaps if INVENTED not in gap.probe})
    if not real:
        kinds = {gap.kind for gap in gaps}
        names = "caches" if kinds <= {*IN_CACHE} else "NAME.pyc"
        places = sorted({gap.directory for gap in gaps if gap.directory != MISSING})
        where = os.fsdecode(places[0] or b"the top directory") if places else "any directory"
        return f"{names} in {where}"
    first = os.fsdecode(real[0])
    return f"{first} and {len(real) - 1} more" if len(real) > 1 else first
