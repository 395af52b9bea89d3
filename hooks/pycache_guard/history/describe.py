"""Findings about bytecode in commits, with advice: rewrite what is not pushed, or all of history."""

from __future__ import annotations

import os
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from pycache_guard.allowlist import MODE_DESCRIPTIONS, AllowList, interpreter_name
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.findings import DOCS_URL, Finding, Rule
from pycache_guard.git.entries import SUBMODULE
from pycache_guard.git.globs import match_globs
from pycache_guard.git.history import added_entries_matching, added_files
from pycache_guard.git.listing import parse_entry, tree_of
from pycache_guard.git.objects import MAX_IN_FLIGHT
from pycache_guard.git.process import git_output
from pycache_guard.git.repository import is_sparse, toplevel, try_rev_parse
from pycache_guard.git.revisions import Revisions, parents_of
from pycache_guard.git.tree import Tree
from pycache_guard.misplaced import advise_move, describe_kind, is_misplaced
from pycache_guard.remedies import leaks_command, rewrite_history, rewrite_unpushed, shell_quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pycache_guard.config import AllowEntry
    from pycache_guard.git.checkout import Becoming
    from pycache_guard.git.entries import Entry
    from pycache_guard.git.objects import ObjectReader
    from pycache_guard.history.scan import BytecodeByKey

    #: An entry with the commits that add it, in the order of history, or with names.
    Occurrence = tuple[Entry, list[str]]
    #: Size and first bytes of a blob.
    Head = tuple[int, bytes]

ROTATE = "treat any secrets in it as leaked and rotate them"
#: Findings of one commit that each name the command that lists leaks.
MAX_LEAKS_COMMANDS = 10
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
    # Git lists every commit for it, so it is asked once, and only if somebody needs the order.
    order = cache(lambda: _order_commits(found, revisions))
    places = _sort_occurrences(found, order)
    loose = [(parse_entry(record), names) for record, names in named.values()]
    firsts = [*dict.fromkeys(where[0] for _, where in places)]
    # A file that only becomes bytecode may have been added by another commit.
    whole = [where[0] for entry, where in places if key_of(entry) in becoming]
    whole_trees = [*trees.values(), *whole]
    matched = match_globs(
        [a.glob for a in allowances],
        lambda glob: entries_matching(glob, firsts, whole_trees),
        lambda: chain(added_files(firsts), *map(tree_of, whole_trees)),
    )
    grants = AllowList(zip(allowances, matched, strict=True))
    blobs = {a.blob for a in allowances}
    places = [place for place in places if not grants.allows(place[0])]
    loose = [
        (e, names) for e, names in loose if not (grants.allows(e) if e.path else e.blob in blobs)
    ]
    entries = [entry for entry, _ in places + loose]
    heads = read_heads(reader, (e.blob for e in entries if e.mode != SUBMODULE))
    # No command removes from all history what may be the only copy of a program.
    removable = [(e, where) for e, where in places if not is_kept(e, heads.get(e.blob))]
    advice = advise_on_occurrences(removable, order, allowances, is_receiving=is_receiving)
    return [
        *(commit_finding(e, commits, heads.get(e.blob), advice, becoming) for e, commits in places),
        *(object_finding(e, names[0], heads.get(e.blob), trees, becoming) for e, names in loose),
    ]


def entries_matching(glob: str, commits: Iterable[str], trees: Iterable[str]) -> list[Entry]:
    """Return the entries of trees, and those that commits add, that a glob matches."""
    return added_entries_matching(glob, commits) + [
        e for tree in trees for e in Tree(tree).entries_matching(glob)
    ]


def is_kept(entry: Entry, head: Head | None) -> bool:
    """Return whether an entry is in a cache directory and is not bytecode."""
    return is_misplaced(entry.path, head[1] if head else b"", entry.mode)


