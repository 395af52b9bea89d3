"""Ask git about every probe path, and about lines that look meant for bytecode but match nothing."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.probes import SUFFIXES, UNTRACKED_DIR, UNTRACKED_MODULE, probe_paths
from pycache_guard.git.check_ignore import BATCH_PROBES, IsolatedIgnoreRules
from pycache_guard.gitignore.patterns import explain_line, lines_about_bytecode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


#: Each costs a file. The lines are hints: what is not ignored is a finding without them.
MAX_SUSPECTS = 1000


class IneffectiveLine(NamedTuple):
    """A line of an ignore file that ignores no bytecode."""

    file: bytes
    number: int
    line: bytes
    why: str


def find_ineffective_lines(rules: Mapping[bytes, bytes]) -> list[IneffectiveLine]:
    """Return the lines of ignore files, given with their content, that match no bytecode.

    Only the first `MAX_SUSPECTS` lines are asked about.
    """
    every = (
        IneffectiveLine(file, number, line, why)
        for file, content in rules.items()
        for number, line in lines_about_bytecode(content)
        if (why := explain_line(line))
    )
    suspects = [*islice(every, MAX_SUSPECTS)]
    inert = _never_match([suspect.line for suspect in suspects])
    return [suspect for suspect, is_inert in zip(suspects, inert, strict=True) if is_inert]


def _never_match(lines: Sequence[bytes]) -> list[bool]:
    """Return for each line whether it ignores no bytecode on its own."""
    if not lines:
        return []
    with IsolatedIgnoreRules(
        {b"%d/.gitignore" % n: line + b"\n" for n, line in enumerate(lines)}
    ) as ignoring:
        asked = [probe for n in range(len(lines)) for probe in probes_below(b"%d" % n)]
        met = {file for file, _, pattern in ignoring.rules(asked) if pattern}
        return [b"%d/.gitignore" % n not in met for n in range(len(lines))]


def probes_below(directory: bytes) -> Iterator[bytes]:
    """Yield probes of every kind in a directory and one below it."""
    for place in (directory, directory + b"/below"):
        for kind in SUFFIXES:
            yield from probe_paths(kind, place, UNTRACKED_MODULE)


class UnignoredPath(NamedTuple):
    """A probe that is not ignored."""

    kind: str
    directory: bytes
    probe: bytes
    #: The rule that re-includes it: file, line, pattern; all empty if no rule matches it.
    file: bytes
    line: bytes
    pattern: bytes


def find_unignored(
    modules: Mapping[bytes, Sequence[bytes]],
    rules: Mapping[bytes, bytes],
    kinds: Iterable[str],
) -> list[UnignoredPath]:
    """Ask git about every probe of `kinds` under the ignore files `rules`.

    Probes are made for the existing modules and an invented name, in every directory with modules, at
    the top, and in a directory that does not exist.
    """
    from pycache_guard.gitignore.fast_proof import find_unproven

    names = {directory: [UNTRACKED_MODULE, *found] for directory, found in modules.items()}
    for directory in (b"", UNTRACKED_DIR):
        names.setdefault(directory, [UNTRACKED_MODULE])
    asked = tuple(kinds)
    with IsolatedIgnoreRules(rules) as ignoring:
        # In a large repository this saves most of the work.
        unproven = find_unproven(ignoring, rules, [*names], asked)
        return [
            unignored
            for kind in asked
            for unignored in _probe(ignoring, kind, {d: names[d] for d in unproven[kind]})
        ]


def _probe(
    ignoring: IsolatedIgnoreRules, kind: str, names: Mapping[bytes, Sequence[bytes]]
) -> list[UnignoredPath]:
    """Return the unignored paths of one kind."""
    places = (
        (directory, probe)
        for directory, found in names.items()
        for name in found
        for probe in probe_paths(kind, directory, name)
    )
    open_ones: list[UnignoredPath] = []
    while batch := [*islice(places, BATCH_PROBES)]:
        answers = ignoring.rules([probe for _, probe in batch])
        open_ones += [
            UnignoredPath(kind, directory, probe, *rule)
            for (directory, probe), rule in zip(batch, answers, strict=True)
            if not rule[2] or rule[2].startswith(b"!")
        ]
    return open_ones
