"""`pycache-guard check-history`: judge every commit of a range."""

from __future__ import annotations

import os

from pycache_guard.commands.commits import Options
from pycache_guard.commands.commits import answer
from pycache_guard.errors import Failure
from pycache_guard.git.head import own
from pycache_guard.git.revisions import every_ref
from pycache_guard.git.revisions import not_upstream
from pycache_guard.git.revisions import ranges
from pycache_guard.git.updates import announced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.git.revisions import Revisions

NAME = "check-history"


def main(argv: Sequence[str]) -> int:
    """Return 0 if nothing was found, 1 if something was."""
    if not argv:
        return answer(NAME, meant([]), own, Options())
    options = parse(argv)
    revisions = every_ref() if options.all else meant(options.range)
    return answer(NAME, revisions, own, options)


def meant(words: Sequence[str]) -> Revisions:
    """Return the revisions that arguments, a runner or the upstream branch tell.

    Raises `Failure` where nothing does.
    """
    if words:
        return ranges(words)
    found = announced(os.environ) or not_upstream()
    if found is None:
        raise Failure(
            "which commits? There is no upstream branch to compare HEAD with:"
            " say `pycache-guard check-history origin/main..HEAD`,"
            " or `pycache-guard check-history --all`"
        )
    return found


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments; a hook without any does without the parser."""
    from pycache_guard.commands.arguments import filled
    from pycache_guard.commands.commits import judging_parser

    parser = judging_parser(
        NAME,
        "Refuse bytecode in every commit of the ranges, merges included, also what a later commit"
        " deletes again. Without a range: PRE_COMMIT_FROM_REF and PRE_COMMIT_TO_REF, else what the"
        " upstream branch does not have.",
    )
    parser.add_argument(
        "range", nargs="*", metavar="RANGE", type=filled, help="A..B, C, ^D, as in gitrevisions(7)"
    )
    parser.add_argument("--all", action="store_true", help="every ref, and HEAD")
    options = parser.read(argv)
    if options.all and options.range:
        parser.error("--all leaves no RANGE to choose")
    return options
