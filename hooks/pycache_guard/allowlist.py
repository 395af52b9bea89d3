"""Turn entries into findings, less what is allowed: rules PYC001, PYC002 and PYC003."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.findings import Finding, Rule
from pycache_guard.git.entries import LINK, SUBMODULE
from pycache_guard.misplaced import advise_move, describe_kind
from pycache_guard.remedies import untrack_command, untrack_together

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from pycache_guard.config import AllowEntry
    from pycache_guard.git.entries import Entry

    #: An allow entry with the index entries that its glob matches, as git reads the glob.
    Grant = tuple[AllowEntry, list[Entry]]

#: The description of a bytecode path that is not a regular file, by mode.
MODE_DESCRIPTIONS = {
    LINK: "a symbolic link with a bytecode path",
    SUBMODULE: "a submodule with a bytecode path",
}


#: No ignore rule covers a file of another name.
ADDED_AGAIN = "then delete, move or allow it, or the next `git add -A` adds it again"


#: Up to this number of files have commands of their own; more share commands.
MAX_SINGLE_COMMANDS = 5


class AllowList:
    """Allow entries with the index entries they match; records which of them were needed."""

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
        """Return whether an allow entry covers `entry`, and mark those that do as used."""
        holders = self._entries_by_allowance.get((entry.path, entry.blob), set())
        self._used |= holders
        return bool(holders)

    def unused_allowances(self) -> list[Grant]:
        """Return the allow entries that have covered nothing so far, with the entries they match."""
        return [grant for n, grant in enumerate(self._allowed) if n not in self._used]


def path_findings(
    entries: list[Entry],
    grants: AllowList,
    moves: Mapping[str, str | None],
    *,
    rooted: bool,
    sparse: bool = False,
) -> list[Finding]:
    """Report entries with a bytecode path, the stages of a conflict once: PYC001.

    `moves` has the paths that are not bytecode, each with the command that moves it out of the cache
    directory, or None. Commands work in a subdirectory if `rooted`, and in a sparse checkout if
    `sparse`.
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
    """Return the outermost `__pycache__` above `path`, or `path` itself if there is none."""
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
    """Report files of other names that contain bytecode, the stages of a conflict once: PYC002.

    `held` maps each blob that is bytecode to its first bytes.
    """
    how = "despite its name"
    found = {entry: (how, held[entry.blob]) for entry in files if entry.blob in held}
    return _report_contents(found, grants, rooted=rooted, sparse=sparse)


def checkout_findings(
    files: Mapping[Entry, tuple[str, bytes]],
    grants: AllowList,
    *,
    rooted: bool,
    sparse: bool = False,
) -> list[Finding]:
    """Report files that become bytecode at checkout, the stages of a conflict once: PYC002.

    `files` maps each entry to the attributes that convert it, in words, and the first bytes that git writes.
    """
    found = {
        entry: (f"when git checks it out (`{attributes}`)", head)
        for entry, (attributes, head) in files.items()
    }
    return _report_contents(found, grants, rooted=rooted, sparse=sparse)


def _report_contents(
    files: Mapping[Entry, tuple[str, bytes]], grants: AllowList, *, rooted: bool, sparse: bool
) -> list[Finding]:
    """Report files that contain bytecode; each has a clause that says how, and its first bytes."""
    refused = {
        entry.path: (entry, how)
        for entry, how in files.items()
        if not is_bytecode_path(os.fsencode(entry.path)) and not grants.allows(entry)
    }
    commands = _untrack_commands(refused, rooted=rooted, sparse=sparse)
    return [
        Finding(
            entry.path,
            Rule.PYC002,
            f"contains {interpreter_name(head)} bytecode {how}; Python can execute it",
            commands[entry.path],
            blob=entry.blob,
            hint=ADDED_AGAIN,
        )
        for entry, (how, head) in refused.values()
    ]


def _untrack_commands(paths: Iterable[str], *, rooted: bool, sparse: bool) -> dict[str, str]:
    """Return the command that untracks each path: its own, or one for many where there are many."""
    wanted = [*paths]
    if len(wanted) > MAX_SINGLE_COMMANDS:
        return untrack_together(wanted, rooted=rooted, sparse=sparse)
    return {path: untrack_command(path, rooted=rooted, sparse=sparse) for path in wanted}


def interpreter_name(head: bytes) -> str:
    """Return the name and version of the interpreter that wrote bytecode that starts with `head`."""
    magic = identify_magic(head)
    return f"{magic.implementation} {magic.version}" if magic else "Python"


def unused_findings(grants: AllowList, of_use: Container[str]) -> list[Finding]:
    """Report allow entries that allow nothing: PYC003.

    `of_use` has the blobs that are bytecode but were not checked: content that is not new is not
    read again, and its allow entry is needed anyway.
    """
    return [
        Finding(
            allowance.file,
            Rule.PYC003,
            f"the allow entry `{allowance.glob}`"
            + (f" with blob {allowance.blob}" if allowance.blob else "")
            + " matches no tracked bytecode",
            line=allowance.line,
            hint="remove the entry" if allowance.file else "remove the option",
        )
        for allowance, entries in grants.unused_allowances()
        if not any(entry.blob in of_use for entry in entries)
    ]
