"""What a push brings: the ref lines of git's hooks (githooks(5)), a runner's environment."""

from __future__ import annotations

import os

from pycache_guard.errors import Failure
from pycache_guard.git.objects import BATCH
from pycache_guard.git.objects import Reader
from pycache_guard.git.process import Git
from pycache_guard.git.repository import resolved
from pycache_guard.git.revisions import Revisions
from pycache_guard.git.revisions import ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def pushed(lines: bytes, remote: str) -> Revisions | None:
    """Return what `pre-push` is told will leave for `remote`, a name or a URL; `None` for nothing.

    What the remote's branches had when they were last seen does not leave. Raises `Failure` for
    lines that are not git's.
    """
    tips = {}
    known = set()
    for line in whole(lines):
        # The local ref is what was typed, such as `HEAD^{/two words}`.
        name, new, _, old = line.rsplit(" ", 3) if line.count(" ") > 2 else ("", "", "", "")
        if is_update(line, name, new, old):
            tips[new] = name
            known.add(old)
    return (
        Revisions(tips, present(sorted(filter(names_an_object, known))), *tracked(remote))
        if tips
        else None
    )


def unannounced(remote: str, url: str) -> Revisions:
    """Return what HEAD and the branches have, and `remote` is not known to have.

    That is what `pre-push` checks if stdin has no line. Git calls the hook like this where nothing
    is to be pushed (githooks(5)), and another part of the hook, such as `git lfs pre-push`, may have
    read the lines. `remote` is a name or a URL; a URL means each remote that is configured with it.
    """
    head = resolved("HEAD^{commit}")
    names = {remote, *remotes_with_url(url or remote)}
    known = [option for name in sorted(names) for option in tracked(name)[1:]]
    return Revisions(
        {head: "HEAD"} if head else {}, (), "--branches", *(["--not", *known] if known else ())
    )


def remotes_with_url(url: str) -> list[str]:
    """Return the names of the remotes that are configured to fetch from, or push to, `url`."""
    process = Git("config", "-z", "--get-regexp", r"^remote\..*\.(push)?url$")
    answer = os.fsdecode(b"".join(iter(process.read, b"")))
    process.check(allowed=(0, 1))  # 1: there is no such setting (git-config(1))
    settings = (item.partition("\n") for item in answer.split("\0")[:-1])
    return [key.split(".", 1)[1].rpartition(".")[0] for key, _, value in settings if value == url]


def received(lines: bytes) -> Revisions | None:
    """Return what `pre-receive` is told comes in and no ref here has; `None` for nothing.

    Raises `Failure` for lines that are not git's. It calls the hook only with lines, so none at
    all mean that something else has read them.
    """
    if not lines:
        raise Failure("no ref lines on stdin: was it read before, by another part of the hook?")
    tips = {}
    for line in whole(lines):
        old, new, name = line.split(" ") if line.count(" ") == 2 else ("", "", "")
        if is_update(line, name, new, old):
            tips[new] = name
    return Revisions(tips, (), "--not", "--all") if tips else None


def created(lines: bytes) -> set[str]:
    """Return the names of the refs that `pre-receive` is told are new. Raises as `received` does."""
    fields = (line.split(" ") for line in whole(lines))
    return {name for old, new, name in fields if names_an_object(new) and not names_an_object(old)}


def announced(environment: Mapping[str, str]) -> Revisions | None:
    """Return what pre-commit or prek says will leave; `None` where neither says anything.

    Both set `PRE_COMMIT_FROM_REF` and `PRE_COMMIT_TO_REF`. Where a root is among what is pushed
    there is no first: prek sets the second alone, pre-commit neither, and only the branch
    (`_pre_push_ns` of its commands/hook_impl.py). Raises `Failure` for what is no revision.
    """
    first = environment.get("PRE_COMMIT_FROM_REF", "")
    last = environment.get("PRE_COMMIT_TO_REF") or environment.get("PRE_COMMIT_LOCAL_BRANCH")
    if not last:
        if first:
            raise Failure("PRE_COMMIT_FROM_REF is set without PRE_COMMIT_TO_REF")
        return None
    words = [last, f"^{first}"] if names_an_object(first) else [last]
    return ranges(words, *tracked(environment.get("PRE_COMMIT_REMOTE_NAME", "")))


def whole(lines: bytes) -> list[str]:
    """Split ref lines. Raises `Failure` where the last has no end."""
    *done, rest = lines.decode("utf-8", "surrogateescape").split("\n")
    if rest:
        raise Failure(f"the ref lines on stdin are cut short: {rest!r}")
    return done


def is_update(line: str, name: str, new: str, old: str) -> bool:
    """Whether a ref is set, and not deleted. Raises `Failure` where `line` is none of git's."""
    if not (name and is_object_id(new) and is_object_id(old) and len(new) == len(old)):
        raise Failure(f"not a ref line as git writes them: {line!r}")
    return names_an_object(new)


def is_object_id(text: str) -> bool:
    """Whether `text` is a whole SHA-1 or SHA-256 object id, as git writes it."""
    return len(text) in (40, 64) and set(text) <= set("0123456789abcdef")


def names_an_object(oid: str) -> bool:
    """Whether an object id is not the one, all zeros, that stands for no object."""
    return oid.strip("0") != ""


def tracked(remote: str) -> tuple[str, ...]:
    """Return the options that leave out what the branches of `remote` had when last seen.

    A URL has no such branches, and what could be a pattern must not become one.
    """
    if not remote or set(remote) & set("*?[\\"):
        return ()
    return "--not", f"--remotes={remote}"


def present(oids: list[str]) -> list[str]:
    """Return which objects are here: a remote has what was never fetched."""
    if not oids:
        return []
    reader = Reader(0)
    try:
        found = []
        for start in range(0, len(oids), BATCH):
            reader.ask(oids[start : start + BATCH])
            found += [answer[0] for answer in reader.answers() if answer]
        return found
    finally:
        reader.close()
