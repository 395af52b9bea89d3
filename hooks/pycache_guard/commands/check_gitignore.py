"""`pycache-guard check-gitignore`: prove that what is tracked ignores bytecode."""

from __future__ import annotations

from pycache_guard.bytecode.probes import SUFFIXES
from pycache_guard.commands.arguments import config_option
from pycache_guard.commands.arguments import probe_option
from pycache_guard.commands.arguments import reporting_parser
from pycache_guard.commands.reporting import report
from pycache_guard.git.index import Index
from pycache_guard.ignoring.complete import completion
from pycache_guard.ignoring.complete import prove
from pycache_guard.survey import settings
from pycache_guard.survey import settings_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Return 0 if everything is ignored, 1 if not, or if something had to be added."""
    parser = reporting_parser(
        "check-gitignore",
        "Prove, by asking git, that bytecode is ignored wherever Python can put some, by rules that"
        " are in the index and not by this person's own.",
    )
    parser.add_argument(
        "--fix", action="store_true", help="append what is missing to the top .gitignore"
    )
    probe_option(parser)
    config_option(parser)
    options = parser.read(argv)
    index = Index()
    config = settings_at(options.config_from) if options.config_from else settings(index)
    kinds = options.probe or (config.probes if config else tuple(SUFFIXES))
    found = completion(index, kinds).carried_out() if options.fix else prove(index, kinds)
    return report(found, "check-gitignore", voice=options.format, output=options.output)
