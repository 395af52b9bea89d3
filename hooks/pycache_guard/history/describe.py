"""Turn added bytecode into findings, minus allowed entries."""

from __future__ import annotations

import os

from pycache_guard.allowlist import MODE_DESCRIPTIONS
from pycache_guard.allowlist import AllowList
from pycache_guard.allowlist import interpreter_name
from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.git.entries import SUBMODULE
from pycache_guard.git.history import added_entries_matching
from pycache_guard.git.listing import parse_entry
from pycache_guard.git.objects import MAX_IN_FLIGHT
from pycache_guard.git.tree import Tree
from pycache_guard.history.advice import ROTATE
from pycache_guard.history.advice import Advice
from pycache_guard.history.advice import advise
from pycache_guard.misplaced import advise_move
from pycache_guard.misplaced import describe_kind
from pycache_guard.misplaced import is_misplaced
from pycache_guard.remedies import shell_quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from collections.abc import Sequence

    from pycache_guard.config import AllowEntry
    from pycache_guard.git.checkout import Becoming
    from pycache_guard.git.entries import Entry
    from pycache_guard.git.objects import ObjectReader
    from pycache_guard.git.revisions import Revisions
    from pycache_guard.history.scan import BytecodeByKey

    #: An entry, and where it comes in: commits in the order of history, or names.
    Occurrence = tuple[Entry, list[str]]
    #: Size and first bytes of a blob.
    Head = tuple[int, bytes]

ROTATE_HINT = f"if this was pushed, {ROTATE}"


def to_findings(
    found: BytecodeByKey,
    named: BytecodeByKey,
    *,
    revisions: Revisions,
    trees: Mapping[str, str],
    allowances: Sequence[AllowEntry],
    reader: ObjectReader,
    becoming: Mapping[bytes, Becoming],
    is_receiving: bool = False,
) -> list[Finding]:
    """Return findings for the entries `found` in commits, each once, and for those `named` directly.

    `trees` has the names and ids of the trees among the latter. `becoming` has what makes some of them
    bytecode at checkout, by object id and path. With `is_receiving` this is a server, and the commits
    are not in it yet. Findings are grouped by commit, the oldest first.
    """
    places = _sort_occurrences(found, revisions)
    loose = [(parse_entry(record), names) for record, names in named.values()]
    firsts = [*dict.fromkeys(where[0] for _, where in places)]
    # What only becomes bytecode may have come in with another commit.
    whole = [where[0] for entry, where in places if key_of(entry) in becoming]
    grants = AllowList((a, matching(a.glob, firsts, [*trees.values(), *whole])) for a in allowances)
    blobs = {a.blob for a in allowances}
    places = [place for place in places if not grants.allows(place[0])]
    loose = [
        (e, names) for e, names in loose if not (grants.allows(e) if e.path else e.blob in blobs)
    ]
    entries = [entry for entry, _ in places + loose]
    heads = read_heads(reader, (e.blob for e in entries if e.mode != SUBMODULE))
    # Nothing takes a file out of all history that may be the only copy of a program.
    removable = [(e, where) for e, where in places if not is_kept(e, heads.get(e.blob))]
    advice = advise_on(removable, revisions, allowances, is_receiving=is_receiving)
    return [
        *(commit_finding(e, commits, heads.get(e.blob), advice, becoming) for e, commits in places),
        *(object_finding(e, names[0], heads.get(e.blob), trees, becoming) for e, names in loose),
    ]


def matching(glob: str, commits: Iterable[str], trees: Iterable[str]) -> list[Entry]:
    """Return the entries of trees, and those that commits add, that a glob matches."""
    return added_entries_matching(glob, commits) + [
        e for tree in trees for e in Tree(tree).entries_matching(glob)
    ]


def is_kept(entry: Entry, head: Head | None) -> bool:
    """Return whether an entry lies in a cache directory and is not bytecode."""
    return is_misplaced(entry.path, head[1] if head else b"", entry.mode)


def advise_on(
    places: Sequence[Occurrence],
    revisions: Revisions,
    allowances: Sequence[AllowEntry],
    *,
    is_receiving: bool,
) -> Advice:
    """Return what to do about the commits of `places`."""
    paths: dict[str, list[str]] = {}
    for entry, commits in places:
        paths.setdefault(commits[0], []).append(entry.path)
    oldest_first = revisions.in_order(paths) if len(paths) > 1 else paths
    in_order = {commit: sorted(paths[commit]) for commit in oldest_first}
    return advise(in_order, [a.glob for a in allowances], is_receiving=is_receiving)


