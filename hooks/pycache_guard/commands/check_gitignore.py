"""`pycache-guard check-gitignore`: prove that tracked rules ignore bytecode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycache_guard.bytecode.probes import choose_probes
from pycache_guard.commands._arguments import (
    add_config_option,
    add_probe_options,
    non_empty,
    report_parser,
)
from pycache_guard.commands._output import emit, write_report
from pycache_guard.git.index import Index
from pycache_guard.gitignore.fix import check_gitignore, plan_fix
from pycache_guard.report import Summary, count
from pycache_guard.report.escape import escape_unprintable
from pycache_guard.scan import load_config, settings_at

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

NAME = "check-gitignore"
SUMMARY = "prove that .gitignore keeps bytecode out, and complete it"
EXAMPLE = "pycache-guard check-gitignore --fix"
DOCS_PAGE = "commands.md"
EXIT_CODES = ("no findings", "findings, or files were changed", "error")


def main(argv: Sequence[str]) -> int:
    """Return 0 if everything is ignored, 1 if not, or if something had to be added."""
    options = parse(argv)
    index = Index()
    if options.explain is not None:
        return print_explanation(index, options)
    config = settings_at(options.config_from) if options.config_from else load_config(index)
    probes = choose_probes(options.probe, config and config.probes, strict=options.strict)
    if options.fix:
        plan = plan_fix(index, probes)
        found, directories, advice = plan.apply(), plan.directories, ""
    else:
        found, directories, advice = check_gitignore(index, probes)
    checked = f"{count(directories, 'directory', 'directories')} checked"
    if not found:
        checked += ", bytecode is ignored in each"
    summary = Summary(directories, checked, (advice,) if advice else ())
    return write_report(found, NAME, options, summary=summary)


def print_explanation(index: Index, options: Namespace) -> int:
    """Print which line decides about a path; return 0 if everybody's git ignores it, else 1."""
    from pycache_guard.gitignore.explain import explain_path

    explanation = explain_path(index, options.explain)
    if options.format == "json":
        more = {"explanation": explanation.to_dict()}
        write_report([], NAME, options, summary=Summary(1, "1 path explained"), more=more)
    else:
        emit(escape_unprintable(explanation.text) + "\n", options.output)
    return 0 if explanation.is_ignored_for_all else 1


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    parser = report_parser(
        NAME,
        "Prove, by asking git, that bytecode is ignored wherever Python 3 writes it, by rules that"
        " are in the index and not by this person's own.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--fix", action="store_true", help="append what is missing to the top .gitignore"
    )
    what.add_argument(
        "--explain",
        metavar="PATH",
        type=non_empty,
        help="print which line of which file decides about PATH, and whether others have it",
    )
    add_probe_options(parser)
    add_config_option(parser)
    options = parser.parse(argv)
    if options.explain is not None and options.format not in ("text", "json"):
        parser.error(f"--explain answers as text or json, not as {options.format}")
    return options
