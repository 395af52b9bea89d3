"""Count what `inspect --leaks` reports of caches that compilers wrote: only paths are expected.

    python -m inspection.check_honest_caches DIRECTORY...       with the matching interpreters
    python -m inspection.check_honest_caches --text DIRECTORY... by the text of the sources

Every cache below the directories is compared with its source, unless it is stale. The exit code is 1 if
a string of one is reported.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.freshness import Freshness, check_freshness
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.inspection.leaks import find_leaks
from pycache_guard.interpreters.pool import CompilerPool
from pycache_guard.verify.stores import DiskStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.interpreters.process import CompilerProcess


class NoCompilers(CompilerPool):
    """A pool without interpreters."""

    def for_magic(self, magic: Magic, tag: str) -> Iterator[CompilerProcess]:
        """Return nothing."""
        return iter(())


def count_leaks(
    directories: Sequence[str], compilers: CompilerPool
) -> tuple[Counter[str], list[str]]:
    """Return counts, and one line for each string that is reported."""
    counts: Counter[str] = Counter()
    lines: list[str] = []
    store = DiskStore(directories)
    for path in caches(store.paths()):
        name, source = parse_cache_name(path), store.source_of(path)
        pyc = read_pyc(store.read(path), name)
        if source is None:
            counts["without a source"] += 1
            continue
        if check_freshness(pyc.header, source.source).freshness is Freshness.STALE:
            counts["stale"] += 1
            continue
        leaks = find_leaks(pyc, name, source, compilers)
        counts[leaks.method] += 1
        counts["paths"] += len(leaks.paths)
        counts["strings"] += len(leaks.strings)
        lines += [f"{path}: {string.value!r:.120} ({string.place})" for string in leaks.strings]
    return counts, lines


def caches(paths: Iterable[str]) -> Iterator[str]:
    """Yield the caches among files."""
    return (path for path in paths if path.endswith((".pyc", ".pyo")))


def main(argv: Sequence[str]) -> int:
    """Print the counts and the strings."""
    is_text = argv[:1] == ["--text"]
    compilers = NoCompilers() if is_text else CompilerPool()
    try:
        counts, lines = count_leaks(argv[1:] if is_text else argv, compilers)
    finally:
        compilers.close()
    print(*lines, dict(counts), sep="\n")
    return 1 if lines else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
