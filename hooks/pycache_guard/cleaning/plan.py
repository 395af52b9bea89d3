"""What is to be removed, before anything is."""

from __future__ import annotations

from pycache_guard.bytecode.cache_names import is_cache_directory
from pycache_guard.bytecode.cache_names import legacy_source_names
from pycache_guard.cleaning.choice import SOURCELESS
from pycache_guard.cleaning.choice import SUBMODULE
from pycache_guard.cleaning.choice import TRACKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

    from pycache_guard.cleaning.choice import Mode
    from pycache_guard.cleaning.choice import Why
    from pycache_guard.cleaning.roots import Root

#: In the place of an identity, where a directory has no files that go.
NO_FILES = (0, 0)


class Spot:
    """One directory in which something may go."""

    __slots__ = ("doubtful", "entries", "files", "identity", "is_above", "is_whole", "parts")

    def __init__(self, parts: tuple[str, ...], identity: tuple[int, int], entries: int) -> None:
        self.parts = parts
        #: Device and inode.
        self.identity = identity
        #: How many entries it has.
        self.entries = entries
        #: The files that go.
        self.files: list[str] = []
        #: The legacy files without a source, which go only if there was one.
        self.doubtful: list[str] = []
        #: Whether the directory itself goes.
        self.is_whole = False
        #: Whether other directories in it go.
        self.is_above = False


class Plan:
    """What is to go below one root, and what was seen on the way."""

    def __init__(self, root: Root, mode: Mode) -> None:
        self.root = root
        self.mode = mode
        #: Parents before children.
        self.spots: list[Spot] = []
        #: What stays although its name is a cache's: paths, with the reason.
        self.kept: list[tuple[str, Why]] = []
        #: Directories that were not looked into, with the reason.
        self.skipped: list[tuple[str, str]] = []
        #: Git directories with an index of their own, which may track what is here.
        self.stores: list[str] = []
        #: Directories that could not be looked into.
        self.unreadable: list[tuple[tuple[str, ...], OSError]] = []
        #: How many of each were seen.
        self.directories = 0
        self.files = 0

    def paths(self) -> list[str]:
        """Return the paths that go; those of directories end with a slash."""
        shown = self.root.shown
        gone = [shown(spot.parts, name) for spot in self.spots for name in spot.files]
        return gone + [f"{shown(spot.parts)}/" for spot in self.spots if spot.is_whole]

    def keep(self, spot: Spot, names: Iterable[str], why: Why) -> None:
        """Note that files stay."""
        self.kept += [(self.root.shown(spot.parts, name), why) for name in names]


def once(plans: Sequence[Plan]) -> None:
    """Leave what is in several plans to the first of them: places that were named may overlap."""
    files: dict[tuple[int, int], set[str]] = {}
    whole: set[tuple[int, int]] = set()
    for plan in plans:
        for spot in plan.spots:
            known = files.setdefault(spot.identity, set())
            spot.files = [name for name in spot.files if name not in known]
            known.update(spot.files)
            if spot.is_whole and spot.identity != NO_FILES:
                spot.is_whole = spot.identity not in whole
                whole.add(spot.identity)


def settle(plan: Plan) -> None:
    """Decide what the walk alone could not: who had a source, what is tracked, what becomes empty."""
    resolve_doubts(plan)
    if not plan.mode.include_tracked and any(spot.files for spot in plan.spots):
        from pycache_guard.cleaning.protection import find_protected

        protect(plan, find_protected(plan.root.path, plan.stores))
    find_whole(plan)


def resolve_doubts(plan: Plan) -> None:
    """Let those legacy files go whose source was once checked out here; all others are kept."""
    sources = {
        "/".join((*spot.parts, source)): (spot, name)
        for spot in plan.spots
        for name in spot.doubtful
        for source in legacy_source_names(name)
    }
    if not sources:
        return
    from pycache_guard.git.checkouts import once_here

    orphans = {sources[path] for path in once_here(plan.root.path, [*sources])}
    for spot in plan.spots:
        gone = [name for name in spot.doubtful if (spot, name) in orphans]
        spot.files += gone
        plan.keep(spot, set(spot.doubtful).difference(gone), SOURCELESS)


def protect(plan: Plan, tracked: Iterable[str]) -> None:
    """Keep what git tracks; `tracked` are paths from the root, of bytecode and of submodules.

    Those of submodules end with `/`. Nothing in one of them goes: one that has a `.git` is not
    entered, and of one that has lost it nobody knows what it tracked.
    """
    from pycache_guard.git.tracked import fold_path

    known = {fold_path(path) for path in tracked}
    if not known:
        return
    for spot in plan.spots:
        directory = "".join(f"{part}/" for part in spot.parts)
        if any(fold_path(above) in known for above in _directories(spot.parts)):
            plan.keep(spot, spot.files, SUBMODULE)
            spot.files = []
            spot.entries += 1
            continue
        names = [name for name in spot.files if fold_path(directory + name) in known]
        if names:
            spot.files = [name for name in spot.files if name not in set(names)]
            plan.keep(spot, names, TRACKED)


def _directories(parts: tuple[str, ...]) -> Iterable[str]:
    """Return a directory and those above it up to the root, each with a slash behind."""
    return ("/".join(parts[:end]) + "/" for end in range(1, len(parts) + 1))


def find_whole(plan: Plan) -> None:
    """Find the directories that go themselves, from the lowest upwards.

    A cache directory goes when nothing stays in it. Any other goes only among orphans, or below
    `sys.pycache_prefix`, and only if something in it went: it was there for caches alone, and
    would go on as a namespace package.
    """
    below: dict[tuple[str, ...], int] = {}
    for spot in reversed(plan.spots):
        spot.is_above = spot.parts in below
        lost = len(spot.files) + below.get(spot.parts, 0)
        if lost < spot.entries or not spot.parts:
            continue
        is_cache = is_cache_directory(spot.parts[-1])
        if is_cache or (lost and (plan.mode.orphans or plan.root.mirrored is not None)):
            spot.is_whole = True
            below[spot.parts[:-1]] = below.get(spot.parts[:-1], 0) + 1
