"""`pycache-guard fix`: both repairs in one step, for a repository that has the problem."""

from __future__ import annotations

from pycache_guard.bytecode.probes import SUFFIXES
from pycache_guard.commands.arguments import reporting_parser
from pycache_guard.commands.reporting import report
from pycache_guard.git.index import Index
from pycache_guard.ignoring.complete import complete
from pycache_guard.repair import untracked
from pycache_guard.survey import judge
from pycache_guard.survey import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Return 0 if there was nothing to mend, 1 if something was, or is left for a person."""
    parser = reporting_parser(
        "fix",
        "Untrack bytecode (files stay on disk), complete the top .gitignore, say what to commit.",
        "pycache-guard fix --dry-run",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    options = parser.parse_args(argv)
    index = Index()
    config = settings(index)
    ignoring = complete(
        index, config.probes if config else tuple(SUFFIXES), write=not options.dry_run
    )
    tracked = judge(index)
    if not options.dry_run:
        tracked = untracked(index, tracked)
    return report([*ignoring, *tracked], "fix", voice=options.format, output=options.output)
