"""Scan the index or a tree for bytecode.

# hot path: see tests/test_budgets.py

Modules that only findings need are imported late; those that every run needs are imported while git
is already running, which saves 2 ms of each commit.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence
    from typing import Protocol

    from pycache_guard.config import Config
    from pycache_guard.findings import Finding
    from pycache_guard.git.entries import Entry
    from pycache_guard.git.index import Index
    from pycache_guard.git.tree import Tree

    class Readable(Protocol):
        """A source of files: an index or a tree."""

        def read(self, path: str, *, thorough: bool) -> bytes | None:
            """Return the content of `path`, relative to the top, or None."""


#: The configuration file, relative to the top of the repository.
CONFIGURATION = "pyproject.toml"
#: A file with a table for this program contains one of these, in lower case.
MENTIONS = (b"pycache-guard", b"pycache_guard", b"pycacheguard", b"\\u", b"\\x")


#: Contents that are not read: files of Git LFS, members of archives, output of filter programs.
LFS_POINTER = "Git LFS pointer"
ARCHIVE = "archive"
FILTERED = "filtered file"
KINDS = (LFS_POINTER, ARCHIVE, FILTERED)


#: What to do about bytecode in the tree of a commit: no command takes it out of there.
IN_A_TREE = "remove it with a new commit; this one cannot change"


class Unread:
    """Counts the files checked, and for each of `KINDS` the files whose content was not read."""

    def __init__(self) -> None:
        #: The number of entries of the index or tree, and of the files whose content was read.
        self.entries = 0
        self.read = 0
        self.counts: dict[str, int] = {}
        self.firsts: dict[str, str] = {}

    def add(self, kind: str, path: bytes) -> None:
        """Count a file."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if kind not in self.firsts:
            from os import fsdecode

            self.firsts[kind] = fsdecode(path)

    def keys(self) -> dict[str, dict[str, int]]:
        """Return the counts for the JSON report, by plural name of each kind."""
        plurals = {f"{kind.lower().replace(' ', '_')}s": kind for kind in KINDS}
        return {"not_looked_into": {key: self.counts.get(plurals[key], 0) for key in plurals}}

    def sentence(self) -> str:
        """Return a sentence about the files that were not read, or an empty string."""
        words = [
            f"{number} {kind}{'' if number == 1 else 's'} ({self.firsts[kind]}"
            f"{'' if number == 1 else ', …'})"
            for kind, number in sorted(self.counts.items())
        ]
        return f"not looked into: {', '.join(words)}; see PYC002" if words else ""


class Contents:
    """Which blobs are bytecode, and which files become bytecode at checkout."""

    def __init__(self) -> None:
        #: The blobs that are bytecode, with their first bytes.
        self.held: dict[str, bytes] = {}
        #: The records whose files become bytecode at checkout, with the attributes that do it and the
        #: first bytes of the file.
        self.converted: dict[bytes, tuple[str, bytes]] = {}


class Examined:
    """The bytecode of an index or a tree, before the configuration says what is allowed."""

    def __init__(
        self, named: list[bytes], holders: list[bytes], contents: Contents, unread: Unread
    ) -> None:
        #: The records of bytecode by path.
        self.named = named
        #: The records of files whose blob is bytecode.
        self.holders = holders
        self.contents = contents
        #: What was checked, and what was not looked into.
        self.unread = unread

    def paths(self) -> set[bytes]:
        """Return the paths of all bytecode, and of all files that become bytecode at checkout."""
        from pycache_guard.git.listing import path_of

        return {*map(path_of, (*self.named, *self.holders, *self.contents.converted))}


def scan_tracked(
    source: Index | Tree,
    *,
    staged: bool = False,
    content: str = "new",
    allow: Sequence[str] = (),
    config_from: Readable | None = None,
    unread: Unread | None = None,
) -> list[Finding]:
    """Return the findings for the entries of `source`: PYC001, PYC002, PYC003.

    The configuration is that of `source`, or of `config_from`. Unused allow entries of
    `config_from` are not reported: the change that is checked can have removed their files.

    With `staged`, only entries that differ from HEAD are checked. `content` selects the files whose
    first bytes are read: `new` (different from HEAD at the same path), `all` or `none`. `allow` has
    globs in addition to the configuration. Files that are not read are counted in `unread`. Raises
    `Failure` if something cannot be checked.
    """
    examined = examine_tracked(source, staged=staged, content=content, unread=unread)
    return check_examined(
        source, examined, staged=staged, content=content, allow=allow, config_from=config_from
    )


