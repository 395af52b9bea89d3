"""Which files of one directory go, which stay, and why."""

from __future__ import annotations

from pycache_guard.bytecode import cache_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from collections.abc import Sequence

    #: The files of one directory that go; those that stay although they look like caches; and the
    #: legacy files without a source, which go if it is known that there was one.
    Selection = tuple[list[str], list[tuple[str, "KeepReason"]], list[str]]


class CleanOptions:
    """What is to go."""

    __slots__ = ("broken", "include_sourceless", "include_tracked", "orphans", "prefix")

    def __init__(
        self,
        *,
        orphans: bool = False,
        broken: bool = False,
        include_tracked: bool = False,
        include_sourceless: bool = False,
        prefix: bool = False,
    ) -> None:
        #: Only caches whose source is gone.
        self.orphans = orphans
        #: Only caches that were cut off, or that import fails on.
        self.broken = broken
        self.include_tracked = include_tracked
        self.include_sourceless = include_sourceless
        #: Also below `sys.pycache_prefix`.
        self.prefix = prefix


class KeepReason:
    """Why something stays. No Enum, which costs a hook 3 ms."""

    __slots__ = ("name", "words")

    def __init__(self, name: str, words: str) -> None:
        #: For programs.
        self.name = name
        #: For people.
        self.words = words


TRACKED = KeepReason("tracked", "tracked by git (--include-tracked removes it)")
SUBMODULE = KeepReason(
    "submodule",
    "in a submodule without its .git, so that git does not know what it tracks"
    " (--include-tracked removes it)",
)
SOURCELESS = KeepReason(
    "sourceless",
    "without a source: it may be all there is (--include-sourceless removes it)",
)
NOT_A_CACHE = KeepReason("no_cache", "in a cache directory, but no cache")
SPECIAL = KeepReason("special", "no regular file")
LINK = KeepReason("link", "a link in a cache directory's place")
#: In the order in which they are told.
REASONS = (TRACKED, SUBMODULE, SOURCELESS, NOT_A_CACHE, SPECIAL, LINK)


def select_in_cache(
    files: Sequence[str], beside: Sequence[str], special: Sequence[str], mode: CleanOptions
) -> Selection:
    """Choose in a cache directory; `beside` are the files of the directory above."""
    # Nearly all of them end so, and to look first halves the time.
    caches = [name for name in files if name.endswith(".pyc") or cache_names.is_cache_name(name)]
    kept = [(name, SPECIAL) for name in special]
    if len(caches) < len(files):
        known = set(caches)
        kept += [(name, NOT_A_CACHE) for name in files if name not in known]
    if mode.orphans:
        sources = set(beside)
        caches = [name for name in caches if not cache_names.has_source(name, sources)]
    return caches, kept, []


def select_legacy(files: list[str], mode: CleanOptions) -> Selection | None:
    """Choose in a directory of sources; `None` where no name is bytecode's."""
    if not cache_names.may_hold_bytecode(files):
        return None
    kept = [(name, LINK) for name in files if cache_names.is_cache_directory(name)]
    names = [name for name in files if cache_names.is_bytecode_name(name)]
    sources = set(files)
    alone = [name for name in names if not cache_names.has_source_beside(name, sources)]
    paired = set(names).difference(alone)
    gone = [] if mode.orphans else [name for name in names if name in paired]
    if mode.include_sourceless:
        return gone + alone, kept, []
    if mode.orphans:
        return gone, kept, alone
    return gone, kept + [(name, SOURCELESS) for name in alone], []


def select_in_prefix(
    files: Sequence[str], sources: Container[str], mode: CleanOptions
) -> Selection:
    """Choose below `sys.pycache_prefix`; `sources` are the files of the directory it stands for."""
    from pycache_guard.bytecode.cache_names import parse_cache_name

    caches = []
    for name in files:
        parsed = parse_cache_name(f"__pycache__/{name}")
        if parsed and parsed.tag and not (mode.orphans and cache_names.has_source(name, sources)):
            caches.append(name)
    return caches, [], []
