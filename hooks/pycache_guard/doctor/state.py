"""Facts and findings about the existing caches."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pycache_guard import compat
from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.clean.result import clean
from pycache_guard.clean.select import CleanOptions
from pycache_guard.doctor.caches import UNKNOWN, is_world_writable
from pycache_guard.doctor.interpreter import SUGGESTED_PREFIX
from pycache_guard.doctor.report import DoctorReport, Fact
from pycache_guard.findings import Finding, Rule
from pycache_guard.fs.regular import open_regular
from pycache_guard.remedies import program, shell_quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.doctor.caches import Cache, CacheDirectory, CacheScan
    from pycache_guard.interpreters.identity import Interpreter

OTHERS = "The interpreter above does not read them."
NOBODYS = "They do not start with a known magic number, so no known interpreter reads them."
#: Maximum total size of caches that are decoded; that takes four seconds.
MAX_DECODED_BYTES = 16 << 20

REMOVE = "sudo rm -rf"
OWN = 'sudo chown "$(id -u)"'


def summarize(
    found: CacheScan,
    python: Interpreter,
    root: str,
    *,
    is_written: bool = True,
    can_clean: bool = True,
) -> DoctorReport:
    """Return facts and findings about caches below the directory `root`.

    `is_written` is whether Python writes caches there (no prefix, not disabled). `can_clean` is whether
    `pycache-guard clean` works there: it needs git.
    """
    own = interpreter_name(python)
    caches = [c._replace(writer=own) if belongs_to(c, python) else c for c in found.caches]
    facts = [count_all(caches), *count_by_interpreter(caches, own)]
    if caches:
        facts += [count_stale(caches), count_sourceless(caches), count_hash_based(caches)]
    damaged, note = find_damaged(caches, own, root, can_clean=can_clean)
    findings = [
        *(find_orphans(root) if can_clean else []),
        *damaged,
        *find_stale_unchecked(caches),
        *find_unwritable(found.places, is_written=is_written),
        *find_world_writable(caches, found.places),
    ]
    return DoctorReport(facts + note, findings, found.failures)


def count_all(caches: Sequence[Cache]) -> Fact:
    """Return the number of caches and their size."""
    size = sum(cache.size for cache in caches)
    tags = {cache.writer for cache in caches} - {UNKNOWN}
    alone = sum(cache.is_alone and not cache.is_tagged for cache in caches)
    writers = f"{len(tags)} interpreter{'s' * (len(tags) != 1)}" if tags else "no known interpreter"
    if not caches:
        lesson = ""
    elif alone:
        lesson = f"`pycache-guard clean` keeps {alone} without a source, because Python cannot create it again."
        if alone < len(caches):
            lesson += " It removes the others; the next import creates them again."
    else:
        lesson = "`pycache-guard clean` removes them; the next import creates them again."
    return Fact(
        "caches",
        "here",
        f"{len(caches)} file{'s' * (len(caches) != 1)} of {writers}, {format_size(size)}"
        if caches
        else "none",
        lesson,
        {"files": len(caches), "bytes": size},
    )


def belongs_to(cache: Cache, python: Interpreter) -> bool:
    """Return whether a cache without a tag has the magic number of an interpreter."""
    return not cache.is_tagged and cache.magic == python.magic != b""


def interpreter_name(python: Interpreter) -> str:
    """Return the name under which the caches of an interpreter are counted."""
    return python.tag or f"{python.implementation} {python.version}"


def count_by_interpreter(caches: Sequence[Cache], own: str) -> list[Fact]:
    """Return number and size for each interpreter; `own` is the name of the examined one."""
    facts = []
    readers = {own: "", UNKNOWN: NOBODYS}
    for writer in sorted({cache.writer for cache in caches}):
        written = [cache for cache in caches if cache.writer == writer]
        size = sum(cache.size for cache in written)
        facts.append(
            Fact(
                "caches",
                writer,
                f"{len(written)} file{'s' * (len(written) != 1)}, {format_size(size)}",
                readers.get(writer, OTHERS),
                {"files": len(written), "bytes": size},
            )
        )
    return facts


def count_stale(caches: Sequence[Cache]) -> Fact:
    """Return the number of caches whose source has changed."""
    count = sum(cache.is_stale for cache in caches)
    return Fact(
        "caches",
        "stale",
        str(count),
        "Their source has changed. Python notices and compiles it again, except for unchecked-hash"
        " caches."
        if count
        else "",
        count,
    )


def count_sourceless(caches: Sequence[Cache]) -> Fact:
    """Return the number of caches without a source."""
    cached = sum(cache.is_alone and cache.is_tagged for cache in caches)
    legacy = sum(cache.is_alone and not cache.is_tagged for cache in caches)
    words = []
    if legacy:
        words.append("Python imports NAME.pyc without NAME.py like a module.")
    if cached:
        words.append(
            "Python ignores caches in __pycache__ without a source, but imports a directory that contains"
            " nothing else as a namespace package (PEP 420)."
        )
    return Fact(
        "caches",
        "without a source",
        f"{cached} in __pycache__, {legacy} elsewhere",
        " ".join(words),
        {"cached": cached, "legacy": legacy},
    )


def count_hash_based(caches: Sequence[Cache]) -> Fact:
    """Return the number of caches that contain the hash of their source."""
    checked = sum(cache.hash_mode == "checked" for cache in caches)
    unchecked = sum(cache.hash_mode == "unchecked" for cache in caches)
    return Fact(
        "caches",
        "hash-based",
        f"{checked} checked, {unchecked} unchecked",
        "Python compares the hash in a checked cache with its source. It runs an unchecked cache without"
        " checking the source (PEP 552)."
        if checked or unchecked
        else "",
        {"checked": checked, "unchecked": unchecked},
    )


def find_orphans(root: str) -> list[Finding]:
    """Return PYC603 if `clean --orphans` would remove something."""
    gone = clean([root], CleanOptions(orphans=True), dry_run=True).removed
    if not gone:
        return []
    where = "" if root == os.curdir else f" -- {shell_quote(root)}"
    message = f"{count_paths(len(gone))} left over from sources that no longer exist"
    return [Finding(gone[0], Rule.PYC603, message, f"{program()} clean --orphans{where}")]


def find_stale_unchecked(caches: Sequence[Cache]) -> list[Finding]:
    """Return PYC203 for each cache that Python runs although its source has changed."""
    return [
        Finding(
            cache.path,
            Rule.PYC203,
            "Python runs this instead of its source, which has changed (unchecked-hash flag)",
            f"rm -f -- {shell_quote(cache.path)}",
        )
        for cache in caches
        if cache.is_stale and cache.hash_mode == "unchecked"
    ]


def find_damaged(
    caches: Sequence[Cache], own: str, root: str, *, can_clean: bool
) -> tuple[list[Finding], list[Fact]]:
    """Return PYC206 for each damaged cache, and a fact if some were not read.

    If `clean --broken` cannot ask git, the command removes the files by name.
    """
    from pycache_guard.bytecode.pyc import describe_damage

    where = "" if root == os.curdir else f" -- {shell_quote(root)}"
    findings, left, unread = [], MAX_DECODED_BYTES, 0
    # Caches of the examined interpreter come first, in case not all can be read.
    for cache in sorted(caches, key=lambda cache: cache.writer != own):
        # An empty file of another interpreter does no harm: import compiles the source again.
        if cache.writer != own and not (cache.magic and cache.is_tagged):
            continue
        if cache.size > left:
            unread += 1
            continue
        left -= cache.size
        try:
            with open_regular(cache.path, follow=False) as file:
                damage = describe_damage(file.read(), parse_cache_name(cache.path))
        except OSError:
            continue
        if damage:
            is_kept = cache.is_alone and not cache.is_tagged
            by_name = f"rm -f -- {shell_quote(cache.path)}"
            command = by_name if is_kept or not can_clean else f"{program()} clean --broken{where}"
            findings.append(Finding(cache.path, Rule.PYC206, f"damaged: {damage}", command))
    if not unread:
        return findings, []
    lesson = f"To read all of them: `pycache-guard clean --broken --dry-run{where}`."
    value = f"{unread} file{'s' * (unread != 1)} for damage"
    return findings, [Fact("caches", "not read", value, lesson, unread)]


def find_unwritable(places: Sequence[CacheDirectory], *, is_written: bool = True) -> list[Finding]:
    """Return PYC601 for directories that Python cannot write caches to, and for caches of another user.

    Without `is_written`, Python writes no caches here, so only caches of another user are reported.
    """
    foreign = [p for p in places if p.above is not None and p.above.st_uid != p.status.st_uid]
    closed = [
        place
        for place in places
        if is_written and place not in foreign and not os.access(place.path, os.W_OK | os.X_OK)
    ]
    fixed = [place for place in closed if is_read_only(place.path)]
    ours = [
        p
        for p in closed
        if p not in fixed and compat.HAS_FILE_OWNERS and p.status.st_uid == os.geteuid()
    ]
    others = [place for place in closed if place not in fixed + ours]
    again = "Python compiles the sources again at each start"
    kinds = (
        (
            foreign,
            "not owned by the owner of the directory above, usually written in a container",
            REMOVE,
        ),
        (fixed, f"on a read-only file system: {again}", None),
        (ours, f"without write permission for you: {again}", "chmod u+rwx"),
        (others, f"of another user and not writable for you: {again}", OWN),
    )
    findings = []
    for group, words, command in kinds:
        if group:
            paths = sorted(place.path for place in group)
            remedy = (
                f"{command} -- {' '.join(map(shell_quote, paths))}" if command else SUGGESTED_PREFIX
            )
            message = f"{count_paths(len(paths))} {words}"
            findings.append(Finding(paths[0], Rule.PYC601, message, remedy))
    return findings


def find_world_writable(caches: Sequence[Cache], places: Sequence[CacheDirectory]) -> list[Finding]:
    """Return PYC601 for caches and cache directories that every user can write, unlike the source."""
    paths = [
        place.path
        for place in places
        if place.above is not None
        and is_world_writable(place.status)
        and not is_world_writable(place.above)
    ]
    paths += [cache.path for cache in caches if cache.is_writable_for_all]
    if not paths:
        return []
    paths.sort()
    message = f"{count_paths(len(paths))} writable for every user: others can put code there"
    return [
        Finding(paths[0], Rule.PYC601, message, f"chmod o-w -- {' '.join(map(shell_quote, paths))}")
    ]


def is_read_only(path: str) -> bool:
    """Return whether a path is on a read-only file system (statvfs(3))."""
    return compat.HAS_STATVFS and bool(os.statvfs(path).f_flag & compat.ST_RDONLY)


def count_paths(count: int) -> str:
    """Return `1 path` or `2 paths`."""
    return f"{count} path{'s' * (count != 1)}"


def format_size(size: int) -> str:
    """Return a size with a unit: `1.6 MB`."""
    if size == 1:
        return "1 byte"
    value = float(size)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
