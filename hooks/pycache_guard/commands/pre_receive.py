"""`pycache-guard pre-receive`: git's hook of that name, on a server."""

from __future__ import annotations

from pycache_guard.commands.commits import Options
from pycache_guard.commands.commits import answer
from pycache_guard.commands.commits import judging_parser
from pycache_guard.commands.commits import ref_lines
from pycache_guard.git.head import Head
from pycache_guard.git.head import check_head
from pycache_guard.git.updates import created
from pycache_guard.git.updates import received

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

NAME = "pre-receive"


def main(argv: Sequence[str]) -> int:
    """Return 0 if nothing was found, 1 if something was, which refuses the push as a whole.

    The configuration is that of HEAD, or of `--config-from REV`, before the push.
    """
    options: Options | Namespace = Options()
    if argv:
        parser = judging_parser(
            NAME,
            "Refuse to receive commits that bring in bytecode; ref lines on stdin, as git gives them.",
        )
        options = parser.read(argv)
    lines = ref_lines()
    revisions = received(lines)
    if not options.config_from:
        check_head(created(lines))
    return answer(NAME, revisions, Head, options, is_receiving=True)
