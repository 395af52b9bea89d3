"""`pycache-guard pre-push REMOTE URL`: git's hook of that name, all refs of a push."""

from __future__ import annotations

import os

from pycache_guard.commands.commits import Options
from pycache_guard.commands.commits import answer
from pycache_guard.commands.commits import ref_lines
from pycache_guard.errors import Failure
from pycache_guard.git.head import own
from pycache_guard.git.updates import announced
from pycache_guard.git.updates import pushed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

NAME = "pre-push"


def main(argv: Sequence[str]) -> int:
    """Return 0 if nothing was found, 1 if something was, which refuses the push.

    Under pre-commit and prek stdin is empty, and the environment tells of one ref.
    """
    options: Options | Namespace
    if not argv or any(word.startswith("-") for word in argv) or len(argv) > 2:
        options = parse(argv)
        remote = options.remote
    else:
        options = Options()
        remote = argv[0]
    revisions = None if remote else announced(os.environ)
    if revisions is None:
        lines = ref_lines()
        if not (lines or remote):
            raise Failure("no ref lines on stdin, and no REMOTE: call it as git calls its hook")
        revisions = pushed(lines, remote)
    return answer(NAME, revisions, own, options)


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments; git's own are read without the parser."""
    from pycache_guard.commands.arguments import plain
    from pycache_guard.commands.commits import judging_parser

    parser = judging_parser(
        NAME,
        "Refuse a push of commits that bring in bytecode; ref lines on stdin, as git gives them.",
    )
    for name, words in (("remote", "its name or URL"), ("url", "not used")):
        parser.add_argument(
            name, nargs="?", default="", type=plain, metavar=name.upper(), help=words
        )
    return parser.read(argv)