def examine_tracked(
    source: Index | Tree,
    *,
    staged: bool = False,
    content: str = "new",
    unread: Unread | None = None,
) -> Examined:
    """Return the bytecode of `source`. The arguments are those of `scan_tracked`."""
    unread = unread or Unread()
    named, files, attributes = (changed_records if staged else records_to_check)(
        source, content, unread
    )
    contents = examine_contents(files, attributes, unread)
    holders: list[bytes] = []
    if contents.held:
        from pycache_guard.git.listing import blob_of

        holders = [record for record in files if blob_of(record) in contents.held]
    return Examined(named, holders, contents, unread)


def check_examined(
    source: Index | Tree,
    examined: Examined,
    *,
    staged: bool = False,
    content: str = "new",
    allow: Sequence[str] = (),
    config_from: Readable | None = None,
) -> list[Finding]:
    """Return the findings for bytecode that the configuration does not allow: PYC001, PYC002, PYC003.

    `examined` is the bytecode of `source`. The other arguments are those of `scan_tracked`.
    """
    named, holders, contents = examined.named, examined.holders, examined.contents
    found_any = named or holders or contents.converted
    config = load_config(config_from or source, thorough=bool(found_any))
    if not (found_any or allow or (config and config.allow)):
        return []
    from pycache_guard import allowlist
    from pycache_guard.config import AllowEntry
    from pycache_guard.git.globs import match_globs
    from pycache_guard.git.listing import parse_entry, select_records
    from pycache_guard.git.repository import cwd_is_below_toplevel, is_sparse

    rooted = cwd_is_below_toplevel()
    sparse = is_sparse() or source.has_skipped_entries(examined.paths())
    allowances = [*(config.allow if config else ()), *map(AllowEntry, allow)]
    matched = match_globs(
        [a.glob for a in allowances],
        source.entries_matching,
        lambda: select_records(source.list_entries(), _always, _always),
    )
    grants = allowlist.AllowList(zip(allowances, matched, strict=True))
    entries = [*map(parse_entry, named)]
    moves = plan_moves(source, entries, read=content != "none", rooted=rooted, sparse=sparse)
    found = allowlist.path_findings(entries, grants, moves, rooted=rooted, sparse=sparse)
    found += allowlist.content_findings(
        [*map(parse_entry, holders)], contents.held, grants, rooted=rooted, sparse=sparse
    )
    becoming = {parse_entry(record): how for record, how in contents.converted.items()}
    found += allowlist.checkout_findings(becoming, grants, rooted=rooted, sparse=sparse)
    if source.directory() is None:
        blobs = [entry.blob for entry in entries if entry.is_file]
        heads = {**contents.held, **(read_bytecode_heads(blobs) if content != "none" else {})}
        found = [f if f.is_kept else advise_in_tree(f, source, heads) for f in found]
    if not staged:
        unused = [e for _, entries in grants.unused_allowances() for e in entries if e.is_file]
        blobs = [entry.blob for entry in unused]
        unused_allowances = allowlist.unused_findings(
            grants, read_bytecode_heads(blobs) if content != "none" else blobs
        )
        found += [f for f in unused_allowances if f.path is None or not config_from]
    return found


def advise_in_tree(finding: Finding, source: Index | Tree, heads: Container[str]) -> Finding:
    """Return a finding in a tree with a sentence, because no command takes bytecode out of a commit.

    `heads` has the blobs that are bytecode: the sentence names the command that lists what they leak.
    """
    from pycache_guard.remedies import leaks_command

    hint = IN_A_TREE
    if finding.blob in heads and finding.path is not None:
        hint += (
            f"; `{leaks_command(source.name, finding.path)}` lists what its source does not contain"
        )
    return finding._replace(fix=None, hint=hint)


def plan_moves(
    source: Index | Tree, entries: list[Entry], *, read: bool, rooted: bool, sparse: bool
) -> dict[str, str | None]:
    """Return the entries with a bytecode path that are not bytecode, with the command that moves each.

    The command is None for a link, whose target depends on its place, for an entry in conflict, for a
    file that is not on disk, and without an index. With `read`, the content decides if the name does
    not; without it, such files count as not bytecode, so that nothing untracks them.
    """
    from pycache_guard import misplaced
    from pycache_guard.git.entries import LINK, SUBMODULE

    doubtful = [entry for entry in entries if misplaced.may_be_misplaced(entry.path)]
    if not doubtful:
        return {}
    blobs = [entry.blob for entry in doubtful if entry.mode != SUBMODULE]
    heads = read_bytecode_heads(blobs) if read else {}
    found = [
        entry
        for entry in doubtful
        if misplaced.is_misplaced(entry.path, heads.get(entry.blob, b""), entry.mode)
    ]
    moves: dict[str, str | None] = dict.fromkeys([entry.path for entry in found])
    top = source.directory()
    if top is None:
        return moves
    import os

    stages: dict[str, int] = {}
    for entry in found:
        stages[entry.path] = stages.get(entry.path, 0) + 1
    movable = [
        entry.path
        for entry in found
        if entry.mode != LINK
        and stages[entry.path] == 1
        and os.path.lexists(os.path.join(top, entry.path))
    ]
    targets = misplaced.choose_targets(movable, taken_paths(source, top))
    return moves | misplaced.move_commands(targets, rooted=rooted, sparse=sparse)


