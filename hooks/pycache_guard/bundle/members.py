"""A bundle in an archive: what would be there after unpacking, listed without unpacking.

The archive is read as a stream, once for the names, times and first bytes, and again for the sources
that have to be hashed or compared. Memory grows with the number of files that matter, not with their
sizes.
"""

from __future__ import annotations

import posixpath
import time
from typing import TYPE_CHECKING, NamedTuple, cast

from pycache_guard.archives.member import (
    WHOLE,
    ArchiveError,
    check_name_length,
    limit_names,
)
from pycache_guard.bundle.tree import EXTENSIONS, add_file, matters
from pycache_guard.bytecode.cache_names import BYTECODE_SUFFIXES
from pycache_guard.bytecode.freshness import Source
from pycache_guard.bytecode.sniff import HEAD_BYTES
from pycache_guard.bytecode.source_hash import source_hash
from pycache_guard.dist.scan import escapes_archive
from pycache_guard.errors import Failure
from pycache_guard.fs.files import MAX_FILE_BYTES
from pycache_guard.report import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pycache_guard.archives.member import Archive, Member
    from pycache_guard.bundle.tree import Folder
    from pycache_guard.bytecode.magic import Magic

    #: Returns the time that a file has after unpacking, None for that of the unpacking.
    TimeOf = Callable[[Member], float | None]

#: The most bytes of sources and bytecode that are kept in memory to compare code.
MAX_HELD_BYTES = 16 << 20
#: The files, links and directories of a bundle that are kept, which take about 300 bytes each, and
#: the length of all paths.
MAX_ENTRY_COUNT = 1_000_000
MAX_PATH_CHARS = 128 << 20
#: How many links a path may lead through: Linux has the same limit (path_resolution(7)).
MAX_LINKS = 40


class Packed(NamedTuple):
    """A file of an archive."""

    size: int
    mtime: float | None
    #: The first bytes of bytecode; empty for all else.
    head: bytes
    #: Which archive it is in, and the number of its member there.
    place: tuple[int, int]
    #: Of a zip file: whether `zipimport` can unpack it, and its time for it.
    method: int = 0
    dos_time: int | None = None


class Link(NamedTuple):
    """A symbolic or hard link, by the path from the top that it leads to."""

    target: str
    is_hard: bool = False


class Entries:
    """Files and links by their paths: what layers leave of each other."""

    def __init__(self) -> None:
        self._top: dict[str, object] = {}
        self._entries_left = MAX_ENTRY_COUNT
        self._chars_left = MAX_PATH_CHARS

    def resolve(self, path: str) -> str | None:
        """Return a path without links in its directories, None if they lead nowhere or in a circle."""
        left = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        done: list[str] = []
        #: What is at the path of the first parts of `done`, by their number.
        nodes: list[object] = [self._top]
        links = 0
        while len(left) > 1:
            part = left.pop()
            if part == "..":
                if done:
                    done.pop()
                    nodes.pop()
                continue
            node = nodes[-1]
            found = node.get(part) if isinstance(node, dict) else None
            if isinstance(found, Link):
                links += 1
                if links > MAX_LINKS:
                    return None
                done, nodes = [], [self._top]
                left += [part for part in reversed(found.target.split("/")) if part]
                continue
            done.append(part)
            nodes.append(found)
        return "/".join(done + left)

    def get(self, path: str) -> object:
        """Return what is at a path without links in its directories: a file, a link, a dict, None."""
        node: object = self._top
        for part in path.split("/"):
            if not isinstance(node, dict):
                return None
            node = node.get(part)
        return node

    def add(self, path: str, entry: Packed | Link) -> None:
        """Put a file or link at a path, in place of what is there. Raises `ArchiveError`."""
        parts = path.split("/")
        node = self._top
        self._entries_left -= 1
        self._chars_left -= len(path)
        for part in parts[:-1]:
            below = node.get(part)
            if not isinstance(below, dict):
                below = node[part] = {}
                self._entries_left -= 1
            node = below
        if self._entries_left < 0 or self._chars_left < 0:
            raise ArchiveError("has more modules and directories than fit into memory")
        node[parts[-1]] = entry

    def remove(self, path: str) -> None:
        """Remove a file, or a directory with all that is in it."""
        directory, _, name = path.rpartition("/")
        above = self.get(directory) if directory else self._top
        if isinstance(above, dict):
            above.pop(name, None)

    def clear(self, path: str) -> None:
        """Remove all that is in a directory."""
        found = self.get(path) if path else self._top
        if isinstance(found, dict):
            found.clear()

    def keep_directory(self, path: str) -> None:
        """Remove what is at a path, unless it is a directory or a link to one."""
        if isinstance(self.get(path), Packed):
            self.remove(path)

    def files(self) -> Iterator[tuple[str, Packed | Link]]:
        """Yield every file and link."""
        pending = [("", self._top)]
        while pending:
            before, node = pending.pop()
            for name, entry in node.items():
                if isinstance(entry, (Packed, Link)):
                    yield before + name, entry
                else:
                    pending.append((f"{before}{name}/", cast("dict[str, object]", entry)))


