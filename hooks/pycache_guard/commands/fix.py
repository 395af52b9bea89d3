"""`pycache-guard fix`: both repairs in one step, for a repository that has the problem."""

from __future__ import annotations

from pycache_guard.bytecode.probes import choose_probes
from pycache_guard.commands.arguments import reporting_parser
from pycache_guard.commands.reporting import report
from pycache_guard.findings import Rule
from pycache_guard.git.index import Index
from pycache_guard.ignoring.complete import completion
from pycache_guard.remedies import program
from pycache_guard.repair import COMMIT
from pycache_guard.repair import is_untracked_by_fix
from pycache_guard.repair import untracked
from pycache_guard.report import Summary
from pycache_guard.report import count
from pycache_guard.survey import Unread
from pycache_guard.survey import judge
from pycache_guard.survey import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.findings import Finding

NAME = "fix"


def main(argv: Sequence[str]) -> int:
    """Return 0 if nothing is left to do but a commit, 1 if something is left for a person.

    With `--dry-run` 1 means that there is something to fix.
    """
    parser = reporting_parser(
        NAME,
        "Untrack bytecode (files stay on disk), complete the top .gitignore, print what to commit.",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would be done")
    options = parser.read(argv)
    index = Index()
    config = settings(index)
    plan = completion(index, choose_probes(None, config and config.probes, strict=False))
    coverage = Unread()
    tracked = judge(index, unread=coverage)
    checked = f"{count(coverage.entries, 'tracked file')} checked"
    if options.dry_run:
        found = [*plan.foretold(), *by_this_program(tracked)]
        return report(found, NAME, options, summary=Summary(coverage.entries, checked))
    completed = plan.carried_out()
    if plan.is_only_unstaged:
        completed = [finding._replace(is_fixed=True) for finding in completed]
    found = [*completed, *untracked(index, tracked)]
    commit = commit_command(index, found, plan.stage)
    fixed = [finding._replace(remedy=None) for finding in found if finding.is_fixed]
    left = [finding for finding in found if not finding.is_fixed]
    if found:
        checked = f"{count(len(fixed), 'problem')} fixed, {len(left):,} left, {checked}"
    summary = Summary(coverage.entries, checked)
    report([*fixed, *left], NAME, options, summary=summary, commit=commit)
    return 1 if left else 0


def by_this_program(found: list[Finding]) -> list[Finding]:
    """Return findings that lead to this command where it untracks what they name."""
    command = f"{program()} fix"
    return [f._replace(remedy=command) if is_untracked_by_fix(f) else f for f in found]


def commit_command(index: Index, found: list[Finding], stage: str) -> str | None:
    """Return the command that commits what was fixed; `None` where that leaves nothing to commit.

    What was staged and never committed is untracked without a trace. `stage` stages the completed
    `.gitignore`.
    """
    fixed = {finding.rule for finding in found if finding.is_fixed}
    if fixed - {Rule.PYC001}:
        return f"{stage} && {COMMIT}"
    if Rule.PYC001 in fixed and index.changes(index.comparison()).records():
        return COMMIT
    return None
