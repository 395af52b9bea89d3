"""Go through an archive, and say which members are bytecode: PYC311."""

from __future__ import annotations

import os

from pycache_guard import regular
from pycache_guard.archives.kinds import is_archive
from pycache_guard.archives.kinds import opened
from pycache_guard.archives.member import LARGEST_READ
from pycache_guard.archives.member import Unjudgeable
from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.bytecode.sniff import HEAD_LENGTH
from pycache_guard.bytecode.sniff import is_bytecode
from pycache_guard.distributions.backends import is_metadata
from pycache_guard.distributions.backends import remedy
from pycache_guard.distributions.origin import Shipped
from pycache_guard.distributions.origin import difference
from pycache_guard.distributions.origin import shipped
from pycache_guard.distributions.record import is_record
from pycache_guard.distributions.record import listed
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

    from pycache_guard.archives.member import Archive
    from pycache_guard.archives.member import Member
    from pycache_guard.distributions.comparison import Comparison

#: An archive in an archive is read whole, into a file without a name; so many bytes of it.
LARGEST_NESTED = 256 << 20


def screened(path: str, comparison: Comparison) -> tuple[list[Finding], list[str]]:
    """Return what bytecode the archive at `path` ships, and what of it could not be judged.

    Raises `OSError`.
    """
    with regular.opened(path) as file:
        screening = Screening(path, comparison)
        screening.judge(file, path)
    return screening.findings(), screening.failures


class Screening:
    """One archive, or one in it: then `inside` leads there, `!` between an archive and its member."""

    def __init__(self, path: str, comparison: Comparison, inside: str = "") -> None:
        self.failures: list[str] = []
        self._path = path
        self._comparison = comparison
        self._inside = inside
        self._shipped: dict[str, Shipped] = {}
        self._doubts: dict[str, str] = {}
        #: Sizes of the sources that are there, by bytecode and source.
        self._sources: dict[str, dict[str, int]] = {}
        self._recorded: list[str] = []
        self._metadata: dict[str, bytes] = {}
        self._nested: list[Finding] = []

    def judge(self, file: IO[bytes], name: str) -> None:
        """Judge an archive by that name."""
        try:
            self._screen(opened(file, name))
        except Unjudgeable as why:
            where = f"{self._path}: {self._inside}".rstrip("!: ")
            self.failures.append(f"{where}: {why}")

    def _screen(self, archive: Archive) -> None:
        """Go through the members, again for the sources of what was found, and again to compare."""
        for member in archive.members():
            try:
                self._take(member)
            except Unjudgeable as why:
                self._complain(member, str(why))
        wanted: dict[str, list[Shipped]] = {}
        for found in self._shipped.values():
            for source in found.sources():
                wanted.setdefault(source, []).append(found)
        if wanted:
            for member in archive.members():
                if member.is_file:
                    self._compare(member, wanted.get(member.name, []))
        self._have_compiled(archive)

    def findings(self) -> list[Finding]:
        """Return a finding for each member that is bytecode, and for each that is only listed."""
        advice = remedy(self._metadata) if self._shipped or self._recorded else None
        told = [self._told(found) for found in self._shipped.values()]
        told += [
            f"its RECORD lists `{self._inside}{name}`, which is not in it"
            for name in self._recorded
            if name not in self._shipped
        ]
        return [Finding(self._path, Rule.PYC311, words, advice) for words in told] + self._nested

    def _take(self, member: Member) -> None:
        """Judge one member."""
        name = member.name
        if leads_out(name) or leads_out(member.target or ""):
            self._complain(member, "leads out of the archive")
        if member.is_directory:
            return
        named = is_bytecode_path(os.fsencode(name))
        if named:
            self._shipped[name] = Shipped(name)
        if not member.is_file:
            return
        head = member.read(HEAD_LENGTH)
        if named or is_bytecode(head):
            self._shipped[name] = shipped(member, head)
        elif is_metadata(name):
            self._metadata[name] = member.read(LARGEST_READ)
        elif is_record(name):
            self._recorded += listed(member.read(LARGEST_READ))
        elif is_archive(name, head):
            self._descend(member)

    def _descend(self, member: Member) -> None:
        """Judge an archive in this one, but none that lies in it."""
        if self._inside:
            raise Unjudgeable("is an archive in an archive in an archive: not looked into")
        import tempfile  # 5 ms

        with tempfile.TemporaryFile() as file:
            for piece in member.pieces(LARGEST_NESTED + 1):
                file.write(piece)
            if file.tell() > LARGEST_NESTED:
                raise Unjudgeable(
                    f"is an archive of more than {LARGEST_NESTED >> 20} MiB: not looked into"
                )
            file.seek(0)
            nested = Screening(self._path, self._comparison, f"{member.name}!")
            nested.judge(file, member.name)
        self._nested += nested.findings()
        self.failures += nested.failures

    def _compare(self, source: Member, found: list[Shipped]) -> None:
        """Note how a source differs from that of the bytecode that would be its own."""
        for each in found:
            try:
                differs = difference(each, source, LARGEST_READ)
            except Unjudgeable as why:
                self._complain(source, str(why))
                return
            if differs:
                self._doubts[each.name] = f"not of its source: `{source.name}` {differs}"
            self._sources.setdefault(each.name, {})[source.name] = source.size

    def _have_compiled(self, archive: Archive) -> None:
        """Have the code compared where the header has nothing against the source."""
        pairs = []
        for name, sizes in self._sources.items():
            if name not in self._doubts:
                found = self._shipped[name]
                source = min(sizes, key=found.sources().index)  # the likeliest, as import has it
                pairs.append((found, source, sizes[source]))
        if pairs:
            doubts, failures = self._comparison.doubts(archive, pairs)
            self._doubts.update(doubts)
            self.failures += [f"{self._path}: {self._inside}{failure}" for failure in failures]

    def _told(self, found: Shipped) -> str:
        header = found.header
        writer = f"{header.magic.implementation} {header.magic.version} " if header else ""
        words = [f"ships `{self._inside}{found.name}`: {writer}bytecode"]
        if not is_bytecode_path(os.fsencode(found.name)):
            words[0] += " under another name"
        if found.is_unchecked:
            words.append("unchecked-hash: Python runs it without ever looking at the source")
        if found.name in self._doubts:
            words.append(self._doubts[found.name])
        return ", ".join(words)

    def _complain(self, member: Member, why: str) -> None:
        self.failures.append(f"{self._path}: {self._inside}{member.name}: {why}")


def leads_out(name: str) -> bool:
    """Whether a path is absolute, or climbs out of the directory that it is seen from."""
    if name[:1] not in "/\\" and name[1:2] != ":" and ".." not in name:
        return False
    depth = 0
    for part in name.replace("\\", "/").split("/"):
        depth += (part not in ("", ".")) - 2 * (part == "..")
        if depth < 0:
            return True
    return name.startswith(("/", "\\")) or name[1:2] == ":"
