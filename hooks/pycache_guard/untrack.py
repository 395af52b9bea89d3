"""Untrack bytecode that `forbid-bytecode` found by its path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.findings import Rule
from pycache_guard.git.repository import uses_temporary_index

if TYPE_CHECKING:
    from pycache_guard.findings import Finding
    from pycache_guard.git.index import Index

COMMIT = 'git commit -m "Untrack bytecode"'


def untrack_findings(index: Index, findings: list[Finding]) -> list[Finding]:
    """Untrack bytecode that was found by its path; return all findings with their new state.

    Under `git commit -a` or `git commit PATH` nothing is changed, because git would lose or undo
    it: the findings then keep their commands.
    """
    paths = [f.path for f in findings if is_untracked_by_fix(f) and f.path is not None]
    if not paths:
        return findings
    if uses_temporary_index():
        why = "; not untracked, since this commit has an index of its own"
        return [
            f._replace(message=f"{f.message}{why}") if is_untracked_by_fix(f) else f
            for f in findings
        ]
    index.untrack(paths)
    done = "untracked; the file stays on disk"
    return [
        f._replace(message=done, fix=None, hint=None, is_fixed=True)
        if is_untracked_by_fix(f)
        else f
        for f in findings
    ]


def is_untracked_by_fix(finding: Finding) -> bool:
    """Return whether a finding is about bytecode by its path, which can be untracked without a loss."""
    return finding.rule is Rule.PYC001 and not finding.is_kept


def commit_command(index: Index) -> str | None:
    """Return the command that commits untracked bytecode, or None if there is nothing to commit.

    Bytecode that was staged and never committed leaves no difference to HEAD.
    """
    deleted = index.read_diff(index.start_diff()).deleted_paths()
    return COMMIT if any(map(is_bytecode_path, deleted)) else None
