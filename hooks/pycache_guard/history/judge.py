"""From revisions to the findings in their commits."""

from __future__ import annotations

from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.bytecode.names import may_name_bytecode
from pycache_guard.bytecode.sniff import ARCHIVE_HEAD_LENGTH
from pycache_guard.git.history import Differs
from pycache_guard.git.history import brought
from pycache_guard.git.listing import has_content
from pycache_guard.git.listing import path_of
from pycache_guard.git.loose import brought_by
from pycache_guard.git.loose import not_commits
from pycache_guard.git.objects import Reader
from pycache_guard.git.process import GitFailure
from pycache_guard.git.revisions import DEEPEN
from pycache_guard.git.revisions import batches
from pycache_guard.git.revisions import cut_off
from pycache_guard.git.revisions import shallow
from pycache_guard.history.contents import Contents
from pycache_guard.survey import settings

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
    from pycache_guard.git.history import Brought
    from pycache_guard.git.process import Git
    from pycache_guard.git.revisions import Revisions
    from pycache_guard.survey import Readable
    from pycache_guard.survey import Unread

    #: What is bytecode, by object id and path: its record, and where it comes in.
    Found = dict[bytes, tuple[bytes, list[str]]]


def judge(
    revisions: Revisions,
    source: Callable[[Reader], Readable],
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
    listing = revisions.listing()
    differs = Differs()
    reader = Reader(ARCHIVE_HEAD_LENGTH)
    contents = Contents(reader, unread) if content == "new" else None
    boundary = shallow()
    try:
        files = source(reader)
        config = settings(files, thorough=False)
        trees, blobs = not_commits(revisions, reader)
        cut: list[str] = []
        edges: list[str] = []
        commits = counted(batches(listing, edges), boundary, cut, told)
        found = gathered(
            differs.brought(commits, bool if contents else may_name_bytecode), contents
        )
        if not contents:
            found = exactly(found)
        named = gathered(brought_by(trees, blobs), contents)
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
            from pycache_guard.config import Allowance
            from pycache_guard.history import telling

            config = config or settings(files, thorough=True)
            findings = telling.findings(
                found,
                named,
                revisions=revisions,
                trees=trees,
                allowances=[*(config.allow if config else ()), *map(Allowance, allow)],
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


def gathered(stream: Iterable[Brought], contents: Contents | None) -> Found:
    """Keep what is bytecode, by path or, with `contents`, by content."""
    found: Found = {}

    def keep(where: str, record: bytes) -> None:
        found.setdefault(record.partition(b" ")[2], (record, []))[1].append(where)

    for where, record in stream:
        if contents:
            contents.note_place(where, record)
        if is_bytecode_path(path_of(record)):
            keep(where, record)
        elif contents and has_content(record):
            for item in contents.judge(where, record):
                keep(*item)
    for item in contents.rest() if contents else ():
        keep(*item)
    return found


def without(
    becoming: Mapping[bytes, tuple[bytes, list[str], Becoming]],
    found: Found,
    named: Found,
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


def exactly(found: Found) -> Found:
    """Keep what none of the parents has: paths alone are first compared with one of them.

    That is a third less work at a merge, and what stands at no new path there is new in none.
    """
    commits = dict.fromkeys(commit for _, several in found.values() for commit in several)
    return gathered(brought(commits), None) if commits else found


def counted(
    all_batches: Iterable[list[bytes]],
    boundary: Git | None,
    cut: list[str],
    told: Callable[[int], object],
) -> Iterator[list[bytes]]:
    """Pass batches of commits on; count them, and note those whose parents are cut off."""
    ends: frozenset[bytes] | None = None
    for batch in all_batches:
        if ends is None:
            ends = cut_off(boundary)
        told(len(batch))
        cut += map(bytes.decode, ends.intersection(batch))
        yield batch


def missing_parents(cut: list[str]) -> Iterator[str]:
    """Say that history ends where it has not begun."""
    if cut:
        yield (
            f"this clone is shallow: what lies behind commit {min(cut)} is not here and was not judged;"
            f" {DEEPEN}"
        )


def missing_blobs(contents: Contents | None) -> Iterator[str]:
    """Say that contents were not read."""
    if contents and contents.missing:
        yield (
            f"{contents.missing_count} blobs are not here, the first being {contents.missing}, and"
            " their content was not judged: in a partial clone, clone again without `--filter`, or"
            " leave contents out with `--content none`"
        )
