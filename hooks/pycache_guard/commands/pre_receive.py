"""`pycache-guard pre-receive`: git's `pre-receive` hook, on a server."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

from pycache_guard.commands._commits import (
    CommitsOptions,
    check_commits,
    commits_parser,
    read_ref_lines,
)
from pycache_guard.git.revisions import created_refs, from_pre_receive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.git.objects import ObjectReader
    from pycache_guard.git.tree import HeadTree

NAME = "pre-receive"
SUMMARY = "run as Git's `pre-receive` hook, on a server"
EXAMPLE = "exec pycache-guard pre-receive --quiet   # in hooks/pre-receive"
DOCS_PAGE = "server.md"


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit code. Any code except 0 refuses the whole push.

    The configuration is read from HEAD, or from `--config-from REV`, as it is before the push.
    """
    options: CommitsOptions | Namespace = CommitsOptions()
    if argv:
        parser = commits_parser(
            NAME,
            "Refuse to receive commits that add bytecode. Git passes the ref lines on stdin.",
        )
        options = parser.parse(argv)
    lines = read_ref_lines()
    revisions = from_pre_receive(lines)
    created = created_refs(lines)

    def source(reader: ObjectReader) -> HeadTree:
        from pycache_guard.git.tree import HeadTree, check_head

        head = HeadTree(reader)
        check_head(created, head)
        return head

    return check_commits(NAME, revisions, source, options, is_receiving=True)