def taken_paths(source: Index | Tree, top: str) -> Callable[[str], bool]:
    """Return a function that returns whether a path, relative to the top, is tracked or on disk."""
    import os

    from pycache_guard.git.listing import path_of, select_records

    taken: set[str] = set()
    for record in select_records(source.list_entries(), _always, _always):
        path = os.fsdecode(path_of(record)).casefold()
        while path and path not in taken:
            taken.add(path)
            path = path.rpartition("/")[0]
    return lambda path: path.casefold() in taken or os.path.lexists(os.path.join(top, path))


def records_to_check(
    source: Index | Tree, content: str, unread: Unread
) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Return the records of bytecode by path, of the files to read, and of `.gitattributes` files.

    Listing and comparison run at the same time. The entries are counted in `unread`.
    """

    def may_concern_us_when_counted(block: bytes) -> bool:
        unread.entries += block.count(b"\0")
        return content == "all" or may_be_relevant(block)

    comparison = source.start_diff() if content == "new" else None
    large = source.if_large() if content != "all" else None
    listing = large.list_paths() if large else source.list_entries()
    # Git runs while this is imported, and while the configuration is read.
    from pycache_guard.git.listing import is_attributes_file, names_attributes, select_records

    source.read_early(CONFIGURATION)
    records: list[bytes] = []
    paths: list[bytes] = []
    if large:
        from pycache_guard.bytecode.names import is_bytecode_path
        from pycache_guard.git.listing import select_paths

        paths = select_paths(listing, may_concern_us_when_counted, is_relevant)
        named = large.records_at([*filter(is_bytecode_path, paths)])
    else:
        wanted = _always if content == "all" else is_relevant
        records = select_records(listing, may_concern_us_when_counted, wanted)
        named = filter_bytecode_paths(records) if records else []
    named = source.committed(named)
    changes = None if comparison is None else source.read_diff(comparison)
    files = changes.files_with_new_content() if changes else []
    if content == "all":
        files = filter_with_content(records)
    is_touched = changes is not None and changes.touch_attributes()
    # `verify-bytecode` asks what attributes do to the bytecode by path too.
    if not (named or files or is_touched):
        return named, [], []
    if large:
        records = large.records_at([*filter(names_attributes, paths)])
    attributes = [record for record in records if is_attributes_file(record)]
    if attributes and is_touched:
        # Changed attributes can turn unchanged files into bytecode.
        files = filter_with_content(select_records(source.list_entries(), _always, _always))
    return named, files, attributes


def changed_records(
    source: Index | Tree, content: str, unread: Unread
) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Return the same as `records_to_check` for entries that differ from HEAD."""
    from pycache_guard.git.listing import is_attributes_file, select_records

    comparison = source.start_diff()
    source.require()
    changes = source.read_diff(comparison)
    source.check_changes(changes)
    records = changes.records()
    unread.entries = len(records)
    files = changes.files_with_new_content() if content == "new" else filter_with_content(records)
    named = source.committed(filter_bytecode_paths(records))
    if content == "none" or not (files or changes.touch_attributes()):
        return named, [], []
    listing = select_records(source.list_entries(), may_be_relevant, is_relevant)
    attributes = [record for record in listing if is_attributes_file(record)]
    if attributes and changes.touch_attributes():
        files = filter_with_content(select_records(source.list_entries(), _always, _always))
    return named, files, attributes


def _always(_: bytes) -> bool:
    """Return True for every path."""
    return True


def may_be_relevant(block: bytes) -> bool:
    """Return whether a block of a listing can name bytecode or a `.gitattributes` at all.

    The same as `may_contain_bytecode` of `bytecode.names`, which takes 0.2 ms to import: a clean run
    imports nothing of `bytecode`.
    """
    from pycache_guard.git.listing import ATTRIBUTES

    lowered = block.lower()
    return (
        b"__pycache__" in lowered
        or b".pyc" in lowered
        or b".pyo" in lowered
        or (b"$" in lowered and b"$py.class" in lowered)
        or ATTRIBUTES in lowered
    )


def is_relevant(path: bytes) -> bool:
    """Return whether a path is that of bytecode or of a `.gitattributes`."""
    from pycache_guard.bytecode.names import is_bytecode_path
    from pycache_guard.git.listing import names_attributes

    return is_bytecode_path(path) or names_attributes(path)


