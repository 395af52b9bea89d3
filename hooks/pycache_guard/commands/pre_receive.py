"""`pycache-guard pre-receive`: git's hook of that name, on a server."""

from __future__ import annotations

from pycache_guard.commands._commits import CommitsOptions
from pycache_guard.commands._commits import check_commits
from pycache_guard.commands._commits import commits_parser
from pycache_guard.commands._commits import read_ref_lines
from pycache_guard.git.revisions import created
from pycache_guard.git.revisions import from_pre_receive
from pycache_guard.git.tree import HeadTree
from pycache_guard.git.tree import check_head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

NAME = "pre-receive"
SUMMARY = "run as Git's `pre-receive` hook, on a server"
EXAMPLE = "exec pycache-guard pre-receive --quiet   # in hooks/pre-receive"
DOCS_PAGE = "server.md"


def main(argv: Sequence[str]) -> int:
    """Return 0 if nothing was found, 1 if something was, which refuses the push as a whole.

    The configuration is that of HEAD, or of `--config-from REV`, before the push.
    """
    options: CommitsOptions | Namespace = CommitsOptions()
    if argv:
        parser = commits_parser(
            NAME,
            "Refuse to receive commits that bring in bytecode; ref lines on stdin, as git gives them.",
        )
        options = parser.parse(argv)
    lines = read_ref_lines()
    revisions = from_pre_receive(lines)
    if not options.config_from:
        check_head(created(lines))
    return check_commits(NAME, revisions, HeadTree, options, is_receiving=True)
