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
from pycache_guard.git.updates import unannounced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

NAME = "pre-push"
#: Why there are findings in commits that are not being pushed.
WITHOUT_LINES = (
    "stdin had no ref lines, so HEAD and all branches were checked against what the remote is known"
    " to have; if another part of the hook reads stdin, hand the lines on to pycache-guard"
)


def main(argv: Sequence[str]) -> int:
    """Return 0 if nothing was found, 1 if something was, which refuses the push.

    Under pre-commit and prek stdin is empty, and the environment tells of one ref. Where neither has
    a line, the branches are checked: what git announced may have been read before.
    """
    options: Options | Namespace
    if not argv or any(word.startswith("-") for word in argv) or len(argv) > 2:
        options = parse(argv)
        remote, url = options.remote, options.url
    else:
        options = Options()
        remote, url = argv[0], argv[1] if len(argv) > 1 else ""
    revisions = None if remote else announced(os.environ)
    lines = b"" if revisions else ref_lines()
    if lines:
        revisions = pushed(lines, remote)
    elif remote:
        revisions = unannounced(remote, url)
    elif revisions is None:
        raise Failure("no ref lines on stdin, and no REMOTE: call it as git calls its hook")
    code = answer(NAME, revisions, own, options)
    if code and remote and not lines:
        from pycache_guard.commands.failures import tell

        tell(WITHOUT_LINES, "note")
    return code


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments; git's own are read without the parser."""
    from pycache_guard.commands.arguments import plain
    from pycache_guard.commands.commits import judging_parser

    parser = judging_parser(
        NAME,
        "Refuse a push of commits that bring in bytecode; ref lines on stdin, as git gives them.",
    )
    for name, words in (("remote", "its name or URL"), ("url", "its URL")):
        parser.add_argument(
            name, nargs="?", default="", type=plain, metavar=name.upper(), help=words
        )
    return parser.read(argv)
