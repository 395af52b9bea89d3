"""Decide which files of one directory are removed, which are kept, and why."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

from pycache_guard.bytecode import cache_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    #: The files of one directory to remove; the files to keep although they look like caches; and the
    #: legacy files without a source, which are removed if git knows that the source existed.
    Selection = tuple[list[str], list[tuple[str, "KeepReason"]], list[str]]


class CleanOptions:
    """Which caches to remove."""

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
        #: Only caches whose source does not exist.
        self.orphans = orphans
        #: Only cut off or damaged caches.
        self.broken = broken
        self.include_tracked = include_tracked
        self.include_sourceless = include_sourceless
        #: Also below `sys.pycache_prefix`.
        self.prefix = prefix


class KeepReason:
    """Why a file is kept. This is not an Enum, because importing that takes 3 ms."""

    __slots__ = ("name", "words")

    def __init__(self, name: str, words: str) -> None:
        #: For JSON.
        self.name = name
        #: For the text report.
        self.words = words


TRACKED = KeepReason("tracked", "tracked by git (--include-tracked removes it)")
SUBMODULE = KeepReason(
    "submodule",
    "in a submodule without .git, so git cannot say whether it is tracked"
    " (--include-tracked removes it)",
)
SOURCELESS = KeepReason(
    "sourceless",
    "has no source and may be the only copy (--include-sourceless removes it)",
)
NOT_A_CACHE = KeepReason("no_cache", "not a cache, although in a cache directory")
SPECIAL = KeepReason("special", "not a regular file")
LINK = KeepReason("link", "a link instead of a cache directory")
#: In the order of the report.
REASONS = (TRACKED, SUBMODULE, SOURCELESS, NOT_A_CACHE, SPECIAL, LINK)


def select_in_cache(
    files: Sequence[str], parent_files: Sequence[str], special: Sequence[str], options: CleanOptions
) -> Selection:
    """Choose in a cache directory; `parent_files` contains the files of the directory above."""
    # Nearly all names end with .pyc; this check first halves the time.
    caches = [name for name in files if name.endswith(".pyc") or cache_names.is_cache_name(name)]
    kept = [(name, SPECIAL) for name in special]
    if len(caches) < len(files):
        known = set(caches)
        kept += [(name, NOT_A_CACHE) for name in files if name not in known]
    if options.orphans:
        sources = set(parent_files)
        caches = [name for name in caches if not cache_names.has_source(name, sources)]
        caches = _drop_normalized(caches, sources, cache_names.has_source)
    return caches, kept, []


def select_legacy(files: list[str], options: CleanOptions) -> Selection | None:
    """Choose in a source directory; return None if it contains no bytecode names."""
    if not cache_names.may_hold_bytecode(files):
        return None
    kept = [(name, LINK) for name in files if cache_names.is_cache_directory(name)]
    names = [name for name in files if cache_names.is_bytecode_name(name)]
    sources = set(files)
    alone = [name for name in names if not cache_names.has_source_beside(name, sources)]
    alone = _drop_normalized(alone, sources, cache_names.has_source_beside)
    paired = set(names).difference(alone)
    gone = [] if options.orphans else [name for name in names if name in paired]
    if options.include_sourceless:
        return gone + alone, kept, []
    if options.orphans:
        return gone, kept, alone
    return gone, kept + [(name, SOURCELESS) for name in alone], []


def select_in_prefix(
    files: Sequence[str], sources: Sequence[str], options: CleanOptions
) -> Selection:
    """Choose in a directory below `sys.pycache_prefix`; `sources` contains the files of its source directory."""
    from pycache_guard.bytecode.cache_names import parse_cache_name

    caches = []
    for name in files:
        parsed = parse_cache_name(f"__pycache__/{name}")
        if (
            parsed
            and parsed.tag
            and not (options.orphans and cache_names.has_source(name, sources))
        ):
            caches.append(name)
    if options.orphans:
        caches = _drop_normalized(caches, sources, cache_names.has_source)
    return caches, [], []


def _drop_normalized(
    names: list[str], sources: Iterable[str], has_source: Callable[[str, set[str]], bool]
) -> list[str]:
    """Return the cache names without those whose source has the same name in another normal form.

    APFS finds a file under every Unicode normal form of its name, and import asks for NFKC (PEP 3131):
    a source in NFD then gets a cache in NFC.
    """
    if all(name.isascii() for name in names):
        return names
    from unicodedata import normalize

    composed = {normalize("NFC", source) for source in sources}
    return [n for n in names if n.isascii() or not has_source(normalize("NFC", n), composed)]
