"""`pycache-guard check-dockerignore`: prove that bytecode stays out of every build context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycache_guard.bytecode.probes import choose_probes
from pycache_guard.commands._arguments import (
    add_config_option,
    add_probe_options,
    non_empty,
    report_parser,
)
from pycache_guard.commands._output import print_error, write_report
from pycache_guard.dockerignore.check import DockerignoreChecker
from pycache_guard.git.index import Index
from pycache_guard.report import Summary, count
from pycache_guard.scan import load_config, settings_at

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

NAME = "check-dockerignore"
SUMMARY = "prove the same of .dockerignore, and complete it"
EXAMPLE = "pycache-guard check-dockerignore --fix"
DOCS_PAGE = "docker.md"
POSITIONALS = "[CONTEXT...]"
EXIT_CODES = ("no findings", "findings, or files were changed", "error")


def main(argv: Sequence[str]) -> int:
    """Return 0 if no bytecode gets in, 1 for findings or changed files, 2 for an unchecked context."""
    options = parse(argv)
    index = Index()
    config = settings_at(options.config_from) if options.config_from else load_config(index)
    probes = choose_probes(options.probe, config and config.probes, strict=options.strict)
    checker = DockerignoreChecker(index, probes)
    builds = checker.builds(options.contexts)
    found, failures = checker.for_each_build(builds, checker.fix if options.fix else checker.check)
    advice = () if found or failures or options.fix else checker.advise(builds)
    ignored = config.ignore if config else ()
    found = [finding for finding in found if finding.rule.name not in ignored]
    summary = Summary(len(builds), f"{count(len(builds), 'build context')} checked", advice)
    code = write_report(found, NAME, options, summary=None if failures and not found else summary)
    for line in failures:
        print_error(line)
    return 2 if failures else code


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    parser = report_parser(
        NAME,
        "Prove that the tracked ignore files keep bytecode out of Docker build contexts, as Docker"
        " reads them.",
    )
    parser.add_argument(
        "contexts",
        metavar="CONTEXT",
        type=non_empty,
        nargs="*",
        help="build contexts (default: those of the tracked Docker and compose files)",
    )
    parser.add_argument(
        "--fix", action="store_true", help="append the missing patterns to the ignore files"
    )
    add_probe_options(parser)
    add_config_option(parser)
    return parser.parse(argv)
