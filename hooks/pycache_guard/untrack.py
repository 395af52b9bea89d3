"""Untrack what `forbid-bytecode` found by path."""

from __future__ import annotations

from pycache_guard.findings import Rule
from pycache_guard.git.repository import uses_temporary_index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.findings import Finding
    from pycache_guard.git.index import Index

COMMIT = 'git commit -m "Untrack bytecode"'


def untrack_findings(index: Index, findings: list[Finding]) -> list[Finding]:
    """Untrack what was found by path; return the findings as they stand now.

    Under `git commit -a` or `git commit PATH` nothing is changed, because git would lose or undo
    it: the findings then keep the command that mends them.
    """
    paths = [f.path for f in findings if is_untracked_by_fix(f) and f.path is not None]
    if not paths:
        return findings
    if uses_temporary_index():
        why = "; not untracked, since this commit has an index of its own"
        return [_replace_message(f, f"{f.message}{why}") for f in findings]
    index.untrack(paths)
    done = "untracked; the file stays on disk"
    return [_replace_message(f, done, remedy=COMMIT) for f in findings]


def is_untracked_by_fix(finding: Finding) -> bool:
    """Whether a finding is one of bytecode by its path, which may be untracked without a loss."""
    return finding.rule is Rule.PYC001 and not finding.is_kept


def _replace_message(finding: Finding, message: str, remedy: str | None = None) -> Finding:
    """Return a finding of what is untracked with another message; every other finding as it is."""
    if not is_untracked_by_fix(finding):
        return finding
    is_fixed = remedy is not None
    return finding._replace(message=message, fix=remedy or finding.fix, is_fixed=is_fixed)
