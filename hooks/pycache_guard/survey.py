"""From a source to the findings in it, importing nothing dear before something is suspect.

What every run needs is imported where git is already at work: 2 ms of each commit.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

    from pycache_guard.config import Config
    from pycache_guard.entries import Entry
    from pycache_guard.findings import Finding
    from pycache_guard.git.index import Index
    from pycache_guard.git.tree import Tree


def judge(
    source: Index | Tree,
    *,
    staged: bool = False,
    content: str = "new",
    allow: Sequence[str] = (),
) -> list[Finding]:
    """Return what is wrong with the entries of `source`: PYC001, PYC002, PYC003.

    With `staged`, only of what differs from HEAD. `content` says whose first bytes are read: `new`,
    what differs from HEAD at the same path, `all` or `none`. `allow` are globs in addition to the
    configuration's. Raises `Failure` for what cannot be judged.
    """
    named, files = (differing if staged else listed)(source, content)
    held = bytecode_blobs(files)
    config = settings(source, thorough=bool(named or held))
    if not (named or held or allow or (config and config.allow)):
        return []
    from pycache_guard import scan
    from pycache_guard.config import Allowance
    from pycache_guard.git.repository import in_subdirectory
    from pycache_guard.git.repository import is_sparse

    rooted, sparse = in_subdirectory(), is_sparse()
    allowances = [*(config.allow if config else ()), *map(Allowance, allow)]
    grants = scan.Grants([(a, source.granted(a.glob)) for a in allowances])
    found = scan.by_path(named, grants, rooted=rooted, sparse=sparse)
    found += scan.by_content(files, held, grants, rooted=rooted, sparse=sparse)
    if not staged:
        unread = [e for _, entries in grants.unused() for e in entries if e.is_file]
        of_use = bytecode_blobs(unread) if content != "none" else {e.blob for e in unread}
        found += scan.unused(grants, of_use)
    return found


def listed(source: Index | Tree, content: str) -> tuple[list[Entry], list[Entry]]:
    """Return the entries that are bytecode's by path, and the files whose content is to be read.

    Listing and comparison are made at the same time: there are two processors.
    """
    comparison = source.comparison() if content == "new" else None
    listing = source.listing()
    from pycache_guard.bytecode.names import is_bytecode_path
    from pycache_guard.bytecode.names import may_name_bytecode
    from pycache_guard.git.listing import matching

    if content == "all":
        entries = matching(listing, everything, everything)
        return only_named(entries), [entry for entry in entries if entry.is_file]
    named = matching(listing, may_name_bytecode, is_bytecode_path)
    return named, source.changes(comparison).new_files() if comparison else []


def differing(source: Index | Tree, content: str) -> tuple[list[Entry], list[Entry]]:
    """Return the same as `listed`, of the entries that differ from HEAD alone."""
    changes = source.changes(source.comparison())
    entries = changes.entries()
    files = changes.new_files() if content == "new" else [e for e in entries if e.is_file]
    return only_named(entries), files if content != "none" else []


def everything(_: bytes) -> bool:
    """Want every path."""
    return True


def only_named(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries whose path is bytecode's."""
    import os

    from pycache_guard.bytecode.names import is_bytecode_path

    return [entry for entry in entries if is_bytecode_path(os.fsencode(entry.path))]


def bytecode_blobs(files: Iterable[Entry]) -> dict[str, bytes]:
    """Return the blobs of `files` that hold bytecode, with their first bytes.

    Each blob is read once. Raises `GitFailure` for one that is not there.
    """
    blobs = list(dict.fromkeys(entry.blob for entry in files))
    if not blobs:
        return {}
    from pycache_guard.bytecode.sniff import HEAD_LENGTH
    from pycache_guard.bytecode.sniff import is_bytecode
    from pycache_guard.git.objects import heads

    return {blob: head for blob, head in heads(blobs, HEAD_LENGTH) if is_bytecode(head)}


def settings(source: Index | Tree, *, thorough: bool = True) -> Config | None:
    """Return what the source's `pyproject.toml` says of us, `None` for nothing.

    The parser costs 9 ms and is imported only where our name stands in the file. In a sparse
    checkout the file may be in the index alone, which is asked only if `thorough`.
    """
    data = source.read("pyproject.toml", thorough=thorough)
    if data is None or b"pycache-guard" not in data:
        return None
    from pycache_guard.config import parse

    return parse(data, "pyproject.toml")
