"""From gaps to findings: which rule, which file, which line is to blame."""

from __future__ import annotations

import os

from pycache_guard.bytecode.probes import INVENTED
from pycache_guard.bytecode.probes import MISSING
from pycache_guard.bytecode.probes import PATTERNS
from pycache_guard.bytecode.probes import SUFFIXES
from pycache_guard.bytecode.probes import probes
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.git.ignore import Ignoring
from pycache_guard.git.ignore import rules_here
from pycache_guard.git.process import GitFailure
from pycache_guard.ignorefiles.gitignore import encoding_fault
from pycache_guard.ignorefiles.gitignore import fault
from pycache_guard.ignorefiles.gitignore import meant_for_bytecode
from pycache_guard.remedies import append
from pycache_guard.remedies import quoted

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

TOP = b".gitignore"

#: How many directories are looked at on this machine for rules that others do not have.
LOOKED_AT = 1000


class Explanation:
    """Gaps, and what is known of the ignore files that leave them.

    The work tree on disk, at `top`, is looked at only to explain.
    """

    def __init__(self, gaps: Sequence[Gap], tracked: Tracked, top: str) -> None:
        self._gaps = gaps
        self._tracked = tracked
        self._top = top
        #: What leads from the current directory, where commands are run, to the top.
        self._to_top = "" if os.path.samefile(top, os.curdir) else f"{os.path.relpath(top)}/"

    def findings(self) -> list[Finding]:
        """Return what is wrong; nothing where there is no gap."""
        if not self._gaps:
            return []
        return [
            *self._missing(),
            *self._reincluded(),
            *self._inert_files(),
            *self._foreign_files(),
            *self._inert_patterns(),
        ]

    def _missing(self) -> Iterator[Finding]:
        """PYC101. Where even a directory that nobody has is not covered, none is: said once."""
        for kind in SUFFIXES:
            gaps = [gap for gap in self._gaps if gap.kind == kind and not gap.pattern]
            if any(gap.directory == MISSING for gap in gaps):
                yield self._not_ignored(TOP, gaps)
            else:
                for directory, group in grouped(gaps, lambda gap: gap.directory):
                    yield self._not_ignored(directory or b".", group)

    def _not_ignored(self, place: bytes, gaps: list[Gap]) -> Finding:
        message = f"no tracked rule ignores {examples(gaps)}"
        return Finding(os.fsdecode(place), Rule.PYC101, message, self._append(TOP))

    def _reincluded(self) -> Iterator[Finding]:
        """PYC102, once for each rule."""
        negated = [gap for gap in self._gaps if gap.pattern]
        for (file, line, rule), gaps in grouped(negated, lambda g: (g.file, g.line, g.pattern)):
            path, number = os.fsdecode(file), int(line)
            yield Finding(
                path,
                Rule.PYC102,
                f"{path}:{number}: {os.fsdecode(rule)} takes bytecode back in: {examples(gaps)}",
                self._append(file),
                line=number,
            )

    def _inert_files(self) -> Iterator[Finding]:
        """PYC103: tracked, but git reads no rule in it."""
        faults = {
            **self._tracked.not_files,
            **{
                path: why
                for path, data in self._tracked.rules.items()
                if (why := encoding_fault(data))
            },
        }
        for path, why in faults.items():
            name = os.fsdecode(path)
            remedy = f"make {name} a text file in UTF-8; then: {self._add(name)}"
            yield Finding(name, Rule.PYC103, why, remedy)

    def _foreign_files(self) -> Iterator[Finding]:
        """PYC103: git honours it here, and nowhere else."""
        sample = {(gap.kind, gap.directory): gap.probe for gap in self._gaps}
        probes_here = [*sample.values()][:LOOKED_AT]
        try:
            rules = rules_here(self._top, probes_here)
        except GitFailure:  # a directory of the index is a link or a submodule on disk
            return
        files = {file for file, _, pattern in rules if pattern and not pattern.startswith(b"!")}
        for file in files:
            name = os.fsdecode(file)
            if is_private(name):
                yield Finding(
                    name,
                    Rule.PYC103,
                    "ignores bytecode for this person only",
                    "put the rules into the .gitignore at the top: pycache-guard fix",
                )
            else:
                state = (
                    "has rules that are not staged"
                    if file in self._tracked.rules
                    else "is not tracked"
                )
                yield Finding(name, Rule.PYC103, state, self._add(name))

    def _inert_patterns(self) -> Iterator[Finding]:
        """PYC104. What is suspect is put to git alone, in a directory of its own."""
        suspects = [
            (path, number, line, why)
            for path, data in self._tracked.rules.items()
            for number, line in meant_for_bytecode(data)
            if (why := fault(line))
        ]
        for (path, number, line, why), inert in zip(
            suspects, are_inert([line for _, _, line, _ in suspects]), strict=True
        ):
            if inert:
                yield Finding(
                    os.fsdecode(path),
                    Rule.PYC104,
                    f"`{os.fsdecode(line)}` matches no bytecode: {why}",
                    self._append(path),
                    line=number,
                )

    def _add(self, name: str) -> str:
        return f"git add -f -- {quoted(self._to_top + name)}"

    def _append(self, file: bytes) -> str:
        """Return the command that covers every kind that has a gap, from `file` on downwards."""
        content = self._tracked.rules.get(file, b"")
        open_kinds = {gap.kind for gap in self._gaps}
        return append(
            self._to_top + os.fsdecode(file),
            [p.decode("ascii") for kind, p in PATTERNS.items() if kind in open_kinds],
            after_newline=not content or content.endswith(b"\n"),
        )


def grouped(gaps: Iterable[Gap], key: Callable[[Gap], Key]) -> list[tuple[Key, list[Gap]]]:
    """Return gaps by key, sorted by key."""
    groups: dict[Key, list[Gap]] = {}
    for gap in gaps:
        groups.setdefault(key(gap), []).append(gap)
    return sorted(groups.items(), key=lambda item: item[0])


def examples(gaps: Sequence[Gap]) -> str:
    """Name one path, of a module that exists if there is one, and the number of others."""
    real = (gap for gap in gaps if INVENTED not in gap.probe)
    first = os.fsdecode(next(real, gaps[0]).probe)
    return f"{first} and {len(gaps) - 1} more" if len(gaps) > 1 else first


def is_private(file: str) -> bool:
    """Whether git names a file of rules that is not in the work tree: no one else has it."""
    return os.path.isabs(file) or file.rpartition("/")[2] != ".gitignore"


def are_inert(lines: Sequence[bytes]) -> list[bool]:
    """Tell of each line whether it ignores no bytecode, whatever stands around it."""
    if not lines:
        return []
    with Ignoring({b"%d/.gitignore" % n: line + b"\n" for n, line in enumerate(lines)}) as ignoring:
        asked = [probe for n in range(len(lines)) for probe in probes_below(b"%d" % n)]
        met = {file for file, _, pattern in ignoring.rules(asked) if pattern}
        return [b"%d/.gitignore" % n not in met for n in range(len(lines))]


def probes_below(directory: bytes) -> Iterator[bytes]:
    """Yield probes of every kind in a directory and one below it."""
    for place in (directory, directory + b"/below"):
        for kind in SUFFIXES:
            yield from probes(kind, place, INVENTED)
