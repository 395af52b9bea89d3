"""The proof itself: every probe is put to git, and what is not ignored is a gap."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from pycache_guard.bytecode.probes import IN_CACHE
from pycache_guard.bytecode.probes import INVENTED
from pycache_guard.bytecode.probes import MISSING
from pycache_guard.bytecode.probes import probes
from pycache_guard.git.ignore import Ignoring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from collections.abc import Sequence


#: As many probes are put to one git: each costs some 300 bytes until it is answered, a git 3 ms.
BATCH = 20_000


class Gap(NamedTuple):
    """A probe that is not ignored."""

    kind: str
    directory: bytes
    probe: bytes
    #: The rule that takes it back in: file, line, pattern; all empty where no rule speaks of it.
    file: bytes
    line: bytes
    pattern: bytes


def gaps(
    modules: Mapping[bytes, Sequence[bytes]],
    rules: Mapping[bytes, bytes],
    kinds: Iterable[str],
) -> list[Gap]:
    """Ask git about every probe of `kinds` under the ignore files `rules`.

    Probed are the modules that are there, and a name that nobody has, in every directory that has
    modules, at the top, and in a directory that does not exist.
    """
    names = {directory: [INVENTED, *found] for directory, found in modules.items()}
    for directory in (b"", MISSING):
        names.setdefault(directory, [INVENTED])
    with Ignoring(rules) as ignoring:
        found: list[Gap] = []
        in_caches = None
        for kind in kinds:
            if kind in IN_CACHE:
                if in_caches is None:
                    in_caches = without_ignored_caches(ignoring, names)
                found += ask(ignoring, kind, in_caches)
            else:
                found += ask(ignoring, kind, names)
    return found


def without_ignored_caches(
    ignoring: Ignoring, names: Mapping[bytes, Sequence[bytes]]
) -> dict[bytes, Sequence[bytes]]:
    """Leave out the directories whose `__pycache__` git never enters.

    One probe tells: where a rule excludes a directory above it, nothing below can be taken back in
    (gitignore(5)). In a large repository this is most of the work.
    """
    directories = [*names]
    first = [next(probes("cache", directory, INVENTED)) for directory in directories]
    return {
        directory: names[directory]
        for directory, (_, _, pattern) in zip(directories, ignoring.rules(first), strict=True)
        if not excludes_directory(pattern)
    }


def excludes_directory(pattern: bytes) -> bool:
    """Whether a pattern that decides about a file in `__pycache__` can only have met a directory.

    So it is when it ends with a slash, or with that very name.
    """
    if pattern.startswith(b"!"):
        return False
    return pattern.endswith(b"/") or pattern.rpartition(b"/")[2] == b"__pycache__"


def ask(ignoring: Ignoring, kind: str, names: Mapping[bytes, Sequence[bytes]]) -> list[Gap]:
    """Return the gaps of one kind."""
    places = (
        (directory, probe)
        for directory, found in names.items()
        for name in found
        for probe in probes(kind, directory, name)
    )
    open_ones: list[Gap] = []
    while batch := [*islice(places, BATCH)]:
        answers = ignoring.rules([probe for _, probe in batch])
        open_ones += [
            Gap(kind, directory, probe, *rule)
            for (directory, probe), rule in zip(batch, answers, strict=True)
            if not rule[2] or rule[2].startswith(b"!")
        ]
    return open_ones
