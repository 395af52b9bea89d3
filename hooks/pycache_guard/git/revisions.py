"""Which commits are meant: what `git rev-list` is asked for, and its answer."""

from __future__ import annotations

import os

from pycache_guard.errors import Failure
from pycache_guard.git.process import HEXADECIMAL
from pycache_guard.git.process import Git
from pycache_guard.git.process import GitFailure
from pycache_guard.git.process import Reading
from pycache_guard.git.process import git
from pycache_guard.git.process import object_id
from pycache_guard.git.repository import resolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping

#: Of one object id, or two with a blank between them: SHA-1's, SHA-256's.
LENGTHS = {40, 81, 64, 129}


#: What to do in a shallow clone.
DEEPEN = (
    "fetch it (`git fetch --unshallow`; in GitHub Actions `fetch-depth: 0`, in GitLab CI"
    " `GIT_DEPTH: 0`)"
)


class Revisions:
    """Commits that can be reached from some objects and not from others, and those objects.

    What has a length that others choose goes to git's stdin: there may be 100 000 refs.
    """

    def __init__(
        self, tips: Mapping[str, str], excluded: Iterable[str] = (), *options: str
    ) -> None:
        #: Object ids in full, of commits, tags, trees and blobs, each with what names it.
        self.tips = tips
        self._excluded = excluded
        #: `--all`, or `--not` and what follows: rev-list(1).
        self._options = options
        self._started: Git | None = None

    def start(self, *, parents: bool = False) -> None:
        """Start listing, with or without `parents`, before there is time to read on."""
        self._started = self._listing(self.tips, *(["--parents"] if parents else self._edges()))

    def listing(self) -> Git:
        """Return the listing of every commit, for `batches`; start it unless it is started."""
        started, self._started = self._started, None
        return started or self._listing(self.tips, *self._edges())

    def in_order(self, commits: Container[str]) -> Iterator[str]:
        """Yield those of `commits` that are meant, each before all that descend from it."""
        for batch in batches(self._listing(self.tips, "--date-order", "--reverse")):
            yield from (oid for oid in map(bytes.decode, batch) if oid in commits)

    def merges(self) -> Git:
        """Start listing the commits with several parents."""
        return self._listing(self.tips, "--merges")

    def contain(self, oid: str) -> bool:
        """Whether a tree or a blob is not known to belong to the commits that are excluded."""
        if not self._excluded and "--not" not in self._options:
            return True
        listing = self._listing([oid], "--objects-edge-aggressive", "--no-object-names")
        return oid.encode("ascii") in listing.output().split(b"\n")

    def _edges(self) -> list[str]:
        """Return the option that lists the commits at the edge as well: `-` before each."""
        return ["--boundary"] if self._excluded or "--not" in self._options else []

    def _listing(self, tips: Iterable[str], *options: str) -> Git:
        process = Git("rev-list", "--stdin", *options, *self._options, feed=True)
        lines = [*tips, *(f"^{oid}" for oid in self._excluded)]
        process.write("".join(f"{line}\n" for line in lines).encode("ascii"))
        process.close_stdin()
        return process


def batches(listing: Git, edges: list[str] | None = None) -> Iterator[list[bytes]]:
    """Yield the commits of a listing, in batches, as git finds them.

    The commits at the edge of a range, which are not in it, are put into `edges`.

    In a listing with parents, the first stands behind each, as `Differs.brought` takes it. What is
    no object id, `diff-tree` would pass over without a word: raises `GitFailure`.
    """
    rest = b""
    for chunk in listing.chunks():
        *commits, rest = (rest + chunk).split(b"\n")
        batch = [b" ".join(line.split(b" ", 2)[:2]) for line in commits if line[:1] != b"-"]
        if edges is not None and len(batch) != len(commits):
            edges += (object_id(line[1:], "rev-list") for line in commits if line[:1] == b"-")
        if chunk.translate(None, HEXADECIMAL + b" -\n") or {*map(len, batch)} - LENGTHS:
            raise GitFailure("git rev-list: its answer is not as git writes it")
        yield batch
    if rest:
        raise GitFailure("git rev-list: its answer was cut short")


def ranges(words: Iterable[str], *options: str) -> Revisions:
    """Return what arguments such as `A..B`, `C`, `^D` mean (gitrevisions(7)).

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
            answer = git("rev-parse", word, "--")
        except Failure as failure:
            raise explained(failure) from None
        for line in answer.split(b"\n")[:-2]:
            oid = object_id(line.removeprefix(b"^"), "rev-parse")
            if line.startswith(b"^"):
                excluded.append(oid)
            else:
                tips[oid] = word
    if not tips:
        raise Failure("the range names commits to leave out, and none to judge")
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


def explained(failure: Failure) -> Failure:
    """Return a failure to find a commit, and why it may be so: a shallow clone does not have it."""
    is_missing = any(words in str(failure) for words in ("bad revision", "bad object"))
    if is_missing and git("rev-parse", "--is-shallow-repository") == b"true\n":
        return Failure(f"{failure}; this clone is shallow: {DEEPEN}")
    return failure


def every_ref() -> Revisions:
    """Return what any ref, or HEAD, leads to."""
    form = "%(objectname) %(objecttype) %(*objecttype) %(refname)"
    loose = {}
    for line in git("for-each-ref", f"--format={form}").splitlines():
        with Reading("for-each-ref"):
            oid, kind, tagged, name = line.split(b" ", 3)
        if b"commit" not in (kind, tagged):
            loose[object_id(oid, "for-each-ref")] = name.decode("utf-8", "surrogateescape")
    return Revisions(loose, (), "--all")


def not_upstream() -> Revisions | None:
    """Return what HEAD has and its upstream branch does not; `None` if there is no upstream."""
    head, upstream = resolved("HEAD^{commit}"), resolved("@{upstream}^{commit}")
    if head and upstream:
        return Revisions({head: "HEAD"}, [upstream])
    git("rev-parse", "--git-dir")  # that there is no repository at all is the first thing to say
    return None


def shallow() -> Git | None:
    """Start asking whether this is a shallow clone; `None` if it is known without asking.

    That is where the repository's own directory is: in a hook, and at the top of a work tree.
    """
    directory = os.environ.get("GIT_DIR") or next(filter(is_repository, (".git", os.curdir)), "")
    elsewhere = {"GIT_COMMON_DIR", "GIT_SHALLOW_FILE"} & os.environ.keys()
    told = any(os.path.exists(os.path.join(directory, n)) for n in ("commondir", "shallow"))
    if is_repository(directory) and not (elsewhere or told):
        return None
    return Git("rev-parse", "--is-shallow-repository", "--git-path", "shallow")


def is_repository(directory: str) -> bool:
    """Whether git would take `directory` for a repository (gitrepository-layout(5))."""
    return all(
        os.path.exists(os.path.join(directory, name)) for name in ("HEAD", "objects", "refs")
    )


def cut_off(answer: Git | None) -> frozenset[bytes]:
    """Return the commits whose parents a shallow clone leaves out (gitrepository-layout(5))."""
    if answer is None:
        return frozenset()
    is_shallow, _, path = answer.output().partition(b"\n")
    if is_shallow != b"true":
        return frozenset()
    with open(os.environ.get("GIT_SHALLOW_FILE") or os.fsdecode(path[:-1]), "rb") as file:
        return frozenset(file.read().split())
