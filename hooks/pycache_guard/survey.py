"""From a source to the findings in it, importing nothing dear before something is suspect.

What every run needs is imported where git is already at work: 2 ms of each commit.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence
    from typing import Protocol

    from pycache_guard.config import Config
    from pycache_guard.findings import Finding
    from pycache_guard.git.index import Index
    from pycache_guard.git.tree import Tree

    class Readable(Protocol):
        """Has files."""

        def read(self, path: str, *, thorough: bool) -> bytes | None:
            """Return the file `path`, a path from the top, or `None`."""


#: The file that has the configuration, from the top of the repository.
CONFIGURATION = "pyproject.toml"
#: What a file that concerns us holds, in lower case.
MENTIONS = (b"pycache-guard", b"pycache_guard", b"pycacheguard", b"\\u", b"\\x")


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
    from pycache_guard.git.listing import blob_of
    from pycache_guard.git.listing import parse

    held = bytecode_blobs(map(blob_of, files))
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
    found = scan.by_path([*map(parse, named)], grants, rooted=rooted, sparse=sparse)
    holders = [parse(record) for record in files if blob_of(record) in held]
    found += scan.by_content(holders, held, grants, rooted=rooted, sparse=sparse)
    if not staged:
        unread = [e for _, entries in grants.unused() for e in entries if e.is_file]
        blobs = [entry.blob for entry in unread]
        found += scan.unused(grants, bytecode_blobs(blobs) if content != "none" else blobs)
    return found


def listed(source: Index | Tree, content: str) -> tuple[list[bytes], list[bytes]]:
    """Return the records of bytecode by path, and of the files whose content is to be read.

    Listing and comparison are made at the same time: there are two processors.
    """
    comparison = source.comparison() if content == "new" else None
    listing = source.listing()
    from pycache_guard.bytecode.names import is_bytecode_path
    from pycache_guard.bytecode.names import may_name_bytecode
    from pycache_guard.git.listing import is_file
    from pycache_guard.git.listing import matching

    if content == "all":
        records = matching(listing, everything, everything)
        return only_named(records), [record for record in records if is_file(record)]
    named = matching(listing, may_name_bytecode, is_bytecode_path)
    return named, source.changes(comparison).new_files() if comparison else []


def differing(source: Index | Tree, content: str) -> tuple[list[bytes], list[bytes]]:
    """Return the same as `listed`, of the entries that differ from HEAD alone."""
    from pycache_guard.git.listing import is_file

    comparison = source.comparison()
    source.require()
    changes = source.changes(comparison)
    records = changes.records()
    files = changes.new_files() if content == "new" else [r for r in records if is_file(r)]
    return only_named(records), files if content != "none" else []


def everything(_: bytes) -> bool:
    """Want every path."""
    return True


def only_named(records: Iterable[bytes]) -> list[bytes]:
    """Return the records whose path is bytecode's."""
    from pycache_guard.bytecode.names import is_bytecode_path
    from pycache_guard.git.listing import path_of

    return [record for record in records if is_bytecode_path(path_of(record))]


def bytecode_blobs(ids: Iterable[str]) -> dict[str, bytes]:
    """Return the blobs among `ids` that hold bytecode, with their first bytes.

    Each is read once. Raises `GitFailure` for one that is not there.
    """
    blobs = list(dict.fromkeys(ids))
    if not blobs:
        return {}
    from pycache_guard.bytecode.sniff import HEAD_LENGTH
    from pycache_guard.bytecode.sniff import is_bytecode
    from pycache_guard.git.objects import heads

    return {blob: head for blob, head in heads(blobs, HEAD_LENGTH) if is_bytecode(head)}


def settings(source: Readable, *, thorough: bool = True) -> Config | None:
    """Return what the source's `pyproject.toml` says of us, `None` for nothing.

    The parser costs 9 ms and is imported only where our name stands in the file. In a sparse
    checkout the file may be in the index alone, which is asked only if `thorough`.
    """
    data = source.read(CONFIGURATION, thorough=thorough)
    if not thorough and data is not None and may_mention(data):
        data = source.read(CONFIGURATION, thorough=True)
    if data is None or not may_mention(data):
        return None
    from pycache_guard.config import parse

    return parse(data, CONFIGURATION)


def settings_at(revision: str) -> Config | None:
    """Return the configuration that the tree of `revision` (gitrevisions(7)) has, `None` for none.

    Raises `Failure` for a revision that is not in this repository.
    """
    from pycache_guard.git.tree import Tree

    return settings(Tree(revision))


def may_mention(data: bytes) -> bool:
    """Whether `pyproject.toml` with the bytes `data` may have a table for this program.

    A key can be written with escapes (TOML, section "Keys"), and with an underscore by mistake.
    """
    text = data.lower()
    return any(name in text for name in MENTIONS)
