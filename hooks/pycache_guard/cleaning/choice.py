"""Which files of one directory go, which stay, and why."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from pycache_guard.bytecode import cachefiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from collections.abc import Sequence


class Mode(NamedTuple):
    """What is to go."""

    #: Only caches whose source is gone.
    orphans: bool = False
    include_tracked: bool = False
    include_sourceless: bool = False
    #: Also below `sys.pycache_prefix`.
    prefix: bool = False


class Why(Enum):
    """Why something stays. The value is for people."""

    TRACKED = "tracked by git (--include-tracked removes it)"
    SOURCELESS = "without a source: it may be all there is (--include-sourceless removes it)"
    NO_CACHE = "in a cache directory, but no cache"
    SPECIAL = "no regular file"
    LINK = "a link in a cache directory's place"


class Choice(NamedTuple):
    """What becomes of the files of one directory."""

    gone: list[str]
    kept: list[tuple[str, Why]]
    #: Legacy files without a source, which go if it is known that there was one.
    doubtful: list[str]


def in_cache(
    files: Sequence[str], beside: Sequence[str], special: Sequence[str], mode: Mode
) -> Choice:
    """Choose in a cache directory; `beside` are the files of the directory above."""
    caches = [name for name in files if cachefiles.is_cached(name)]
    kept = [(name, Why.SPECIAL) for name in special]
    if len(caches) < len(files):
        known = set(caches)
        kept += [(name, Why.NO_CACHE) for name in files if name not in known]
    if mode.orphans:
        sources = set(beside)
        caches = [name for name in caches if not cachefiles.has_source(name, sources)]
    return Choice(caches, kept, [])


def legacy(files: list[str], mode: Mode) -> Choice | None:
    """Choose in a directory of sources; `None` where no name is bytecode's."""
    if not cachefiles.may_hold_bytecode(files):
        return None
    kept = [(name, Why.LINK) for name in files if cachefiles.is_cache_directory(name)]
    names = [name for name in files if cachefiles.is_legacy(name)]
    sources = set(files)
    alone = [name for name in names if not cachefiles.has_source_beside(name, sources)]
    paired = set(names).difference(alone)
    gone = [] if mode.orphans else [name for name in names if name in paired]
    if mode.include_sourceless:
        return Choice(gone + alone, kept, [])
    if mode.orphans:
        return Choice(gone, kept, alone)
    return Choice(gone, kept + [(name, Why.SOURCELESS) for name in alone], [])


def mirrored(files: Sequence[str], sources: Container[str], mode: Mode) -> Choice:
    """Choose below `sys.pycache_prefix`; `sources` are the files of the directory it stands for."""
    from pycache_guard.bytecode.cachenames import parse_cache_name

    caches = []
    for name in files:
        parsed = parse_cache_name(f"__pycache__/{name}")
        if parsed and parsed.tag and not (mode.orphans and cachefiles.has_source(name, sources)):
            caches.append(name)
    return Choice(caches, [], [])
