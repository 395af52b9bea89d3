"""`pycache-guard check-history`: check every commit of a range."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

from pycache_guard.commands._commits import CommitsOptions, check_commits
from pycache_guard.errors import Failure
from pycache_guard.git.revisions import all_refs, from_runner_environment, parse_ranges, unpushed
from pycache_guard.git.tree import config_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.git.revisions import Revisions

NAME = "check-history"
SUMMARY = "check every commit of a range, or of all refs"
EXAMPLE = "pycache-guard check-history origin/main..HEAD"
DOCS_PAGE = "history.md"
POSITIONALS = "[RANGE...]"


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    if not argv:
        return check_commits(NAME, resolve_range([]), config_source, CommitsOptions())
    options = parse(argv)
    revisions = all_refs() if options.all else resolve_range(options.range)
    return check_commits(NAME, revisions, config_source, options)


def resolve_range(words: Sequence[str]) -> Revisions:
    """Return the revisions of the arguments, of the runner's variables, or of the upstream branch.

    Raises `Failure` if there are none of these.
    """
    if words:
        return parse_ranges(words)
    found = from_runner_environment(os.environ) or unpushed()
    if found is None:
        raise Failure(
            "no range given and HEAD has no upstream branch; use"
            " `pycache-guard check-history origin/main..HEAD` or `pycache-guard check-history --all`"
        )
    return found


def parse(argv: Sequence[str]) -> Namespace:
    """Parse the arguments. A hook without arguments does not import the parser."""
    from pycache_guard.commands._arguments import non_empty
    from pycache_guard.commands._commits import commits_parser

    parser = commits_parser(
        NAME,
        "Refuse bytecode in every commit of the ranges, including merges, and including bytecode"
        " that a later commit deletes. Without a range: PRE_COMMIT_FROM_REF and"
        " PRE_COMMIT_TO_REF, otherwise the commits that the upstream branch does not have.",
    )
    parser.add_argument(
        "range",
        nargs="*",
        metavar="RANGE",
        type=non_empty,
        help="A..B, C, ^D, as in gitrevisions(7)",
    )
    parser.add_argument("--all", action="store_true", help="every ref, and HEAD")
    options = parser.parse(argv)
    if options.all and options.range:
        parser.error("--all and RANGE cannot be combined")
    return options
