"""What the caches that are there say."""

from __future__ import annotations

import os

from pycache_guard import system
from pycache_guard.cleaning.choice import Mode
from pycache_guard.cleaning.outcome import clean
from pycache_guard.doctor.caches import UNKNOWN
from pycache_guard.doctor.fact import Diagnosis
from pycache_guard.doctor.fact import Fact
from pycache_guard.doctor.writing import ELSEWHERE
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.remedies import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.doctor.caches import Cache
    from pycache_guard.doctor.caches import Found
    from pycache_guard.doctor.caches import Place
    from pycache_guard.doctor.interpreter import Interpreter

OTHERS = "Of another interpreter: the one above does not read them."
NOBODYS = "They begin with no magic number that is known: no interpreter would run them."

REMOVE = "sudo rm -rf"
OWN = 'sudo chown "$(id -u)"'


def described(found: Found, python: Interpreter, root: str) -> Diagnosis:
    """Return facts on caches by interpreter and by use, and what is wrong with them.

    `root` is the directory that they were found below.
    """
    own = named(python)
    caches = [c._replace(writer=own) if is_of(c, python) else c for c in found.caches]
    facts = [total(caches), *by_writer(caches, own)]
    if caches:
        facts += [stale(caches), orphaned(caches), hashed(caches)]
    findings = [*orphans(root), *unheeded(caches), *refused(found.places)]
    return Diagnosis(facts, findings, found.failures)


def total(caches: Sequence[Cache]) -> Fact:
    """Tell how many there are, and how big."""
    size = sum(cache.size for cache in caches)
    tags = {cache.writer for cache in caches}
    return Fact(
        "caches",
        "here",
        f"{len(caches)} of {len(tags)} interpreter{'s' * (len(tags) != 1)}, {amount(size)}"
        if caches
        else "none",
        "Removing them with `pycache-guard clean` is safe: the next import makes them again.",
        {"files": len(caches), "bytes": size},
    )


def is_of(cache: Cache, python: Interpreter) -> bool:
    """Whether a cache without a tag is of an interpreter's magic."""
    return not cache.is_tagged and cache.magic == python.magic != b""


def named(python: Interpreter) -> str:
    """Return the name under which an interpreter's caches are counted."""
    return python.tag or f"{python.implementation} {python.version}"


def by_writer(caches: Sequence[Cache], own: str) -> list[Fact]:
    """Tell the same of each interpreter; `own` is the name of the one that is examined."""
    facts = []
    readers = {own: "Of the interpreter above.", UNKNOWN: NOBODYS}
    for writer in sorted({cache.writer for cache in caches}):
        written = [cache for cache in caches if cache.writer == writer]
        size = sum(cache.size for cache in written)
        facts.append(
            Fact(
                "caches",
                writer,
                f"{len(written)}, {amount(size)}",
                readers.get(writer, OTHERS),
                {"files": len(written), "bytes": size},
            )
        )
    return facts


def stale(caches: Sequence[Cache]) -> Fact:
    """Tell how many are older than their source."""
    count = sum(cache.is_stale for cache in caches)
    return Fact(
        "caches",
        "stale",
        str(count),
        "Their source has changed since: Python sees that and compiles again, but for those with an"
        " unchecked hash.",
        count,
    )


def orphaned(caches: Sequence[Cache]) -> Fact:
    """Tell how many have no source."""
    cached = sum(cache.is_alone and cache.is_tagged for cache in caches)
    legacy = sum(cache.is_alone and not cache.is_tagged for cache in caches)
    return Fact(
        "caches",
        "without a source",
        f"{cached} in __pycache__, {legacy} in a source's place",
        "Python imports the latter as if the source were there; of the former nothing is left but"
        " a package, where a directory holds nothing else.",
        {"cached": cached, "legacy": legacy},
    )


def hashed(caches: Sequence[Cache]) -> Fact:
    """Tell how many go by the hash of their source."""
    checked = sum(cache.hash_mode == "checked" for cache in caches)
    unchecked = sum(cache.hash_mode == "unchecked" for cache in caches)
    return Fact(
        "caches",
        "hash-based",
        f"{checked} checked, {unchecked} unchecked",
        "A checked one is compared with its source by hash; an unchecked one is run without a look"
        " at it (PEP 552).",
        {"checked": checked, "unchecked": unchecked},
    )


def orphans(root: str) -> list[Finding]:
    """Return PYC603: what `clean --orphans` would remove."""
    gone = clean([root], Mode(orphans=True), dry_run=True).removed
    if not gone:
        return []
    where = "" if root == os.curdir else f" -- {quoted(root)}"
    message = f"{paths_of(len(gone))} left over from sources that are gone"
    return [Finding(gone[0], Rule.PYC603, message, f"pycache-guard clean --orphans{where}")]


def unheeded(caches: Sequence[Cache]) -> list[Finding]:
    """Return PYC203: what Python runs although its source is another one."""
    return [
        Finding(
            cache.path,
            Rule.PYC203,
            "Python runs this instead of its source, which has changed, and never looks at it",
            f"rm -f -- {quoted(cache.path)}",
        )
        for cache in caches
        if cache.is_stale and cache.hash_mode == "unchecked"
    ]


def refused(places: Sequence[Place]) -> list[Finding]:
    """Return PYC601: where Python cannot keep caches, and caches of another user."""
    foreign = [p for p in places if p.owner_above not in (None, p.status.st_uid)]
    closed = [p for p in places if p not in foreign and not os.access(p.path, os.W_OK | os.X_OK)]
    fixed = [place for place in closed if is_read_only(place.path)]
    ours = [
        p for p in closed if p not in fixed and system.OWNERS and p.status.st_uid == os.geteuid()
    ]
    others = [place for place in closed if place not in fixed + ours]
    kinds = (
        (foreign, "of another user than the directory above, as containers leave them", REMOVE),
        (fixed, "on a read-only file system: compiled anew at each start", None),
        (ours, "without the permission to write: compiled anew at each start", "chmod u+rwx"),
        (others, "of another user, closed: compiled anew at each start", OWN),
    )
    findings = []
    for group, words, command in kinds:
        if group:
            paths = sorted(place.path for place in group)
            remedy = f"{command} -- {' '.join(map(quoted, paths))}" if command else ELSEWHERE
            message = f"{paths_of(len(paths))} {words}"
            findings.append(Finding(paths[0], Rule.PYC601, message, remedy))
    return findings


def is_read_only(path: str) -> bool:
    """Whether a path is on a file system that is mounted read-only (statvfs(3))."""
    return system.MOUNTS and bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def paths_of(count: int) -> str:
    """Say how many there are."""
    return f"{count} path{'s' * (count != 1)}"


def amount(size: int) -> str:
    """Return a size for people."""
    value = float(size)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
