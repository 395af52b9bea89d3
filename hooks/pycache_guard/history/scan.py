"""From revisions to the findings in their commits."""

from __future__ import annotations

from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.bytecode.names import may_contain_bytecode
from pycache_guard.bytecode.sniff import ARCHIVE_HEAD_LENGTH
from pycache_guard.git.history import DiffTreePool
from pycache_guard.git.history import added_records
from pycache_guard.git.history import non_commit_objects
from pycache_guard.git.history import records_in
from pycache_guard.git.listing import has_content
from pycache_guard.git.listing import path_of
from pycache_guard.git.objects import ObjectReader
from pycache_guard.git.process import GitFailure
from pycache_guard.git.revisions import UNSHALLOW_HINT
from pycache_guard.git.revisions import iter_commits
from pycache_guard.git.revisions import shallow_boundary
from pycache_guard.git.revisions import start_shallow_check
from pycache_guard.history.contents import ContentScanner
from pycache_guard.scan import load_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Container
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from pycache_guard.findings import Finding
    from pycache_guard.git.checkout import Becoming
    from pycache_guard.git.history import AddedRecord
    from pycache_guard.git.process import Git
    from pycache_guard.git.revisions import Revisions
    from pycache_guard.scan import Readable
    from pycache_guard.scan import Unread

    #: What is bytecode, by object id and path: its record, and where it comes in.
    BytecodeByKey = dict[bytes, tuple[bytes, list[str]]]


def check_commits(
    revisions: Revisions,
    source: Callable[[ObjectReader], Readable],
    *,
    content: str = "new",
    allow: Sequence[str] = (),
    told: Callable[[int], object] = int,
    unread: Unread | None = None,
    is_receiving: bool = False,
) -> tuple[list[Finding], list[str]]:
    """Return the bytecode that commits bring in, and what could not be judged, in words.

    `source` makes what has the configuration; `allow` are globs in addition to it. `content` is `new`, the
    first bytes of what differs from every parent at the same path, or `none`. `told` is called now
    and then with a number of commits that are being judged. Files that are not looked into are counted
    in `unread`. With `is_receiving` this is a server that does not have the commits yet. Raises
    `Failure` where nothing can be judged.
    """
    listing = revisions.list_entries()
    differs = DiffTreePool()
    reader = ObjectReader(ARCHIVE_HEAD_LENGTH)
    contents = ContentScanner(reader, unread) if content == "new" else None
    boundary = start_shallow_check()
    try:
        files = source(reader)
        config = load_config(files, thorough=False)
        trees, blobs = non_commit_objects(revisions, reader)
        cut: list[str] = []
        edges: list[str] = []
        commits = with_progress(iter_commits(listing, edges), boundary, cut, told)
        found = collect(
            differs.added_by(commits, bool if contents else may_contain_bytecode), contents
        )
        if not contents:
            found = keep_new_in_all_parents(found)
        named = collect(records_in(trees, blobs), contents)
        becoming: dict[bytes, Becoming] = {}
        unjudged: list[str] = []
        at_edges = contents.attributes_at(edges, reader) if contents else []
        if contents and (contents.attributes or at_edges):
            from pycache_guard.history.at_checkout import Commits
            from pycache_guard.history.at_checkout import becoming_bytecode

            read = Commits(revisions, contents, at_edges, len(edges), trees, reader)
            try:
                becoming = without(becoming_bytecode(read), found, named, trees)
            except GitFailure as failure:  # the rest is reported
                unjudged.append(str(failure))
        findings: list[Finding] = []
        if found or named:
            from pycache_guard.config import AllowEntry
            from pycache_guard.history import describe

            config = config or load_config(files, thorough=True)
            findings = describe.to_findings(
                found,
                named,
                revisions=revisions,
                trees=trees,
                allowances=[*(config.allow if config else ()), *map(AllowEntry, allow)],
                reader=reader,
                becoming=becoming,
                is_receiving=is_receiving,
            )
        return findings, [*unjudged, *missing_parents(cut), *missing_blobs(contents)]
    finally:
        for process in (listing, *([boundary] if boundary else ())):
            process.kill()
        for several in (differs, reader, *([contents] if contents else ())):
            several.close()


def collect(stream: Iterable[AddedRecord], contents: ContentScanner | None) -> BytecodeByKey:
    """Keep what is bytecode, by path or, with `contents`, by content."""
    found: BytecodeByKey = {}

    def keep(where: str, record: bytes) -> None:
        found.setdefault(record.partition(b" ")[2], (record, []))[1].append(where)

    for where, record in stream:
        if contents:
            contents.note_place(where, record)
        if is_bytecode_path(path_of(record)):
            keep(where, record)
        elif contents and has_content(record):
            for item in contents.add(where, record):
                keep(*item)
    for item in contents.drain() if contents else ():
        keep(*item)
    return found


def without(
    becoming: Mapping[bytes, tuple[bytes, list[str], Becoming]],
    found: BytecodeByKey,
    named: BytecodeByKey,
    trees: Container[str],
) -> dict[bytes, Becoming]:
    """Add what becomes bytecode at checkout to `found` and `named`; return what makes it that.

    What is there already is left out: bytecode as it is stored, by path or by content.
    """
    added = {}
    for key, (record, places, how) in becoming.items():
        for where in dict.fromkeys(places):
            target = named if where in trees else found
            if key in added or key not in target:
                target.setdefault(key, (record, []))[1].append(where)
                added[key] = how
    return added


def keep_new_in_all_parents(found: BytecodeByKey) -> BytecodeByKey:
    """Keep what none of the parents has: paths alone are first compared with one of them.

    That is a third less work at a merge, and what stands at no new path there is new in none.
    """
    commits = dict.fromkeys(commit for _, several in found.values() for commit in several)
    return collect(added_records(commits), None) if commits else found


def with_progress(
    all_batches: Iterable[list[bytes]],
    boundary: Git | None,
    cut: list[str],
    told: Callable[[int], object],
) -> Iterator[list[bytes]]:
    """Pass batches of commits on; count them, and note those whose parents are cut off."""
    ends: frozenset[bytes] | None = None
    for batch in all_batches:
        if ends is None:
            ends = shallow_boundary(boundary)
        told(len(batch))
        cut += map(bytes.decode, ends.intersection(batch))
        yield batch


def missing_parents(cut: list[str]) -> Iterator[str]:
    """Say that history ends where it has not begun."""
    if cut:
        yield (
            f"this clone is shallow: what lies behind commit {min(cut)} is not here and was not judged;"
            f" {UNSHALLOW_HINT}"
        )


def missing_blobs(contents: ContentScanner | None) -> Iterator[str]:
    """Say that contents were not read."""
    if contents and contents.missing:
        yield (
            f"{contents.missing_count} blobs are not here, the first being {contents.missing}, and"
            " their content was not judged: in a partial clone, clone again without `--filter`, or"
            " leave contents out with `--content none`"
        )
