"""`pycache-guard fix`: both repairs in one step, for a repository that has the problem."""

from __future__ import annotations

from pycache_guard.bytecode.probes import SUFFIXES
from pycache_guard.commands.arguments import reporting_parser
from pycache_guard.commands.reporting import report
from pycache_guard.git.index import Index
from pycache_guard.ignoring.complete import completion
from pycache_guard.repair import COMMIT
from pycache_guard.repair import untracked
from pycache_guard.survey import judge
from pycache_guard.survey import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.findings import Finding


def main(argv: Sequence[str]) -> int:
    """Return 0 if there was nothing to mend, 1 if something was, or is left for a person."""
    parser = reporting_parser(
        "fix",
        "Untrack bytecode (files stay on disk), complete the top .gitignore, say what to commit.",
        "pycache-guard fix --dry-run",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    options = parser.read(argv)
    index = Index()
    config = settings(index)
    planned = completion(index, config.probes if config else tuple(SUFFIXES))
    tracked = judge(index)
    if options.dry_run:
        found = [*planned.foretold(), *tracked]
    else:
        found = in_one_commit([*planned.carried_out(), *untracked(index, tracked)], planned.stage)
    return report(found, "fix", voice=options.format, output=options.output)


def in_one_commit(found: list[Finding], stage: str) -> list[Finding]:
    """Where a file is to be staged and a commit to be made, say both in one command."""
    if {stage, COMMIT} <= {finding.remedy for finding in found}:
        both = f"{stage} && {COMMIT}"
        return [f._replace(remedy=both) if f.remedy in (stage, COMMIT) else f for f in found]
    return found