def filter_bytecode_paths(records: Iterable[bytes]) -> list[bytes]:
    """Return the records whose path is that of bytecode."""
    from pycache_guard.bytecode.names import is_bytecode_path
    from pycache_guard.git.listing import path_of

    return [record for record in records if is_bytecode_path(path_of(record))]


def filter_with_content(records: Iterable[bytes]) -> list[bytes]:
    """Return the records that have a blob."""
    from pycache_guard.git.listing import has_content

    return [record for record in records if has_content(record)]


def examine_contents(files: list[bytes], attributes: list[bytes], unread: Unread) -> Contents:
    """Return which files contain bytecode, as they are stored and as git checks them out.

    `files` and `attributes`, the `.gitattributes` files that apply to them, are records. Each blob is
    read once. Raises `GitFailure` if a blob is missing.
    """
    contents = Contents()
    unread.read = len(files)
    if not files:
        return contents
    from pycache_guard.bytecode.sniff import (
        ARCHIVE_HEAD_LENGTH,
        HEAD_BYTES,
        is_archive,
        is_bytecode,
        is_lfs_pointer,
        may_become_bytecode,
    )
    from pycache_guard.git.listing import blob_of, path_of
    from pycache_guard.git.objects import read_prefixes

    paths = {blob_of(record): path_of(record) for record in files}

    def path_of_blob(blob: str) -> str:
        from os import fsdecode

        return fsdecode(paths[blob])

    suspects = set()
    for blob, head in read_prefixes([*paths], ARCHIVE_HEAD_LENGTH, path_of_blob):
        if is_bytecode(head[:HEAD_BYTES]):
            contents.held[blob] = head[:HEAD_BYTES]
        elif is_lfs_pointer(head):
            unread.add(LFS_POINTER, paths[blob])
        elif is_archive(head):
            unread.add(ARCHIVE, paths[blob])
        if may_become_bytecode(head):
            suspects.add(blob)
    if attributes:
        from pycache_guard.git.checkout import Checkout

        with Checkout(attributes) as checkout:
            plain = [record for record in files if blob_of(record) not in contents.held]
            contents.converted, filtered = checkout.bytecode_among(plain, suspects)
        for record in filtered:
            unread.add(FILTERED, path_of(record))
    return contents


def read_bytecode_heads(ids: Iterable[str]) -> dict[str, bytes]:
    """Return the blobs among `ids` that are bytecode, with their first bytes.

    Each is read once. Raises `GitFailure` if one is missing.
    """
    blobs = list(dict.fromkeys(ids))
    if not blobs:
        return {}
    from pycache_guard.bytecode.sniff import HEAD_BYTES, is_bytecode
    from pycache_guard.git.objects import read_prefixes

    return {blob: head for blob, head in read_prefixes(blobs, HEAD_BYTES) if is_bytecode(head)}


def load_config(source: Readable, *, thorough: bool = True) -> Config | None:
    """Return the configuration in `pyproject.toml` of `source`, or None.

    The parser costs 9 ms and is imported only if the file mentions this program. In a sparse
    checkout the file can be in the index only, which is read only if `thorough`.
    """
    data = source.read(CONFIGURATION, thorough=thorough)
    if not thorough and data is not None and may_mention(data):
        data = source.read(CONFIGURATION, thorough=True)
    if data is None or not may_mention(data):
        return None
    from pycache_guard.config import parse

    return parse(data, CONFIGURATION)


def settings_at(revision: str) -> Config | None:
    """Return the configuration in the tree of `revision` (gitrevisions(7)), or None.

    Raises `Failure` if the revision does not exist in this repository.
    """
    from pycache_guard.git.tree import RevisionFiles

    return load_config(RevisionFiles(revision))


def configured_ignores(config_from: str | None = None) -> tuple[str, ...]:
    """Return the codes that the repository's configuration ignores; none outside a repository.

    With `config_from` the configuration is that of this revision. Raises `Failure` for a wrong
    configuration.
    """
    if config_from:
        config = settings_at(config_from)
        return config.ignore if config else ()
    from pycache_guard.git.repository import may_find_repository, toplevel

    if not may_find_repository():
        return ()
    from pycache_guard.git.index import Index
    from pycache_guard.git.process import GitFailure

    try:
        if toplevel() is None:
            return ()
    except GitFailure:
        return ()
    config = load_config(Index())
    return config.ignore if config else ()


def may_mention(data: bytes) -> bool:
    """Return whether `pyproject.toml` with the bytes `data` may have a table for this program.

    A key can be written with escapes (TOML, section "Keys"), and with an underscore by mistake.
    """
    text = data.lower()
    return any(name in text for name in MENTIONS)
