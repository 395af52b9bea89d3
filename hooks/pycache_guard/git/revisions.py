"""Resolve arguments, ref lines and variables to commits, and list them with `git rev-list`."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

from pycache_guard.errors import Failure
from pycache_guard.git.objects import MAX_IN_FLIGHT, ObjectReader
from pycache_guard.git.process import (
    HEXADECIMAL,
    Git,
    GitFailure,
    git_output,
    is_object_id,
    object_id,
    parsing_output,
)
from pycache_guard.git.repository import is_repository, try_rev_parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping


#: Lengths of two object ids separated by a space, for SHA-1 and SHA-256; and of one or two.
PAIR_LENGTHS = {81, 129}
LINE_LENGTHS = {40, 64, *PAIR_LENGTHS}


#: What to do in a shallow clone.
UNSHALLOW_HINT = (
    "fetch it (`git fetch --unshallow`; in GitHub Actions `fetch-depth: 0`, in GitLab CI"
    " `GIT_DEPTH: 0`)"
)


class Revisions:
    """The commits that are reachable from `tips` and not from `excluded`, and the objects of `tips`.

    Ids are passed on stdin, because there may be 100,000 refs.
    """

    def __init__(
        self, tips: Mapping[str, str], excluded: Iterable[str] = (), *options: str
    ) -> None:
        #: Full ids of commits, tags, trees and blobs, each with its name for messages.
        self.tips = tips
        self.excluded = excluded
        #: Options of git-rev-list(1): `--all`, or `--not` and what follows it.
        self._options = options
        self._started: Git | None = None

    def start(self, *, parents: bool = False) -> None:
        """Start the listing, with or without `parents`, so that git works while others are read."""
        self._started = self._listing(self.tips, *(["--parents"] if parents else self._edges()))

    def list_entries(self) -> Git:
        """Return the listing of every commit, for `iter_commits`; start it if it is not started yet."""
        started, self._started = self._started, None
        return started or self._listing(self.tips, *self._edges())

    def in_order(self, commits: Container[str]) -> Iterator[str]:
        """Yield the ids in `commits` in topological order, each before its descendants."""
        for batch in iter_commits(self._listing(self.tips, "--date-order", "--reverse")):
            yield from (oid for oid in map(bytes.decode, batch) if oid in commits)

    def list_merges(self) -> Git:
        """Start listing the commits with several parents, for `iter_merges`."""
        return self._listing(self.tips, "--merges", "--parents")

    def introduces(self, oid: str) -> bool:
        """Return whether a tree or a blob is missing from the excluded commits, as far as git knows."""
        if not self.excluded and "--not" not in self._options:
            return True
        listing = self._listing([oid], "--objects-edge-aggressive", "--no-object-names")
        return oid.encode("ascii") in listing.output().split(b"\n")

    def _edges(self) -> list[str]:
        """Return the option that also lists the commits at the edge, each after a `-`."""
        return ["--boundary"] if self.excluded or "--not" in self._options else []

    def _listing(self, tips: Iterable[str], *options: str) -> Git:
        process = Git("rev-list", "--stdin", *options, *self._options, feed=True)
        lines = [*tips, *(f"^{oid}" for oid in self.excluded)]
        process.write("".join(f"{line}\n" for line in lines).encode("ascii"))
        process.close_stdin()
        return process


def parents_of(commits: Iterable[str]) -> dict[str, list[str]]:
    """Return the parents of each of some commits, by id."""
    ids = "".join(f"{commit}\n" for commit in commits)
    if not ids:
        return {}
    process = Git("rev-list", "--parents", "--no-walk", "--stdin", feed=True)
    process.write(ids.encode("ascii"))
    process.close_stdin()
    lines = map(str.split, process.output().decode("ascii").splitlines())
    return {commit: parents for commit, *parents in lines}


def iter_commits(listing: Git, edges: list[str] | None = None) -> Iterator[list[bytes]]:
    """Yield the commits of a listing, in batches, as git finds them.

    The commits at the edge of a range, which are not in it, are put into `edges`.

    In a listing with parents, each commit is followed by its first parent, as `DiffTreePool.added_by`
    takes it. Raises `GitFailure` for anything except object ids: `diff-tree` would ignore it silently.
    """
    for lines in iter_lines(listing):
        batch = [b" ".join(line.split(b" ", 2)[:2]) for line in lines if line[:1] != b"-"]
        if edges is not None and len(batch) != len(lines):
            edges += (object_id(line[1:], "rev-list") for line in lines if line[:1] == b"-")
        check_lengths(batch, LINE_LENGTHS)
        yield batch


def iter_merges(listing: Git) -> Iterator[list[bytes]]:
    """Yield the merges of a listing, in batches, as git finds them.

    Each merge comes once with each of its parents, as `DiffTreePool.added_by` takes it. Raises `GitFailure`.
    """
    for lines in iter_lines(listing):
        merges = [line.split(b" ") for line in lines]
        if any(len(ids) < 3 for ids in merges):
            raise GitFailure("git rev-list: its output is malformed")
        batch = [b"%s %s" % (merge, parent) for merge, *parents in merges for parent in parents]
        check_lengths(batch, PAIR_LENGTHS)
        yield batch


def iter_lines(listing: Git) -> Iterator[list[bytes]]:
    """Yield the lines of a listing in batches. Raises `GitFailure` for characters that no line has."""
    rest = b""
    for chunk in listing.chunks():
        if chunk.translate(None, HEXADECIMAL + b" -\n"):
            raise GitFailure("git rev-list: its output is malformed")
        *lines, rest = (rest + chunk).split(b"\n")
        yield lines
    if rest:
        raise GitFailure("git rev-list: its output is truncated")


def check_lengths(lines: list[bytes], lengths: set[int]) -> None:
    """Raise `GitFailure` if a line has none of the `lengths`."""
    if {*map(len, lines)} - lengths:
        raise GitFailure("git rev-list: its output is malformed")


def parse_ranges(words: Iterable[str], *options: str) -> Revisions:
    """Return the commits of arguments such as `A..B`, `C`, `^D` (gitrevisions(7)).

    Raises `Failure` for a word that is not a revision, for a range with an empty side, and where
    only commits to leave out are named.
    """
    tips = {}
    excluded = []
    for word in words:
        if word.startswith("-"):
            raise Failure(f"{word!r} is not a revision")
        check_sides(word)
        try:
            answer = git_output("rev-parse", word, "--")
        except Failure as failure:
            raise add_shallow_hint(failure) from None
        for line in answer.split(b"\n")[:-2]:
            oid = object_id(line.removeprefix(b"^"), "rev-parse")
            if line.startswith(b"^"):
                excluded.append(oid)
            else:
                tips[oid] = word
    if not tips:
        raise Failure("the range excludes commits and includes none")
    return Revisions(tips, excluded, *options)


def check_sides(word: str) -> None:
    """Raise `Failure` for an empty argument, and for a range that lacks a side.

    Git takes `HEAD` for a side that is missing (gitrevisions(7), "Dotted Range Notations"). In a
    script the side is missing because a variable is not set, and `..HEAD` would be an empty range.
    Git splits a word at its first `..` (`handle_dotdot` in revision.c).
    """
    left, dots, right = word.removeprefix("^").partition("..")
    sides = {"left": left, "right": right.removeprefix(".")} if dots else {"only": left}
    empty = [side for side, text in sides.items() if not text.strip()]
    if empty == ["only"]:
        raise Failure(f"{word!r} names no revision: is a variable not set?")
    if empty:
        which = " and the ".join(empty)
        plural = "s" if len(empty) > 1 else ""
        raise Failure(
            f"range {word!r}: the {which} side{plural} of the dots is empty; write it out"
        )


def add_shallow_hint(failure: Failure) -> Failure:
    """Return a failure to find a commit, and why it may be so: a shallow clone does not have it."""
    is_missing = any(words in str(failure) for words in ("bad revision", "bad object"))
    if is_missing and git_output("rev-parse", "--is-shallow-repository") == b"true\n":
        return Failure(f"{failure}; this clone is shallow: {UNSHALLOW_HINT}")
    return failure


def all_refs() -> Revisions:
    """Return everything that a ref or HEAD reaches."""
    form = "%(objectname) %(objecttype) %(*objecttype) %(refname)"
    loose = {}
    for line in git_output("for-each-ref", f"--format={form}").splitlines():
        with parsing_output("for-each-ref"):
            oid, kind, tagged, name = line.split(b" ", 3)
        if b"commit" not in (kind, tagged):
            loose[object_id(oid, "for-each-ref")] = name.decode("utf-8", "surrogateescape")
    return Revisions(loose, (), "--all")


def unpushed() -> Revisions | None:
    """Return the commits that HEAD has and its upstream branch lacks; None without an upstream."""
    head, upstream = try_rev_parse("HEAD^{commit}"), try_rev_parse("@{upstream}^{commit}")
    if head and upstream:
        return Revisions({head: "HEAD"}, [upstream])
    git_output(
        "rev-parse", "--git-dir"
    )  # that there is no repository at all is the first thing to say
    return None


def start_shallow_check() -> Git | None:
    """Start asking git whether this is a shallow clone; return None if files show that it is not.

    Files show it in a hook and at the top of a work tree, where the git directory is known.
    """
    directory = os.environ.get("GIT_DIR") or next(filter(is_repository, (".git", os.curdir)), "")
    elsewhere = {"GIT_COMMON_DIR", "GIT_SHALLOW_FILE"} & os.environ.keys()
    is_linked = any(os.path.exists(os.path.join(directory, n)) for n in ("commondir", "shallow"))
    if is_repository(directory) and not (elsewhere or is_linked):
        return None
    return Git("rev-parse", "--is-shallow-repository", "--git-path", "shallow")


def shallow_boundary(answer: Git | None) -> frozenset[bytes]:
    """Return the commits whose parents a shallow clone leaves out (gitrepository-layout(5))."""
    if answer is None:
        return frozenset()
    is_shallow, _, path = answer.output().partition(b"\n")
    if is_shallow != b"true":
        return frozenset()
    with open(os.environ.get("GIT_SHALLOW_FILE") or os.fsdecode(path[:-1]), "rb") as file:
        return frozenset(file.read().split())


def from_pre_push(lines: bytes, remote: str) -> Revisions | None:
    """Return the commits that a push sends to `remote`, a name or a URL; None if there are none.

    Commits that the branches of the remote had at the last fetch are left out. Raises `Failure` for
    malformed ref lines.
    """
    tips = {}
    known = set()
    for line in split_ref_lines(lines):
        # The local ref is what was typed, such as `HEAD^{/two words}`.
        name, new, _, old = line.rsplit(" ", 3) if line.count(" ") > 2 else ("", "", "", "")
        if is_ref_update(line, name, new, old):
            tips[new] = name
            known.add(old)
    return (
        Revisions(
            tips, existing_objects(sorted(filter(names_an_object, known))), *exclude_remote(remote)
        )
        if tips
        else None
    )


def unannounced(remote: str, url: str) -> Revisions:
    """Return the commits of HEAD and all branches that `remote` is not known to have.

    `pre-push` checks these if stdin has no line. Git calls the hook like this where nothing
    is to be pushed (githooks(5)), and another part of the hook, such as `git lfs pre-push`, may have
    read the lines. `remote` is a name or a URL; a URL means each remote that is configured with it.
    """
    head = try_rev_parse("HEAD^{commit}")
    names = {remote, *remotes_with_url(url or remote)}
    known = [option for name in sorted(names) for option in exclude_remote(name)[1:]]
    return Revisions(
        {head: "HEAD"} if head else {}, (), "--branches", *(["--not", *known] if known else ())
    )


def remotes_with_url(url: str) -> list[str]:
    """Return the names of the remotes that are configured to fetch from, or push to, `url`."""
    process = Git("config", "-z", "--get-regexp", r"^remote\..*\.(push)?url$")
    answer = os.fsdecode(b"".join(iter(process.read, b"")))
    process.wait(allowed=(0, 1))  # 1: there is no such setting (git-config(1))
    settings = (item.partition("\n") for item in answer.split("\0")[:-1])
    return [key.split(".", 1)[1].rpartition(".")[0] for key, _, value in settings if value == url]


def from_pre_receive(lines: bytes) -> Revisions | None:
    """Return the pushed commits that no ref here contains; None if refs are only deleted.

    Raises `Failure` for malformed ref lines, and if there are none: git always passes lines to
    `pre-receive`, so something else has read them.
    """
    if not lines:
        raise Failure("no ref lines on stdin; another part of the hook may have read them")
    tips = {}
    for line in split_ref_lines(lines):
        old, new, name = line.split(" ") if line.count(" ") == 2 else ("", "", "")
        if is_ref_update(line, name, new, old):
            tips[new] = name
    return Revisions(tips, (), "--not", "--all") if tips else None


def created_refs(lines: bytes) -> set[str]:
    """Return the names of the refs that a push creates. Raises as `from_pre_receive` does."""
    fields = (line.split(" ") for line in split_ref_lines(lines))
    return {name for old, new, name in fields if names_an_object(new) and not names_an_object(old)}


def from_runner_environment(environment: Mapping[str, str]) -> Revisions | None:
    """Return the commits that pre-commit or prek announces; None if no variable is set.

    Both set `PRE_COMMIT_FROM_REF` and `PRE_COMMIT_TO_REF`. If a root commit is pushed, prek sets only
    the second variable, and pre-commit only the branch (`_pre_push_ns` in its commands/hook_impl.py).
    Raises `Failure` if a value is not a revision.
    """
    first = environment.get("PRE_COMMIT_FROM_REF", "")
    last = environment.get("PRE_COMMIT_TO_REF") or environment.get("PRE_COMMIT_LOCAL_BRANCH")
    if not last:
        if first:
            raise Failure("PRE_COMMIT_FROM_REF is set without PRE_COMMIT_TO_REF")
        return None
    words = [last, f"^{first}"] if names_an_object(first) else [last]
    return parse_ranges(words, *exclude_remote(environment.get("PRE_COMMIT_REMOTE_NAME", "")))


def split_ref_lines(lines: bytes) -> list[str]:
    """Return the ref lines. Raises `Failure` if the last one has no newline."""
    *done, rest = lines.decode("utf-8", "surrogateescape").split("\n")
    if rest:
        raise Failure(f"truncated ref line on stdin: {rest!r}")
    return done


def is_ref_update(line: str, name: str, new: str, old: str) -> bool:
    """Return whether a ref is set and not deleted. Raises `Failure` if `line` is malformed."""
    ids = (new.encode("utf-8", "surrogateescape"), old.encode("utf-8", "surrogateescape"))
    if not (name and all(map(is_object_id, ids)) and len(new) == len(old)):
        raise Failure(f"malformed ref line on stdin: {line!r}")
    return names_an_object(new)


def names_an_object(oid: str) -> bool:
    """Return whether an object id names an object: git writes zeros for a missing one."""
    return oid.strip("0") != ""


def exclude_remote(remote: str) -> tuple[str, ...]:
    """Return the options that leave out what the branches of `remote` had when last seen.

    A URL has no such branches. A name with characters of a pattern is not used.
    """
    if not remote or set(remote) & set("*?[\\"):
        return ()
    return "--not", f"--remotes={remote}"


def existing_objects(oids: list[str]) -> list[str]:
    """Return those of `oids` that exist here; a remote can announce objects that were never fetched."""
    if not oids:
        return []
    reader = ObjectReader(0)
    try:
        found = []
        for start in range(0, len(oids), MAX_IN_FLIGHT):
            reader.ask(oids[start : start + MAX_IN_FLIGHT])
            found += [answer[0] for answer in reader.answers() if answer]
        return found
    finally:
        reader.close()
