"""Lines that were meant for bytecode and match none: what looks suspect is put to git alone."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.bytecode.probes import INVENTED
from pycache_guard.bytecode.probes import SUFFIXES
from pycache_guard.bytecode.probes import probes
from pycache_guard.git.ignore import Ignoring
from pycache_guard.ignorefiles.gitignore import fault
from pycache_guard.ignorefiles.gitignore import meant_for_bytecode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence


class InertLine(NamedTuple):
    """A line of an ignore file that ignores no bytecode."""

    file: bytes
    number: int
    line: bytes
    why: str


def inert_lines(rules: Mapping[bytes, bytes]) -> list[InertLine]:
    """Return the lines of ignore files, given with their content, that match no bytecode."""
    suspects = [
        InertLine(file, number, line, why)
        for file, content in rules.items()
        for number, line in meant_for_bytecode(content)
        if (why := fault(line))
    ]
    inert = are_inert([suspect.line for suspect in suspects])
    return [suspect for suspect, is_inert in zip(suspects, inert, strict=True) if is_inert]


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