def commit_finding(
    entry: Entry,
    commits: list[str],
    head: Head | None,
    advice: Advice,
    becoming: Mapping[bytes, Becoming],
) -> Finding:
    """Return the finding for an entry that `commits` add; the advice appears once per commit."""
    rule, what = _allowed_or_found(entry, head, becoming.get(key_of(entry)))
    kept = is_kept(entry, head)
    sentence = advise_move(entry.path) if kept else advice.sentence(commits[0], entry.path)
    more = f" and {len(commits) - 1} more" if len(commits) > 1 else ""
    return Finding(
        entry.path,
        rule,
        f"{what} comes in with commit {commits[0]}{more}: {_describe(entry, head)}"
        + (f"; {sentence}" if sentence else ""),
        None if kept else advice.command(commits[0]),
        commit=commits[0],
        blob=entry.blob,
        size=head[0] if head else None,
        commit_count=len(commits),
        is_kept=kept,
        rank=advice.rank(commits[0]),
    )


def object_finding(
    entry: Entry,
    name: str,
    head: Head | None,
    trees: Mapping[str, str],
    becoming: Mapping[bytes, Becoming],
) -> Finding:
    """Return the finding for the blob that `name` names, or for an entry of the tree that it names."""
    rule, what = _allowed_or_found(entry, head, becoming.get(key_of(entry)))
    where = f"is in the tree that {name} names" if entry.path else f"is what {name} names"
    kept = is_kept(entry, head)
    is_ref = name.startswith("refs/")
    advice = advise_move(entry.path) if kept else ROTATE_HINT
    if not (kept or is_ref):
        points = f"git for-each-ref --points-at {trees.get(name, entry.blob)}"
        advice += f"; delete each ref that `{points}` lists"
    return Finding(
        entry.path or None,
        rule,
        f"{what} {where}: {_describe(entry, head)}; {advice}",
        f"git update-ref -d {shell_quote(name)}" if is_ref and not kept else None,
        blob=entry.blob,
        size=head[0] if head else None,
    )


def _sort_occurrences(found: BytecodeByKey, revisions: Revisions) -> list[Occurrence]:
    """Return entries, each with its commits, a commit before those that descend from it."""
    several = {commit for _, commits in found.values() if len(commits) > 1 for commit in commits}
    order = revisions.in_order(several) if several else ()
    position = {commit: n for n, commit in enumerate(order)}
    return [
        (parse_entry(record), sorted(set(commits), key=lambda commit: position.get(commit, 0)))
        for record, commits in found.values()
    ]


def key_of(entry: Entry) -> bytes:
    """Return the object id and the path of an entry, as a record has them."""
    return os.fsencode(f"{entry.blob}\t{entry.path}")


def _allowed_or_found(
    entry: Entry, head: Head | None, becoming: Becoming | None
) -> tuple[Rule, str]:
    """Return the rule that `entry` breaks, and what it is."""
    if is_kept(entry, head):
        return Rule.PYC001, describe_kind(entry.path, entry.mode)
    if is_bytecode_path(os.fsencode(entry.path)):
        return Rule.PYC001, MODE_DESCRIPTIONS.get(entry.mode, "bytecode")
    if becoming is not None:
        attributes, written = becoming
        return Rule.PYC002, f"{interpreter_name(written)} bytecode at checkout (`{attributes}`)"
    return Rule.PYC002, f"{interpreter_name(head[1] if head else b'')} bytecode under another name"


def _describe(entry: Entry, head: Head | None) -> str:
    """Name the object and its size."""
    if entry.mode == SUBMODULE:
        return f"commit {entry.blob} of another repository"
    return f"blob {entry.blob}, " + (f"{head[0]} bytes" if head else "which is missing")


def read_heads(reader: ObjectReader, blobs: Iterable[str]) -> dict[str, Head]:
    """Return size and first bytes of the blobs that exist here."""
    ids = [*dict.fromkeys(blobs)]
    heads = {}
    for start in range(0, len(ids), MAX_IN_FLIGHT):
        reader.ask(ids[start : start + MAX_IN_FLIGHT])
        heads.update({answer[0]: answer[2:] for answer in reader.answers() if answer})
    return heads
