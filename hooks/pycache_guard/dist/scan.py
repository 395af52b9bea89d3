"""Go through an archive, and report which members are bytecode: PYC311.

The report is limited, so that an archive with any number of members needs a limited amount of memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.archives import (
    MIN_LAYER_NAME_CHARS,
    TARS,
    ZIPS,
    is_archive,
    is_layer,
    open_archive,
)
from pycache_guard.archives.member import (
    MAX_NAME_CHARS,
    WHOLE,
    ArchiveError,
    Growth,
    GrowthExceeded,
    check_name_length,
)
from pycache_guard.archives.zip_directory import has_directory
from pycache_guard.archives.zips import Zip
from pycache_guard.bytecode.names import is_bytecode_path, may_contain_bytecode
from pycache_guard.bytecode.sniff import HEAD_BYTES, is_bytecode
from pycache_guard.dist.members import (
    ArchivedPyc,
    ObservedContent,
    SourceHasher,
    read_pyc_member,
    source_mismatch,
)
from pycache_guard.dist.metadata import (
    MAX_METADATA_BYTES,
    exclude_hint,
    is_metadata,
    is_record,
    keep_metadata,
    recorded_bytecode,
)
from pycache_guard.findings import Finding, Rule
from pycache_guard.fs import regular
from pycache_guard.git.entries import FILE, LINK
from pycache_guard.misplaced import is_misplaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    from pycache_guard.archives.member import Archive, Member
    from pycache_guard.dist.compare import ArchiveComparer

#: A nested archive is copied into an unnamed temporary file of at most this size.
MAX_NESTED_BYTES = 256 << 20
#: Endings of the names of members that may be special.
_SPECIAL = (*ZIPS, *TARS, "record", "wheel", "pyproject.toml", "setup.py", "pkg-info")


def scan_archive(path: str, comparison: ArchiveComparer) -> tuple[list[Finding], list[str]]:
    """Return findings and failures of the archive at `path`. Raises `OSError`."""
    with regular.open_regular(path) as file:
        scan = ArchiveScan(path, comparison)
        scan.scan(file, path)
    return scan.findings(), scan.all_failures()


class Nesting(NamedTuple):
    """The position of an archive in the given one."""

    #: The path that leads to it, with `!` after each archive; empty for the given one.
    prefix: str = ""
    #: The number of archives that contain it, without the layers of images.
    depth: int = 0
    is_layer: bool = False


class ArchiveScan:
    """Checks one archive. Each nested archive gets a scan of its own."""

    def __init__(
        self,
        path: str,
        comparison: ArchiveComparer,
        nesting: Nesting | None = None,
        quotas: ReportQuotas | None = None,
        growth: Growth | None = None,
    ) -> None:
        """Start with the position of the archive, and the limits that all nested archives share."""
        self._failures: dict[str, None] = {}
        self._path = path
        self._comparison = comparison
        self._nesting = nesting or Nesting()
        self._quotas = quotas or ReportQuotas()
        self._growth = growth
        self._bytecode: dict[str, ArchivedPyc] = {}
        self._mismatches: dict[str, str] = {}
        #: By name of the bytecode: rank, name and size of its likeliest source in the archive.
        self._sources: dict[str, tuple[int, str, int]] = {}
        self._recorded: list[str] = []
        self._metadata: dict[str, bytes] = {}
        self._nested: list[Finding] = []

    @property
    def failures(self) -> list[str]:
        """Messages about members that could not be checked."""
        return [*self._failures]

    def scan(self, file: IO[bytes], name: str) -> None:
        """Check an archive. Its name shows its kind."""
        if self._growth is None:
            self._growth = Growth(file.seek(0, 2))
            file.seek(0)
            if is_bytecode(file.read(HEAD_BYTES)):
                # `python FILE` runs it and ignores the rest.
                self._fail(f"{self._path}: begins with bytecode")
            file.seek(0)
        try:
            self._check_members(open_archive(file, name, self._growth))
        except ArchiveError as why:
            where = f"{self._path}: {self._nesting.prefix}".rstrip("!: ")
            self._fail(f"{where}: {why}")

    def _check_members(self, archive: Archive) -> None:
        """Read the members, then their sources, then both once more to compare the code."""
        suspects = set()
        for number, member in enumerate(screen_members(archive)):
            if member is None:
                continue
            try:
                if self._check_member(member):
                    suspects.add(number)
            except GrowthExceeded:
                raise
            except ArchiveError as why:
                self._report_error(member, str(why))
        if suspects:
            self._check_zips_by_end(archive, suspects)
        wanted: dict[str, list[tuple[int, ArchivedPyc]]] = {}
        for found in self._bytecode.values():
            for rank, source in enumerate(found.sources()):
                if self._quotas.sources.reserve(source):
                    wanted.setdefault(source, []).append((rank, found))
        if wanted:
            hasher = SourceHasher()
            for member in archive.members():
                if member.is_file and member.name in wanted:
                    self._compare_header(member, wanted[member.name], hasher)
        self._compare_code(archive)

    def findings(self) -> list[Finding]:
        """Return a finding for each member that is bytecode, and for each that is only listed."""
        hint = exclude_hint(self._metadata) if self._bytecode or self._recorded else None
        messages = [self._describe(found) for found in self._bytecode.values()]
        messages += [
            f"RECORD lists `{self._nesting.prefix}{name}`, which is not in the archive"
            for name in self._recorded
            if name not in self._bytecode
        ]
        omitted = self._quotas.findings.omitted
        if omitted and not self._nesting.prefix:
            messages.append(f"ships, or lists in RECORD, {omitted} more bytecode files")
        return [Finding(self._path, Rule.PYC311, m, hint=hint) for m in messages] + self._nested

    def all_failures(self) -> list[str]:
        """Return the failures, and a message about those beyond the limit."""
        omitted = self._quotas.failures.omitted
        more = [f"{self._path}: {omitted} more members cannot be checked"] if omitted else []
        return self.failures + more

    def _check_member(self, member: Member) -> bool:
        """Check one member; return whether it ends like a zip file, without beginning like one."""
        names = (member.name, *member.other_names) if member.other_names else (member.name,)
        self._check_names(member, names)
        if member.is_directory and not member.is_file:
            return False
        mode = FILE if member.target is None else LINK
        alias = None
        for name in names:
            if has_bytecode_name(name, mode):
                alias = name
                break
        try:
            content = ObservedContent(member.iter_chunks(WHOLE) if member.is_file else iter(()))
        except ArchiveError:
            if alias is not None:
                self._add_bytecode(ArchivedPyc(member.name, alias=alias))
            raise
        head = content.head
        if not member.is_file:
            if alias is not None:
                self._add_bytecode(ArchivedPyc(member.name, alias=alias))
            return False
        if member.is_directory and not head:
            return False
        if alias is not None or is_bytecode(head[:HEAD_BYTES]):
            self._add_bytecode(
                read_pyc_member(member, head[:HEAD_BYTES])._replace(alias=alias or "")
            )
            content.drain()
        elif not (member.other_names or may_be_special(member.name, head)):
            content.drain()
        elif is_record(member.name):
            for name in recorded_bytecode(content):
                if self._quotas.findings.reserve(name):
                    self._recorded.append(name)
        elif any(is_archive(name, head) for name in names):
            self._scan_nested(member, content, is_tar=is_layer(member.name, head))
            return False
        elif is_metadata(member.name) and member.size <= MAX_METADATA_BYTES:
            keep_metadata(self._metadata, member.name, head)
            content.drain()
        else:
            content.drain()
        return content.ends_like_zip and member.name not in self._bytecode

    def _check_names(self, member: Member, names: tuple[str, ...]) -> None:
        """Report names that lead out of the archive. Raises `ArchiveError` for overlong names."""
        # The target of a link in a layer starts from the top of the image.
        if member.target is not None and not self._nesting.is_layer:
            names = (*names, member.target)
        for name in names:
            if escapes_archive(name):
                self._report_error(member, "points outside the archive")
            check_name_length(name)

    def _add_bytecode(self, found: ArchivedPyc) -> None:
        if found.name in self._bytecode or self._quotas.findings.reserve(found.name):
            self._bytecode[found.name] = found

    def _check_zips_by_end(self, archive: Archive, suspects: set[int]) -> None:
        """Check members that are zip files by their ends only, as `zipfile.is_zipfile` does."""
        for number, member in enumerate(archive.members()):
            if number in suspects:
                try:
                    self._scan_nested(
                        member, member.iter_chunks(WHOLE), is_tar=False, may_be_other=True
                    )
                except ArchiveError as why:
                    self._report_error(member, str(why))

    def _scan_nested(
        self,
        member: Member,
        content: Iterable[bytes],
        *,
        is_tar: bool,
        may_be_other: bool = False,
    ) -> None:
        """Check an archive in this one. Raises `ArchiveError` for the third level, except in images.

        With `may_be_other`, only the end looks like a zip file, so it may be something else.
        """
        nesting = self._nesting
        is_layer = is_tar and not nesting.is_layer
        if nesting.depth and not is_layer and not may_be_other:
            raise ArchiveError("is an archive at the third level, which is not checked")
        from pycache_guard.git.tempdir import open_unnamed_file

        with open_unnamed_file() as file:
            for piece in content:
                file.write(piece)
                if file.tell() > MAX_NESTED_BYTES:
                    raise ArchiveError(
                        f"is an archive of more than {MAX_NESTED_BYTES >> 20} MiB inside another, which is not checked"
                    )
            if may_be_other and not has_directory(file):
                return
            if nesting.depth and not is_layer:
                raise ArchiveError("is an archive at the third level, which is not checked")
            file.seek(0)
            prefix = Nesting(
                f"{nesting.prefix}{member.name}!", nesting.depth + (not is_layer), is_layer
            )
            nested = ArchiveScan(self._path, self._comparison, prefix, self._quotas, self._growth)
            nested.scan(file, "" if may_be_other else member.name)
        self._nested += nested.findings()
        self._failures.update(dict.fromkeys(nested.failures))

    def _compare_header(
        self, source: Member, found: Iterable[tuple[int, ArchivedPyc]], hasher: SourceHasher
    ) -> None:
        """Compare a source by header with the bytecode whose likeliest source it is."""
        hash_for = hasher.hash_function(source)
        for rank, each in found:
            try:
                differs = source_mismatch(each, source, hash_for)
            except ArchiveError as why:
                self._report_error(source, str(why))
                return
            likeliest = self._sources.get(each.name)
            if likeliest is None or rank <= likeliest[0]:
                self._sources[each.name] = (rank, source.name, source.size)
                self._mismatches.pop(each.name, None)
                if differs:
                    self._mismatches[each.name] = (
                        f"does not match its source: `{source.name}` {differs}"
                    )

    def _compare_code(self, archive: Archive) -> None:
        """Compare the code where the header does not contradict the source."""
        pairs = [
            (self._bytecode[name], source, size)
            for name, (_, source, size) in self._sources.items()
            if name not in self._mismatches
        ]
        if pairs:
            mismatches, failures = self._comparison.find_mismatches(archive, pairs)
            self._mismatches.update(mismatches)
            for failure in failures:
                self._fail(f"{self._path}: {self._nesting.prefix}{failure}")

    def _describe(self, found: ArchivedPyc) -> str:
        header = found.header
        writer = f"{header.magic.implementation} {header.magic.version} " if header else ""
        words = [f"ships `{self._nesting.prefix}{found.name}`: {writer}bytecode"]
        if not found.alias:
            words[0] += " under a different name"
        elif found.alias != found.name:
            words[0] += f", which other readers see as `{found.alias}`"
        if found.is_unchecked:
            words.append("unchecked-hash: Python runs it without checking the source")
        if found.name in self._mismatches:
            words.append(self._mismatches[found.name])
        return ", ".join(words)

    def _report_error(self, member: Member, why: str) -> None:
        name = member.name
        if len(name) > MAX_NAME_CHARS:
            name = f"{name[:100]}…"
        self._fail(f"{self._path}: {self._nesting.prefix}{name}: {why}")

    def _fail(self, failure: str) -> None:
        if failure not in self._failures and self._quotas.failures.reserve(failure):
            self._failures[failure] = None


def screen_members(archive: Archive) -> Iterator[Member | None]:
    """Yield the members in order, None for those of a zip file that need no further check."""
    return archive.screen_members(is_harmless) if isinstance(archive, Zip) else archive.members()


def is_harmless(name: str, content: bytes) -> bool:
    """Return whether a file of one name, with this whole content, needs no further check."""
    return not (
        b"PK" in content
        or is_bytecode(content[:HEAD_BYTES])
        or may_be_special(name, content)
        or has_bytecode_name(name, FILE)
        or escapes_archive(name)
        or name.endswith("/")
    )


def may_be_special(name: str, head: bytes) -> bool:
    """Return whether a member may be an archive, metadata or RECORD. `False` is always correct."""
    return (
        name.lower().endswith(_SPECIAL)
        or head.startswith(b"PK")
        or len(name) >= MIN_LAYER_NAME_CHARS
    )


def has_bytecode_name(name: str, mode: str) -> bool:
    """Return whether a name is that of bytecode. A source or data file in `__pycache__` is not bytecode."""
    path = name.encode("utf-8", "surrogateescape")
    return (
        may_contain_bytecode(path)
        and is_bytecode_path(path.rstrip(b"/"))
        and not is_misplaced(name.rstrip("/"), b"", mode)
    )


def escapes_archive(name: str) -> bool:
    """Return whether a path is absolute, or leaves the directory that it is relative to."""
    if name[:1] not in "/\\" and name[1:2] != ":" and ".." not in name:
        return False
    depth = 0
    for part in name.replace("\\", "/").split("/"):
        depth += (part not in ("", ".")) - 2 * (part == "..")
        if depth < 0:
            return True
    return name.startswith(("/", "\\")) or name[1:2] == ":"


#: Maximum number of messages, and of characters in them, that are kept for a report.
MAX_FINDING_COUNT = 10_000
MAX_FINDING_CHARS = 1 << 20
MAX_FAILURE_COUNT = 1_000
MAX_FAILURE_CHARS = 1 << 18


class Quota:
    """The number and size of texts that may still be kept, for an archive and its nested ones."""

    def __init__(self, number: int, size: int) -> None:
        """Allow `number` texts of `size` characters in all."""
        self._number = number
        self._size = size
        #: The number of texts that did not fit.
        self.omitted = 0

    def reserve(self, text: str) -> bool:
        """Return whether `text` fits, and reserve its size; otherwise count it as omitted."""
        if self._number < 1 or self._size < len(text):
            self.omitted += 1
            return False
        self._number -= 1
        self._size -= len(text)
        return True


class ReportQuotas:
    """The quotas of one report."""

    def __init__(self) -> None:
        """Start with the full quotas."""
        self.findings = Quota(MAX_FINDING_COUNT, MAX_FINDING_CHARS)
        self.failures = Quota(MAX_FAILURE_COUNT, MAX_FAILURE_CHARS)
        #: For the paths where sources are searched.
        self.sources = Quota(64 * MAX_FINDING_COUNT, 4 * MAX_FINDING_CHARS)