def advise_on_occurrences(
    places: Sequence[Occurrence],
    order: Callable[[], list[str]],
    allowances: Sequence[AllowEntry],
    *,
    is_receiving: bool,
) -> Advice:
    """Return the advice for the commits of `places`; `order` returns them, the oldest first."""
    paths: dict[str, list[str]] = {}
    for entry, commits in places:
        paths.setdefault(commits[0], []).append(entry.path)
    oldest_first = order() if len(paths) > 1 else paths
    in_order = {commit: sorted(paths[commit]) for commit in oldest_first if commit in paths}
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
    parts = [f"{what} comes in with commit {commits[0]}{more}: {_describe(entry, head)}", sentence]
    if advice.names_leaks(commits[0], entry.path) and is_readable(entry, head):
        parts.append(
            f"`{leaks_command(commits[0], entry.path)}` lists what its source does not contain"
        )
    return Finding(
        entry.path,
        rule,
        "; ".join(filter(None, parts)),
        None if kept else advice.command(commits[0]),
        commit=commits[0],
        blob=entry.blob,
        size=head[0] if head else None,
        commit_count=len(commits),
        is_kept=kept,
        rank=advice.rank(commits[0]),
    )


def is_readable(entry: Entry, head: Head | None) -> bool:
    """Return whether `inspect` can read what an entry contains."""
    return entry.is_file and head is not None and identify_magic(head[1]) is not None


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
    if entry.path and name in trees and is_readable(entry, head):
        advice += (
            f"; `{leaks_command(trees[name], entry.path)}` lists what its source does not contain"
        )
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


def _order_commits(found: BytecodeByKey, revisions: Revisions) -> list[str]:
    """Return the commits that add entries, each before those that descend from it."""
    commits = {commit for _, several in found.values() for commit in several}
    return [*revisions.in_order(commits)]


def _sort_occurrences(found: BytecodeByKey, order: Callable[[], list[str]]) -> list[Occurrence]:
    """Return entries, each with its commits in the order that `order` returns."""
    has_several = any(len(commits) > 1 for _, commits in found.values())
    position = {commit: n for n, commit in enumerate(order() if has_several else ())}
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
    """Return a clause with the object and its size."""
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


#: Printed once, if there is a finding whose commit a remote may have.
REWRITE_NOTE = (
    "`git filter-repo` (`python3 -m pip install git-filter-repo`) takes the paths out of all history,"
    " in a fresh clone: every commit from the first of them on gets a new id, and the clone loses its"
    " remote. Add the remote again, force-push all branches and tags, and ask everyone who has a clone"
    f" to clone again: {DOCS_URL}/history.md"
)


class Advice:
    """A sentence and a command for each commit with bytecode."""

    def __init__(
        self,
        paths: Mapping[str, Sequence[str]],
        sentences: Mapping[str, str],
        commands: Mapping[str, str | None],
        *,
        is_receiving: bool = False,
    ) -> None:
        self._is_receiving = is_receiving
        self._firsts = {commit: several[0] for commit, several in paths.items()}
        self._counts = {commit: len(several) for commit, several in paths.items()}
        self._ranks = {commit: n for n, commit in enumerate(paths)}
        self._sentences = sentences
        self._commands = commands

    def rank(self, commit: str) -> int:
        """Return the position of a commit in history; the oldest has 0."""
        return self._ranks.get(commit, len(self._ranks))

    def names_leaks(self, commit: str, path: str) -> bool:
        """Return whether the finding for `path` names the command that lists leaks: at most ten for a commit.

        What a server refuses has not leaked.
        """
        if self._is_receiving:
            return False
        return self._counts.get(commit, 0) <= MAX_LEAKS_COMMANDS or path == self._firsts[commit]

    def sentence(self, commit: str, path: str) -> str:
        """Return the advice for the first path of a commit, an empty string for the others."""
        return self._sentences[commit] if path == self._firsts[commit] else ""

    def command(self, commit: str) -> str | None:
        """Return the command that removes the bytecode of a commit, None if one command is not enough."""
        return self._commands.get(commit)


