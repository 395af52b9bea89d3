"""`pycache-guard fix`: untrack bytecode and complete `.gitignore` in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycache_guard.bytecode.probes import choose_probes
from pycache_guard.commands._arguments import report_parser
from pycache_guard.commands._output import write_report
from pycache_guard.git.index import Index
from pycache_guard.gitignore.fix import plan_fix
from pycache_guard.remedies import program
from pycache_guard.report import Summary, count
from pycache_guard.scan import Unread, load_config, scan_tracked
from pycache_guard.untrack import COMMIT, commit_command, is_untracked_by_fix, untrack_findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.findings import Finding

NAME = "fix"
SUMMARY = "untrack bytecode and complete .gitignore in one step"
EXAMPLE = "pycache-guard fix --dry-run"
DOCS_PAGE = "commands.md"
EXIT_CODES = ("only the commit is left", "findings are left", "error")

COMMIT_IGNORE_FILE = 'git commit -m "Ignore bytecode"'


def main(argv: Sequence[str]) -> int:
    """Return 0 if nothing is left to do but the commit, 1 if something is left for a person.

    With `--dry-run`, 1 means that there is something to fix.
    """
    parser = report_parser(
        NAME,
        "Untrack bytecode (files stay on disk), complete the top .gitignore, print what to commit.",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would be done")
    options = parser.parse(argv)
    index = Index()
    config = load_config(index)
    plan = plan_fix(index, choose_probes(None, config and config.probes, strict=False))
    coverage = Unread()
    tracked = scan_tracked(index, unread=coverage)
    checked = f"{count(coverage.entries, 'tracked file')} checked"
    if options.dry_run:
        found = [*plan.preview(), *_point_to_fix(tracked)]
        summary = Summary(coverage.entries, checked)
        return write_report(found, NAME, options, summary=summary, more={"commit_command": None})
    completed = plan.apply()
    untracked = untrack_findings(index, tracked)
    commit = commit_command(index)
    untracks = commit or any(is_untracked_by_fix(f) and not f.is_fixed for f in untracked)
    if plan.is_as_in_head and not untracks:  # staging is all that is left
        completed = [finding._replace(is_fixed=False) for finding in completed]
    elif plan.is_only_unstaged:
        completed = [finding._replace(is_fixed=True) for finding in completed]
    if any(finding.is_fixed for finding in completed):
        commit = f"{plan.stage} && {COMMIT if untracks else COMMIT_IGNORE_FILE}"
    found = [*completed, *untracked]
    fixed = [finding._replace(fix=None) for finding in found if finding.is_fixed]
    left = [finding for finding in found if not finding.is_fixed]
    if found:
        checked = f"{count(len(fixed), 'problem')} fixed, {len(left):,} left, {checked}"
    summary = Summary(coverage.entries, checked)
    more = {"commit_command": commit}
    write_report([*fixed, *left], NAME, options, summary=summary, more=more, commit=commit)
    return 1 if left else 0


def _point_to_fix(found: list[Finding]) -> list[Finding]:
    """Return the findings; those that `fix` repairs have this command as their fix."""
    command = f"{program()} fix"
    return [f._replace(fix=command) if is_untracked_by_fix(f) else f for f in found]
