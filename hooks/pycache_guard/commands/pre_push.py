"""`pycache-guard pre-push REMOTE URL`: git's `pre-push` hook, for all refs of a push."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

from pycache_guard.commands._commits import CommitsOptions, check_commits, read_ref_lines
from pycache_guard.errors import Failure
from pycache_guard.git.revisions import from_pre_push, from_runner_environment, unannounced
from pycache_guard.git.tree import config_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

NAME = "pre-push"
SUMMARY = "run as Git's `pre-push` hook"
EXAMPLE = 'exec pycache-guard pre-push --quiet "$@"   # in .git/hooks/pre-push'
DOCS_PAGE = "history.md"
POSITIONALS = "[REMOTE] [URL]"
#: The reason for findings in commits that are not being pushed.
WITHOUT_LINES = (
    "stdin had no ref lines, so HEAD and all branches were checked against what the remote is known"
    " to have; if another part of the hook reads stdin, pass the lines on to pycache-guard"
)


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit code. Any code except 0 refuses the push.

    Under pre-commit and prek stdin is empty, and variables describe one ref. If there are neither lines
    nor variables, all branches are checked, because another program may have read the lines.
    """
    options: CommitsOptions | Namespace
    if not argv or any(word.startswith("-") for word in argv) or len(argv) > 2:
        options = parse(argv)
        remote, url = options.remote, options.url
    else:
        options = CommitsOptions()
        remote, url = argv[0], argv[1] if len(argv) > 1 else ""
    revisions = None if remote else from_runner_environment(os.environ)
    lines = b"" if revisions else read_ref_lines()
    if lines:
        revisions = from_pre_push(lines, remote)
    elif remote:
        revisions = unannounced(remote, url)
    elif revisions is None:
        raise Failure(
            "no ref lines on stdin and no REMOTE; git passes both to its hook (githooks(5))"
        )
    code = check_commits(NAME, revisions, config_source, options)
    if code and remote and not lines:
        from pycache_guard.commands._output import print_error

        print_error(WITHOUT_LINES, "note")
    return code


def parse(argv: Sequence[str]) -> Namespace:
    """Parse the arguments. The arguments that git passes do not need the parser."""
    from pycache_guard.commands._arguments import any_text
    from pycache_guard.commands._commits import commits_parser

    parser = commits_parser(
        NAME,
        "Refuse a push of commits that add bytecode. Git passes the ref lines on stdin.",
    )
    for name, words in (("remote", "its name or URL"), ("url", "its URL")):
        parser.add_argument(
            name, nargs="?", default="", type=any_text, metavar=name.upper(), help=words
        )
    return parser.parse(argv)