def advise(
    paths: Mapping[str, Sequence[str]], allowed: Sequence[str], *, is_receiving: bool
) -> Advice:
    """Return the advice for commits, the oldest first, with the paths that each adds.

    Paths that the globs `allowed` match stay. With `is_receiving` the commits are being pushed to this
    server, so another person has to act.
    """
    if is_receiving or not paths:
        parents = parents_of(paths)
        sentences = {c: f"the push is refused; {describe_removal(parents[c])}" for c in paths}
        return Advice(paths, sentences, {}, is_receiving=is_receiving)
    is_bare = toplevel() is None
    unpushed = dict.fromkeys([] if is_bare else find_unpushed(paths))
    pushed = [commit for commit in paths if commit not in unpushed]
    remote = None if is_bare else remote_name()
    shared = rewrite_history(all_paths(paths, pushed), remote, is_bare=is_bare)
    sentences = dict.fromkeys(pushed, f"others may have it: {ROTATE}")
    commands: dict[str, str | None] = dict.fromkeys(pushed, shared)
    line = dict.fromkeys(find_rewritable([*unpushed]))
    parents = parents_of(unpushed)
    rewrite = rewrite_command(all_paths(paths, line), allowed, [*line], parents)
    for commit in unpushed:
        commands[commit] = rewrite if commit in line else None
        sentences[commit] = (
            f"it is not pushed: {describe_removal(parents[commit], merges=commit not in line)}"
        )
        if commands[commit]:
            sentences[commit] += ", or the command below"
    return Advice(paths, sentences, commands)


def all_paths(paths: Mapping[str, Sequence[str]], commits: Iterable[str]) -> list[str]:
    """Return the paths that commits add, each once."""
    return sorted({path for commit in commits for path in paths[commit]})


def describe_removal(parents: Sequence[str], *, merges: bool = False) -> str:
    """Return a clause on how to remove a file from a commit, with `merges` if merges may follow."""
    option = " --rebase-merges" if merges or len(parents) > 1 else ""
    return f"`git rebase -i{option} {parents[0][:12] if parents else '--root'}` can drop it"


def find_unpushed(commits: Iterable[str]) -> list[str]:
    """Return the commits that only local branches contain, and no remote-tracking ref, oldest first."""
    return [*Revisions({}, (), "--branches", "--not", "--remotes").in_order({*commits})]


def remote_name() -> str | None:
    """Return `origin` if there is a remote of this name, else the first remote."""
    names = git_output("remote").decode("utf-8", "surrogateescape").split("\n")[:-1]
    return "origin" if "origin" in names else next(iter(names), None)


def find_rewritable(unpushed: Sequence[str]) -> list[str]:
    """Return the commits that one rewrite of the newest commits of HEAD covers.

    From the first of them up to HEAD, which is a branch, no commit is a merge.
    """
    if not unpushed or try_rev_parse("HEAD^{commit}") is None:
        return []
    if git_output("rev-parse", "--symbolic-full-name", "HEAD") == b"HEAD\n":
        return []
    newest = git_output("rev-list", "--parents", "--first-parent", "HEAD", "--not", "--remotes")
    line: set[str] = set()
    for text in newest.decode("ascii").splitlines():
        commit, *parents = text.split(" ")
        if len(parents) > 1:
            break
        line.add(commit)
    return [commit for commit in unpushed if commit in line]


def rewrite_command(
    paths: Sequence[str],
    allowed: Sequence[str],
    commits: Sequence[str],
    parents: Mapping[str, Sequence[str]],
) -> str | None:
    """Return the command that rewrites the first of `commits` and all later ones as one commit."""
    if not commits:
        return None
    head = git_output("rev-parse", "HEAD").decode("ascii").strip()
    base = parents[commits[0]]
    return rewrite_unpushed(
        paths,
        allowed,
        tip=head,
        base=base[0] if base else None,
        is_amend=commits[0] == head,
        sparse=is_sparse(),
    )
