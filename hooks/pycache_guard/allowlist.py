"""Judge entries: rules PYC001, PYC002 and PYC003."""

from __future__ import annotations

import os

from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.misplaced import advise_move
from pycache_guard.misplaced import describe_kind
from pycache_guard.remedies import untrack_command
from pycache_guard.remedies import untrack_together

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from collections.abc import Iterable
    from collections.abc import Mapping

    from pycache_guard.config import AllowEntry
    from pycache_guard.git.entries import Entry

    #: An allowance with the entries that git says its glob matches.
    Grant = tuple[AllowEntry, list[Entry]]

#: What stands in bytecode's place where it is no file, by mode.
MODE_DESCRIPTIONS = {
    "120000": "a symbolic link in bytecode's place",
    "160000": "a submodule in bytecode's place",
}


class AllowList:
    """Who may stay; remembers which allowances were of use."""

    def __init__(self, granted: Iterable[Grant]) -> None:
        self._allowed = [
            (allowance, [e for e in entries if allowance.blob in (None, e.blob)])
            for allowance, entries in granted
        ]
        self._entries_by_allowance: dict[tuple[str, str], set[int]] = {}
        for n, (_, entries) in enumerate(self._allowed):
            for entry in entries:
                self._entries_by_allowance.setdefault((entry.path, entry.blob), set()).add(n)
        self._used: set[int] = set()

    def allows(self, entry: Entry) -> bool:
        """Whether some allowance covers `entry`; those that do have been of use."""
        holders = self._entries_by_allowance.get((entry.path, entry.blob), set())
        self._used |= holders
        return bool(holders)

    def unused_allowances(self) -> list[Grant]:
        """Return the allowances that have covered nothing so far, with what they could cover."""
        return [grant for n, grant in enumerate(self._allowed) if n not in self._used]


def path_findings(
    entries: list[Entry],
    grants: AllowList,
    moves: Mapping[str, str | None],
    *,
    rooted: bool,
    sparse: bool = False,
) -> list[Finding]:
    """Report entries whose path is bytecode's, the stages of a conflict once: PYC001.

    `moves` has the paths that are not bytecode, each with the command that moves it out of the cache
    directory, or `None`. The commands shown must work in a subdirectory if `rooted`, in a sparse
    checkout if `sparse`.
    """
    covered = {entry for entry in entries if grants.allows(entry)}
    kept = {outermost_pycache(entry.path) for entry in covered}
    kept.update(map(outermost_pycache, moves))
    refused = {entry.path: entry for entry in entries if entry not in covered}
    alone = [path for path in refused if outermost_pycache(path) in kept and path not in moves]
    together = untrack_together(alone, rooted=rooted, sparse=sparse)
    findings = []
    for entry in refused.values():
        if entry.path in moves:
            findings.append(_report_misplaced(entry, moves[entry.path]))
            continue
        whole = outermost_pycache(entry.path)
        remedy = together.get(entry.path) or untrack_command(whole, rooted=rooted, sparse=sparse)
        message = f"{MODE_DESCRIPTIONS.get(entry.mode, 'bytecode')} is tracked"
        findings.append(Finding(entry.path, Rule.PYC001, message, remedy, blob=entry.blob))
    return findings


def _report_misplaced(entry: Entry, move: str | None) -> Finding:
    message = f"{describe_kind(entry.path, entry.mode)} is tracked"
    if move is None:
        message += f"; {advise_move(entry.path)}"
    return Finding(entry.path, Rule.PYC001, message, move, blob=entry.blob, is_kept=True)


def outermost_pycache(path: str) -> str:
    """Return the outermost `__pycache__` that `path` lies in, `path` itself if it is in none."""
    parts = path.split("/")
    for n, part in enumerate(parts, start=1):
        if part.lower() == "__pycache__":
            return "/".join(parts[:n])
    return path


def content_findings(
    files: Iterable[Entry],
    held: Mapping[str, bytes],
    grants: AllowList,
    *,
    rooted: bool,
    sparse: bool = False,
) -> list[Finding]:
    """Report files of other names that hold bytecode, the stages of a conflict once: PYC002.

    `held` has the first bytes of every blob among them that is bytecode.
    """
    refused = {
        entry.path: entry
        for entry in dict.fromkeys(files)
        if entry.blob in held
        and not is_bytecode_path(os.fsencode(entry.path))
        and not grants.allows(entry)
    }
    return [
        Finding(
            entry.path,
            Rule.PYC002,
            f"holds {interpreter_name(held[entry.blob])} bytecode under another name; Python runs it all the same",
            untrack_command(entry.path, rooted=rooted, sparse=sparse),
            blob=entry.blob,
        )
        for entry in refused.values()
    ]


def by_checkout(
    files: Mapping[Entry, tuple[str, bytes]],
    grants: AllowList,
    *,
    rooted: bool,
    sparse: bool = False,
) -> list[Finding]:
    """Report files that become bytecode at checkout, the stages of a conflict once: PYC002.

    `files` has the attributes that do it, in words, and the first bytes of what git writes.
    """
    refused = {
        entry.path: (entry, how)
        for entry, how in files.items()
        if not is_bytecode_path(os.fsencode(entry.path)) and not grants.allows(entry)
    }
    return [
        Finding(
            entry.path,
            Rule.PYC002,
            f"contains {interpreter_name(head)} bytecode when git checks it out (`{attributes}`);"
            " Python can execute it",
            untrack_command(entry.path, rooted=rooted, sparse=sparse),
            blob=entry.blob,
        )
        for entry, (attributes, head) in refused.values()
    ]


def interpreter_name(head: bytes) -> str:
    """Name who wrote bytecode that starts with `head`."""
    magic = identify_magic(head)
    return f"{magic.implementation} {magic.version}" if magic else "Python"


def unused_findings(grants: AllowList, of_use: Container[str]) -> list[Finding]:
    """Report allowances that allow nothing: PYC003.

    `of_use` has the blobs that are bytecode among those that were not judged: content that is not
    new is not looked at again, and its allowance is of use all the same.
    """
    return [
        Finding(
            allowance.file,
            Rule.PYC003,
            f"the allowance for `{allowance.glob}`"
            + (f" with blob {allowance.blob}" if allowance.blob else "")
            + " matches no bytecode that is tracked",
            "remove the allowance" if allowance.file else "remove its --allow from the arguments",
            line=allowance.line,
        )
        for allowance, entries in grants.unused_allowances()
        if not any(entry.blob in of_use for entry in entries)
    ]
