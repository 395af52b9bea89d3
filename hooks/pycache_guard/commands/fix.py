"""`pycache-guard fix`: both repairs in one step, for a repository that has the problem."""

from __future__ import annotations

from pycache_guard.bytecode.probes import SUFFIXES
from pycache_guard.commands.arguments import reporting_parser
from pycache_guard.commands.reporting import report
from pycache_guard.findings import Rule
from pycache_guard.git.index import Index
from pycache_guard.ignoring.complete import completion
from pycache_guard.remedies import LONG
from pycache_guard.repair import COMMIT
from pycache_guard.repair import is_untracked_by_fix
from pycache_guard.repair import untracked
from pycache_guard.survey import judge
from pycache_guard.survey import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.findings import Finding

#: What a dry run leads to.
COMMAND = "pycache-guard fix"


def main(argv: Sequence[str]) -> int:
    """Return 0 if there was nothing to mend, 1 if something was, or is left for a person."""
    parser = reporting_parser(
        "fix",
        "Untrack bytecode (files stay on disk), complete the top .gitignore, say what to commit.",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    options = parser.read(argv)
    index = Index()
    config = settings(index)
    planned = completion(index, config.probes if config else tuple(SUFFIXES))
    tracked = judge(index)
    if options.dry_run:
        found = [*planned.foretold(), *by_this_program(tracked)]
    else:
        found = in_one_commit([*planned.carried_out(), *untracked(index, tracked)], planned.stage)
    return report(found, "fix", voice=options.format, output=options.output)


def by_this_program(found: list[Finding]) -> list[Finding]:
    """Say of what would be untracked that the same command does it, run in earnest."""
    return [f._replace(remedy=COMMAND) if is_untracked_by_fix(f) else f for f in found]


def in_one_commit(found: list[Finding], stage: str) -> list[Finding]:
    """Where a commit is to be made, say in one command what is to be staged for it, and commit.

    What is left to a person comes first: a hook would refuse the commit with it.
    """
    wanted = dict.fromkeys(finding.remedy for finding in found if finding.remedy)
    if COMMIT not in wanted:
        return found
    left = dict.fromkeys(
        f.remedy for f in found if (f.rule is Rule.PYC002 or f.is_kept) and f.remedy
    )
    together = [*left, *[stage] * (stage in wanted), COMMIT]
    command = " && ".join(together)
    if len(command) > LONG:
        return found
    return [f._replace(remedy=command) if f.remedy in together else f for f in found]
