"""Find the existing caches: writer, size, and whether Python can use them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard import compat
from pycache_guard.bytecode import cache_names
from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.header import InvalidHeader, SourceHash, Timestamp, parse_header
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.source_hash import source_hash
from pycache_guard.clean.roots import skip_reason_by_content, skip_reason_by_name
from pycache_guard.fs.regular import open_regular
from pycache_guard.fs.walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.clean.roots import CleanRoot
    from pycache_guard.fs.walk import Directory

#: The number of bytes that are needed to read any header, including those of pytest.
HEADER_BYTES = 32
#: The writer of files without tag and magic number.
UNKNOWN = "unknown"


class Cache(NamedTuple):
    """An existing bytecode file."""

    path: str
    #: `cpython-313`; for a legacy file `CPython 2.7`; or `unknown`.
    writer: str
    #: The 4 bytes of its header; empty if it has none.
    magic: bytes
    size: int
    #: Whether it is in `__pycache__`.
    is_tagged: bool
    #: Whether its source does not exist.
    is_alone: bool
    #: Whether its source has changed.
    is_stale: bool
    #: `checked`, `unchecked`, or None for a timestamp cache.
    hash_mode: str | None
    #: Whether every user can write to it, but not to its source.
    is_writable_for_all: bool = False


class CacheDirectory(NamedTuple):
    """A cache directory, or a directory in which Python would create one."""

    path: str
    #: Whether it is a cache directory; otherwise it contains sources and no cache directory.
    is_cache: bool
    status: os.stat_result
    #: The status of the directory above a cache directory.
    above: os.stat_result | None


class CacheScan(NamedTuple):
    """The result of a walk through the work tree."""

    caches: list[Cache]
    places: list[CacheDirectory]
    #: One error message for each directory that could not be read.
    failures: list[str]


def scan_caches(root: CleanRoot) -> CacheScan:
    """Return every cache below a root; the same directories are skipped as in `clean`."""
    result = CacheScan([], [], [])
    for directory in walk(root.cursor):
        entries = (*directory.files, *directory.special)
        if directory.parts and skip_reason_by_content(entries, directory.directories):
            directory.directories.clear()
            continue
        if directory.error is not None:
            why = directory.error.strerror
            result.failures.append(f"{root.display_path(directory.parts)}: not read: {why}")
        directory.directories[:] = [n for n in directory.directories if not skip_reason_by_name(n)]
        is_cache = bool(directory.parts) and cache_names.is_cache_directory(directory.parts[-1])
        result.caches.extend(iter_caches(root, directory, is_cache=is_cache))
        if is_cache or needs_cache(directory):
            result.places.extend(iter_directories(root, directory.parts, is_cache=is_cache))
    return result


def iter_directories(
    root: CleanRoot, parts: tuple[str, ...], *, is_cache: bool
) -> Iterator[CacheDirectory]:
    """Yield a directory with the status seen from above, which needs no permission to enter it."""
    try:
        root.cursor.cd(parts[:-1])
        above = root.cursor.status()
        status = root.cursor.status(parts[-1]) if parts else above
    except OSError:
        return
    yield CacheDirectory(root.display_path(parts), is_cache, status, above if is_cache else None)


def needs_cache(directory: Directory) -> bool:
    """Return whether a directory contains sources and no cache directory."""
    return any(name.endswith(".py") for name in directory.files) and not any(
        map(cache_names.is_cache_directory, directory.directories)
    )


def iter_caches(root: CleanRoot, directory: Directory, *, is_cache: bool) -> Iterator[Cache]:
    """Yield the bytecode files of one directory."""
    if not is_cache and not cache_names.may_hold_bytecode(directory.files):
        return
    beside = set(directory.parent_files if is_cache else directory.files)
    above = directory.parts[:-1] if is_cache else directory.parts
    for name in directory.files:
        if cache_names.is_bytecode_name(name):
            candidates = source_names(name, is_cache=is_cache)
            source = next((root.display_path(above, s) for s in candidates if s in beside), None)
            alone = source is None and not (is_cache and cache_names.has_source(name, beside))
            path = root.display_path(directory.parts, name)
            cache = _inspect_cache(path, name, source, is_cache=is_cache, is_alone=alone)
            if cache is not None:
                yield cache


def source_names(name: str, *, is_cache: bool) -> list[str]:
    """Return the possible names of the source of a cache."""
    if not is_cache:
        return cache_names.legacy_source_names(name)
    parsed = parse_cache_name(f"{cache_names.CACHE}/{name}")
    return parsed.source_names() if parsed else []


def _inspect_cache(
    path: str, name: str, source: str | None, *, is_cache: bool, is_alone: bool
) -> Cache | None:
    """Describe a cache and compare it with its source; None if it is not a regular file or has vanished."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    head = read_head(path)
    parsed = parse_cache_name(f"__pycache__/{name}") if is_cache else None
    header = try_parse_header(head, parsed)
    magic = identify_magic(head)
    writer = parsed.tag.lower() if parsed and parsed.tag else writer_name(magic)
    stale = header is not None and source is not None and is_stale(header, source)
    is_writable_for_all = is_world_writable(status) and not (source and has_open_source(source))
    return Cache(
        path,
        writer,
        magic.data if magic else b"",
        status.st_size,
        is_cache,
        is_alone,
        stale,
        hash_mode(header),
        is_writable_for_all,
    )


def has_open_source(source: str) -> bool:
    """Return whether every user can write to a source, so that a writable cache adds no risk."""
    try:
        return is_world_writable(os.stat(source))
    except OSError:
        return False


def is_world_writable(status: os.stat_result) -> bool:
    """Return whether every user may write to a file or directory (chmod(2), `S_IWOTH`)."""
    return compat.HAS_FILE_OWNERS and bool(status.st_mode & stat.S_IWOTH)


def read_head(path: str) -> bytes:
    """Return the first bytes of a file; empty if it cannot be read."""
    try:
        with open_regular(path, follow=False) as file:
            return file.read(HEADER_BYTES)
    except OSError:
        return b""


def try_parse_header(head: bytes, name: CacheName | None) -> Header | None:
    """Return the header of a file, or None if it is cut off or invalid."""
    try:
        return parse_header(head, name)
    except InvalidHeader:
        return None


def writer_name(magic: Magic | None) -> str:
    """Return the interpreter that writes a magic number."""
    return f"{magic.implementation} {magic.version}" if magic else UNKNOWN


def hash_mode(header: Header | None) -> str | None:
    """Return `checked` or `unchecked` for a hash-based file (PEP 552)."""
    if header is None or not isinstance(header.validation, SourceHash):
        return None
    return "checked" if header.validation.checked else "unchecked"


def is_stale(header: Header, source: str) -> bool:
    """Return whether the source has changed: by modification time and size, or by its hash."""
    validation = header.validation
    try:
        if isinstance(validation, Timestamp):
            status = os.stat(source)
            return not (
                validation.has_mtime(status.st_mtime) and validation.has_size(status.st_size)
            )
        if isinstance(validation, SourceHash):
            with open_regular(source) as file:
                digest = source_hash(file.read(), header.magic)
            return digest is not None and digest != validation.digest
    except OSError:
        pass
    return False
