"""Find bytecode in the commits of a range, and turn it into findings."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

from pycache_guard.bytecode.names import is_bytecode_path, may_contain_bytecode
from pycache_guard.bytecode.sniff import ARCHIVE_HEAD_LENGTH
from pycache_guard.git.history import DiffTreePool, added_records, non_commit_objects, records_in
from pycache_guard.git.listing import has_content, path_of
from pycache_guard.git.objects import ObjectReader
from pycache_guard.git.process import GitFailure
from pycache_guard.git.revisions import (
    UNSHALLOW_HINT,
    iter_commits,
    shallow_boundary,
    start_shallow_check,
)
from pycache_guard.history.contents import ContentScanner
from pycache_guard.scan import load_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

    from pycache_guard.findings import Finding
    from pycache_guard.git.checkout import Becoming
    from pycache_guard.git.history import AddedRecord
    from pycache_guard.git.process import Git
    from pycache_guard.git.revisions import Revisions
    from pycache_guard.scan import Readable, Unread

    #: Bytecode by object id and path: the record, and the commits or names that add it.
    BytecodeByKey = dict[bytes, tuple[bytes, list[str]]]


def check_commits(
    revisions: Revisions,
    source: Callable[[ObjectReader], Readable],
    *,
    reader: ObjectReader | None = None,
    content: str = "new",
    allow: Sequence[str] = (),
    on_progress: Callable[[int], object] = int,
    unread: Unread | None = None,
    is_receiving: bool = False,
) -> tuple[list[Finding], list[str]]:
    """Return findings for the bytecode that commits add, and messages about what cannot be checked.

    `source` returns the object that reads the configuration; `allow` adds globs to it. `reader`, which reads
    `ARCHIVE_HEAD_LENGTH` bytes of each object, may be running already; it is closed. With the `content`
    `new`, the first bytes of each file are read that differs from every parent at the same path; with
    `none`, no file is read. `on_progress` is called with the size of each batch of commits. Files whose
    content is not examined are counted in `unread`. With `is_receiving`, this is a server that has not
    accepted the commits yet. Raises `Failure` if nothing can be checked.
    """
    listing = revisions.list_entries()
    differs = DiffTreePool()
    reader = reader or ObjectReader(ARCHIVE_HEAD_LENGTH)
    contents = ContentScanner(reader, unread) if content == "new" else None
    boundary = start_shallow_check()
    try:
        files = source(reader)
        config = load_config(files, thorough=False)
        trees, blobs = non_commit_objects(revisions, reader)
        cut: list[str] = []
        edges: list[str] = []
        commits = with_progress(iter_commits(listing, edges), boundary, cut, on_progress)
        found = collect_bytecode(
            differs.added_by(commits, bool if contents else may_contain_bytecode), contents
        )
        if not contents:
            found = keep_new_in_all_parents(found)
        named = collect_bytecode(records_in(trees, blobs), contents)
        becoming: dict[bytes, Becoming] = {}
        unjudged: list[str] = []
        at_edges = contents.attributes_at(edges, reader) if contents else []
        if contents and (contents.attributes or at_edges):
            from pycache_guard.history.at_checkout import CheckedRange, find_converted

            read = CheckedRange(revisions, contents, at_edges, len(edges), trees, reader)
            try:
                becoming = add_converted(find_converted(read), found, named, trees)
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
        return findings, [
            *unjudged,
            *describe_missing_parents(cut),
            *describe_missing_blobs(contents),
        ]
    finally:
        for process in (listing, *([boundary] if boundary else ())):
            process.kill()
        for several in (differs, reader, *([contents] if contents else ())):
            several.close()


def collect_bytecode(
    stream: Iterable[AddedRecord], contents: ContentScanner | None
) -> BytecodeByKey:
    """Return the records that are bytecode by their path or, with `contents`, by their content."""
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


def add_converted(
    becoming: Mapping[bytes, tuple[bytes, list[str], Becoming]],
    found: BytecodeByKey,
    named: BytecodeByKey,
    trees: Container[str],
) -> dict[bytes, Becoming]:
    """Add the files that become bytecode at checkout to `found` and `named`; return the reasons.

    Files that are bytecode as they are stored are in `found` or `named` already, and are skipped.
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
    """Return the entries that differ from all parents of their commit.

    Without contents, a merge is first compared with its first parent only, which takes a third less
    work. A path that does not differ from the first parent is not new in the merge.
    """
    commits = dict.fromkeys(commit for _, several in found.values() for commit in several)
    return collect_bytecode(added_records(commits), None) if commits else found


def with_progress(
    all_batches: Iterable[list[bytes]],
    boundary: Git | None,
    cut: list[str],
    on_progress: Callable[[int], object],
) -> Iterator[list[bytes]]:
    """Yield batches of commits; report progress, and add commits without parents here to `cut`."""
    ends: frozenset[bytes] | None = None
    for batch in all_batches:
        if ends is None:
            ends = shallow_boundary(boundary)
        on_progress(len(batch))
        cut += map(bytes.decode, ends.intersection(batch))
        yield batch


def describe_missing_parents(cut: list[str]) -> Iterator[str]:
    """Yield a message if a shallow clone lacks parents of the commits."""
    if cut:
        yield (
            f"this clone is shallow: the parents of commit {min(cut)} are missing and were not checked;"
            f" {UNSHALLOW_HINT}"
        )


def describe_missing_blobs(contents: ContentScanner | None) -> Iterator[str]:
    """Yield a message if blobs are missing."""
    if contents and contents.missing:
        yield (
            f"{contents.missing_count} blobs are missing, the first is {contents.missing}, and their"
            " contents were not checked; in a partial clone, clone again without `--filter`, or pass"
            " `--content none`"
        )