class ArchiveTree:
    """A `tree.BundleTree` of one archive, or of the layers of an image."""

    def __init__(
        self,
        path: str,
        archives: list[Archive],
        time_of: TimeOf,
        *,
        is_image: bool = False,
        rename: Callable[[str], str] = lambda name: name,
    ) -> None:
        """List the archives, a later one over those before it. Raises `ArchiveError`.

        `rename` returns where an installer puts a member.
        """
        self.folders: dict[str, Folder] = {}
        self.failures: list[str] = []
        self.notes: list[str] = []
        self.path = path
        self._archives = archives
        self._time_of = time_of
        self._is_image = is_image
        self._rename = rename
        self._files: dict[str, Packed] = {}
        self._held: dict[str, bytes] = {}
        self._digests: dict[tuple[str, bytes], bytes | None] = {}
        entries = Entries()
        for number, archive in enumerate(archives):
            self._read_layer(number, archive, entries)
        self._add_files(entries)

    def head(self, path: str) -> bytes:
        """Return the first bytes of bytecode."""
        return self._files[path].head

    def source(self, path: str) -> Source:
        """Return the facts about a source; its content only counts by its hash: `digest`."""
        found = self._files[path]
        return Source(found.size, found.mtime, bytes)

    def packed(self, path: str) -> Packed | None:
        """Return a file, None if there is none."""
        return self._files.get(path)

    def show(self, path: str) -> str:
        """Return a path for a report."""
        return path

    def locate_finding(self, path: str) -> tuple[str, str]:
        """Return the path of a finding about a file, and how its message begins."""
        return self.path, f"`{path}`: "

    def hash_sources(self, wanted: Iterable[tuple[str, Magic]]) -> None:
        """Read these sources once more, one at a time, and keep their hashes."""
        magics: dict[str, list[Magic]] = {}
        for path, magic in wanted:
            magics.setdefault(path, []).append(magic)
        for path, data in self._read_again(magics):
            for magic in magics[path]:
                self._digests[path, magic.data] = source_hash(data, magic)

    def digest(self, path: str) -> Callable[[bytes, Magic], bytes | None]:
        """Return what returns the hash of a source that `hash_sources` has read."""
        return lambda _, magic: self._digests.get((path, magic.data))

    def load(self, paths: Iterable[str]) -> set[str]:
        """Read files into memory as far as they fit; return the others."""
        room = MAX_HELD_BYTES
        chosen: list[str] = []
        skipped: set[str] = set()
        for path in dict.fromkeys(paths):
            size = self._files[path].size
            if size > room:
                skipped.add(path)
            else:
                room -= size
                chosen.append(path)
        self._held = dict(self._read_again(chosen))
        return skipped

    def read(self, path: str) -> bytes:
        """Return a whole file that was loaded. Raises `Failure`."""
        if path not in self._held:
            raise Failure(f"{self.path}: {path}: could not be read")
        return self._held[path]

    def _read_again(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield path and content of each of these files that can be read."""
        places: dict[tuple[int, int], list[str]] = {}
        for path in paths:
            places.setdefault(self._files[path].place, []).append(path)
        for number in sorted({place[0] for place in places}):
            for index, member in self._iter_members(number, self._archives[number]):
                for path in places.get((number, index), ()):
                    if member.size > MAX_FILE_BYTES:
                        self._fail(member, f"is larger than {MAX_FILE_BYTES >> 20} MiB")
                        continue
                    try:
                        yield path, member.read(WHOLE)
                    except ArchiveError as why:
                        self._fail(member, str(why))

    def _iter_members(self, number: int, archive: Archive) -> Iterator[tuple[int, Member]]:
        """Yield the members of an archive as far as it can be read."""
        try:
            yield from enumerate(limit_names(archive.members()))
        except ArchiveError as why:
            where = f"layer {number + 1}: " if self._is_image else ""
            self.failures.append(f"{self.path}: {where}{why}")

    def _read_layer(self, number: int, archive: Archive, entries: Entries) -> None:
        """Put the members of an archive over what the archives before it have left."""
        found: dict[str, Packed | Link | None] = {}
        for index, member in self._iter_members(number, archive):
            try:
                entry = self._read_member(member, (number, index))
            except ArchiveError as why:
                self._fail(member, str(why))
                continue
            path = self._rename(posixpath.normpath(member.name)).lstrip("/")
            if self._is_image and self._apply_whiteout(path, entries):
                continue
            if path in found and member.dos_time is not None:
                self._fail(member, "is in the archive twice")
            found[path] = entry if not member.is_directory else None
        for path, each in found.items():
            whole = entries.resolve(path)
            if whole is None:
                continue
            if each is None:
                entries.keep_directory(whole)
            elif isinstance(each, Link) and each.is_hard:
                linked = entries.get(entries.resolve(each.target) or "")
                if isinstance(linked, Packed):
                    entries.add(whole, linked)
            elif isinstance(each, Link) or matters(*_split(whole)):
                entries.add(whole, each)
            else:
                entries.remove(whole)

    def _apply_whiteout(self, path: str, entries: Entries) -> bool:
        """Remove what a whiteout of the OCI image layout hides; return whether `path` is one.

        Source: opencontainers/image-spec, layer.md, "Whiteouts". They hide what is in the layers below only,
        wherever they stand in their own layer: `entries` does not have that one yet.
        """
        directory, name = _split(path)
        if not name.startswith(".wh."):
            return False
        whole = entries.resolve(f"{directory}/x" if directory else "x")
        if whole is not None:
            directory = _split(whole)[0]
            if name == ".wh..wh..opq":
                entries.clear(directory)
            elif not name.startswith(".wh..wh."):
                hidden = name.removeprefix(".wh.")
                entries.remove(f"{directory}/{hidden}" if directory else hidden)
        return True

    def _read_member(self, member: Member, place: tuple[int, int]) -> Packed | Link:
        """Return what a member is after unpacking. Raises `ArchiveError`."""
        names = (member.name, *member.other_names)
        check_name_length(member.name)
        directory, name = _split(posixpath.normpath(member.name))
        is_relevant = matters(directory, name)
        if member.target is not None:
            if not self._is_image:
                names = (*names, member.target)
            if any(map(escapes_archive, names)):
                raise ArchiveError("points outside the archive")
            return Link(posixpath.normpath(member.target).lstrip("/"), member.is_hard_link)
        if any(map(escapes_archive, names)):
            raise ArchiveError("points outside the archive")
        head = b""
        if is_relevant and member.is_file:
            is_bytecode = name.lower().endswith(BYTECODE_SUFFIXES)
            # Of a zip file all is read, so that checksums are compared; a tar file has none.
            if member.dos_time is not None:
                for piece in member.iter_chunks(WHOLE):
                    head = head or piece
            elif is_bytecode:
                head = member.read(HEAD_BYTES)
            head = head[:HEAD_BYTES] if is_bytecode else b""
        return Packed(
            member.size, self._time_of(member), head, place, member.method, member.dos_time
        )

    def _add_files(self, entries: Entries) -> None:
        dangling: list[str] = []
        for path, entry in sorted(entries.files(), key=lambda item: item[0]):
            directory, name = _split(path)
            if not matters(directory, name):
                continue
            found: object = entry
            where: str | None = path
            for _ in range(MAX_LINKS):
                if not isinstance(found, Link):
                    break
                where = entries.resolve(found.target)
                found = entries.get(where) if where is not None else None
            if isinstance(found, Packed):
                self._files[path] = found
                add_file(self.folders, directory, name)
            elif not isinstance(found, dict) and not name.endswith(EXTENSIONS):
                dangling.append(path)
        if dangling:
            more = ", …" if len(dangling) > 1 else ""
            self.notes.append(
                f"{count(len(dangling), 'link')} ({dangling[0]}{more}) to what is not Python by its"
                " name, or does not exist, and was not checked."
            )

    def _fail(self, member: Member, why: str) -> None:
        self.failures.append(f"{self.path}: {member.name[:200]}: {why}")


def _split(path: str) -> tuple[str, str]:
    directory, _, name = path.rpartition("/")
    return directory, name


def time_in_tar(member: Member) -> float | None:
    """Return the time that a tar file gives a file."""
    return 0 if member.mtime is None else member.mtime


def time_in_zip(member: Member) -> float | None:
    """Return the time that `unzip` gives a file: the extended one, else that of the directory.

    The latter is in local time, and even: `TZ=UTC` gives what a function of AWS Lambda sees.
    """
    if member.utc_time is not None:
        return member.utc_time
    return None if member.dos_time is None else local_time(member.dos_time)


def time_of_installation(member: Member) -> None:
    """Return None: pip and uv give each file of a wheel the time of the installation."""


def local_time(dos_time: int) -> float:
    """Return a time of a zip file as seconds of UTC, as `zipimport._parse_dostime` does."""
    date, clock = dos_time >> 16, dos_time & 0xFFFF
    year, month, day = (date >> 9) + 1980, date >> 5 & 0xF, date & 0x1F
    hour, minute, second = clock >> 11, clock >> 5 & 0x3F, (clock & 0x1F) * 2
    return time.mktime((year, month, day, hour, minute, second, -1, -1, -1))
