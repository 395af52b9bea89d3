"""`pycache-guard check-gitignore`: prove that tracked rules ignore bytecode.

# hot path: see tests/test_budgets.py

Arguments, explanations and report formats are imported only where they are needed.
"""

from __future__ import annotations

from pycache_guard.git.index import current_index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.bytecode.probes import ProbeChoice
    from pycache_guard.findings import Finding
    from pycache_guard.git.index import Index

NAME = "check-gitignore"
SUMMARY = "prove that .gitignore keeps bytecode out, and complete it"
EXAMPLE = "pycache-guard check-gitignore --fix"
DOCS_PAGE = "commands.md"
EXIT_CODES = ("no findings", "findings, or files were changed", "error")


class CheckOptions:
    """The values of a run without arguments, or with `--fix` alone."""

    explain: str | None = None
    probe: Sequence[str] | None = None
    strict = False
    format = "text"
    output: str | None = None
    config_from: str | None = None
    quiet = False
    color = "auto"

    def __init__(self, *, fix: bool = False) -> None:
        self.fix = fix


def main(argv: Sequence[str]) -> int:
    """Return 0 if everything is ignored, 1 if not, or if something had to be added."""
    options: CheckOptions | Namespace
    options = CheckOptions(fix=bool(argv)) if not argv or [*argv] == ["--fix"] else parse(argv)
    index = current_index()
    if options.explain is not None:
        return print_explanation(index, options.explain, options)
    listing = index.list_entries()
    # Git runs while these are imported.
    from pycache_guard.bytecode.probes import ProbeChoice, choose_probes, describe_advice
    from pycache_guard.gitignore.fast_proof import prove_ignored

    probes = ProbeChoice()

    def choose() -> ProbeChoice:
        from pycache_guard.scan import load_config, settings_at

        nonlocal probes
        config = settings_at(options.config_from) if options.config_from else load_config(index)
        probes = choose_probes(options.probe, config and config.probes, strict=options.strict)
        # Where nothing required is missing, `--fix` changes nothing.
        return ProbeChoice(probes.required, ()) if options.fix else probes

    proof = prove_ignored(index, listing, choose)
    if proof is not None:
        return report([], proof.directories, describe_advice(proof.advised), options)
    from pycache_guard.gitignore.fix import find_gaps, plan_fix

    if options.fix:
        plan = plan_fix(index, probes)
        return report(plan.apply(), plan.directories, "", options)
    return report(*find_gaps(index, probes), options)


def report(
    findings: list[Finding], directories: int, advice: str, options: CheckOptions | Namespace
) -> int:
    """Write the report; a text report without findings imports no report format."""
    checked = f"{directories:,} directories checked"
    if not findings:
        checked += ", bytecode is ignored in each"
    notes = (advice,) if advice else ()
    if not findings and options.format == "text" and options.output is None:
        if not options.quiet:
            from pycache_guard.commands import print_success

            print_success(checked, notes)
        return 0
    from pycache_guard.commands._output import write_report
    from pycache_guard.report import Summary

    return write_report(findings, NAME, options, summary=Summary(directories, checked, notes))


def print_explanation(index: Index, path: str, options: CheckOptions | Namespace) -> int:
    """Print which line decides about `path`; return 0 if everybody's git ignores it, else 1."""
    from pycache_guard.commands._output import emit, write_report
    from pycache_guard.gitignore.explain import explain_path
    from pycache_guard.report import Summary
    from pycache_guard.report.escape import escape_unprintable

    explanation = explain_path(index, path)
    if options.format == "json":
        more = {"explanation": explanation.to_dict()}
        write_report([], NAME, options, summary=Summary(1, "1 path explained"), more=more)
    else:
        emit(escape_unprintable(explanation.text) + "\n", options.output)
    return 0 if explanation.is_ignored_for_all else 1


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments; a run without arguments does not need the parser."""
    from pycache_guard.commands._arguments import (
        add_config_option,
        add_probe_options,
        non_empty,
        report_parser,
    )

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
