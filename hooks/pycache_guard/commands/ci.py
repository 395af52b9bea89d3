"""`pycache-guard ci`: everything that CI should check, in the form that the system shows."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import TYPE_CHECKING

from pycache_guard import compat
from pycache_guard.ci.checks import (
    CheckResult,
    check_ignore_rules,
    check_index,
    check_run_commits,
    run_side_by_side,
)
from pycache_guard.ci.ranges import RunCommits, range_commits, run_commits
from pycache_guard.ci.systems import detect_system, read_github
from pycache_guard.commands import print_success
from pycache_guard.commands._arguments import non_empty, report_parser
from pycache_guard.commands._index_child import examine_in_child
from pycache_guard.errors import Failure
from pycache_guard.git.repository import require_toplevel
from pycache_guard.git.tree import RevisionFiles
from pycache_guard.report import Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.ci.systems import System
    from pycache_guard.findings import Finding

NAME = "ci"
SUMMARY = "check what CI should: index, .gitignore, new commits"
EXAMPLE = "pycache-guard ci"
DOCS_PAGE = "ci.md"

#: What to do where no system is known.
UNKNOWN_SYSTEM = (
    "no known CI system: pass the commits to check, for example"
    " `pycache-guard ci --range origin/main..HEAD`"
)
#: The rank of findings that are not about a commit: larger than that of any commit.
AFTER_COMMITS = 1 << 62
REMOVED_WITH_COMMITS = "the command for its commit removes it here too"
#: The file to which a step appends Markdown, on GitHub, Gitea and Forgejo
#: (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands).
SUMMARY_FILE = "GITHUB_STEP_SUMMARY"


def main(argv: Sequence[str]) -> int:
    """Run the three checks; return 0 without findings, 1 with findings.

    Raises `Failure`, after the report, for what could not be checked.
    """
    options = parse(argv)
    require_toplevel()
    system = detect_system(os.environ)
    commits = find_commits(system, options.range)
    config_from = options.config_from or commits.base
    files = RevisionFiles(config_from) if config_from else None
    full_clone = system.full_clone if system else "`git fetch --unshallow`"

    results = run_side_by_side(
        [
            lambda: check_index(files, examine_in_child),
            lambda: check_ignore_rules(files),
            lambda: check_run_commits(commits.revisions, files, full_clone),
        ]
    )
    done = [result for result in results if isinstance(result, CheckResult)]
    failures: list[str] = []
    for result in results:
        if isinstance(result, CheckResult):
            failures += result.failures
        elif isinstance(result, Failure):
            failures.append(str(result))
        else:
            raise result
    code = report(done, commits, system, options, config_from, is_complete=not failures)
    if failures:
        raise Failure("; ".join(dict.fromkeys(failures)))
    return code


def find_commits(system: System | None, word: str | None) -> RunCommits:
    """Return the commits of `--range`, or those of the run. Raises `Failure` without either."""
    if word is not None:
        return range_commits(word)
    if system is None:
        raise Failure(UNKNOWN_SYSTEM)
    event = {}
    if system.read is read_github:
        path = os.environ.get("GITHUB_EVENT_PATH")
        if not path:
            raise Failure("GITHUB_EVENT_PATH is not set; pass --range BASE..HEAD")
        from pycache_guard.ci.event_file import read_event

        event = dict(read_event(path))
    return run_commits(system.read(os.environ, event), system)


def report(
    done: list[CheckResult],
    commits: RunCommits,
    system: System | None,
    options: Namespace,
    config_from: str | None,
    *,
    is_complete: bool,
) -> int:
    """Write one report of all checks, and the job summary; return the exit code."""
    findings = order_fixes([finding for result in done for finding in result.findings])
    summary = summarize(done, commits, findings, config_from)
    keys: dict[str, object] = {}
    for result in reversed(done):  # the counts of the index come last, and stay
        keys |= result.keys
    keys["system"] = system.name if system else None
    keys["range"] = commits.text or None
    keys["config_from"] = config_from
    for log_or_file in report_options(options, system):
        is_log = log_or_file.output is None and log_or_file.format in ("text", "github")
        if is_log and not findings:
            # A log without any line looks as if nothing had run.
            if is_complete and not options.quiet:
                print_success(summary.text, summary.notes)
        else:
            from pycache_guard.commands._output import write_report
            from pycache_guard.remedies import program

            write_report(
                findings,
                NAME,
                log_or_file,
                summary=summary,
                more=keys,
                shortcut=f"{program()} fix",
            )
    if system is not None and system.read is read_github:
        append_job_summary(findings, summary, is_complete=is_complete)
    return 1 if findings else 0


def order_fixes(findings: list[Finding]) -> list[Finding]:
    """Return findings sorted so that their commands work one after the other.

    The command that rewrites commits comes first, because it refuses staged changes. It also removes
    the same files from the index, so their findings there have no command of their own.
    """
    if not findings:
        return []
    from pycache_guard.findings import sort_findings

    rewritten = {
        finding.path
        for finding in findings
        if finding.commit and finding.fix and "filter-repo" not in finding.fix
    }
    adapted = []
    for finding in findings:
        if finding.commit is None:
            finding = finding._replace(rank=AFTER_COMMITS)
            if finding.path in rewritten and finding.fix:
                finding = finding._replace(fix=None, hint=REMOVED_WITH_COMMITS)
        adapted.append(finding)
    return sort_findings(adapted)


def summarize(
    done: list[CheckResult],
    commits: RunCommits,
    findings: list[Finding],
    config_from: str | None,
) -> Summary:
    """Return what was checked, with the notes of all checks."""
    notes = [note for result in done for note in result.notes]
    notes += commits.notes
    if config_from and any(f.rule.name in ("PYC001", "PYC002") for f in findings):
        notes.append(
            f"Allow entries are those of {config_from}; merge an allow entry before the bytecode."
        )
    return Summary(
        next((result.number for result in done), 0),
        ", ".join(result.checked for result in done),
        tuple(dict.fromkeys(notes)),
    )


def report_options(options: Namespace, system: System | None) -> list[Namespace]:
    """Return the options of each copy of the report: usually one.

    With `--output` alone, the file gets the format of the system, and the log gets annotations or
    text too: a failed job with an empty log helps nobody. `--format` asks for this format only.
    """
    log_format = system.log_format if system else "text"
    if options.format or not options.output:
        return [Namespace(**{**vars(options), "format": options.format or log_format})]
    shown = log_format if log_format == "github" else "text"
    return [
        Namespace(**{**vars(options), "format": system.file_format if system else "text"}),
        Namespace(**{**vars(options), "format": shown, "output": None}),
    ]


def append_job_summary(findings: list[Finding], summary: Summary, *, is_complete: bool) -> None:
    """Append the report as Markdown to the file of the job summary, if there is one."""
    path = os.environ.get(SUMMARY_FILE)
    if not path:
        return
    from pycache_guard.report.markdown import render_summary

    text = render_summary(findings, summary, is_complete=is_complete)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | compat.O_BINARY | compat.O_NONBLOCK
    with open(os.open(path, flags, 0o644), "ab") as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    parser = report_parser(
        NAME,
        "Check the index with all contents, prove that .gitignore keeps bytecode out, and check"
        " exactly the commits of this run, with the format that the CI system shows.",
    )
    parser.set_defaults(format=None)
    parser.add_argument(
        "--range",
        metavar="RANGE",
        type=non_empty,
        help="the commits to check, A..B as in gitrevisions(7) (default: what the system says)",
    )
    parser.add_argument(
        "--config-from",
        metavar="REV",
        type=non_empty,
        help="read the configuration from this revision (default: the base of the commits)",
    )
    return parser.parse(argv)
