"""JUnit XML, which Jenkins, GitLab, Azure Pipelines and others show as test results.

There is no official schema. This is the common part of those that exist: `testsuites`, `testsuite`,
`testcase` and `failure` (jenkinsci/xunit-plugin, junit-10.xsd), and the attribute `file` of a test
case, which GitLab reads (https://docs.gitlab.com/ci/testing/unit_test_reports/).
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pycache_guard.report.escape import escape_text, escape_unprintable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycache_guard.findings import Finding


def render(findings: list[Finding], command: str) -> str:
    """Return a document, ASCII only: one failed test case per finding.

    Without findings it has one test case that passed, because CI systems take a report without test
    cases for an error.
    """
    cases = [format_case(finding, command) for finding in findings]
    passed = f'    <testcase classname="{command}" name="no findings" time="0"/>\n'
    counts = f'tests="{len(cases) or 1}" failures="{len(cases)}" errors="0" time="0"'
    text = (
        '<?xml version="1.0"?>\n'
        f'<testsuites name="pycache-guard" {counts}>\n'
        f'  <testsuite name="{command}" {counts} skipped="0">\n'
        f"{''.join(cases) or passed}"
        "  </testsuite>\n"
        "</testsuites>\n"
    )
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def format_case(finding: Finding, command: str) -> str:
    """Return the `testcase` of a finding; its name is the place, or the message without a place."""
    parts = [finding.path, finding.line, finding.column]
    place = ":".join(str(part) for part in parts if part is not None)
    attributes = {
        "classname": f"{command}.{finding.rule.name}",
        "name": place or finding.message,
        "file": finding.path,
        "time": 0,
    }
    lines = [finding.message]
    if finding.instruction:
        lines.append(f"To fix: {finding.instruction}")
    lines.append(f"About: {finding.rule.docs_url}")
    failure = {"type": finding.rule.name, "message": f"{finding.rule.value}: {finding.message}"}
    text = "\n".join(escape(escape_unprintable(line)) for line in lines)
    return (
        f"    <testcase{format_attributes(attributes)}>\n"
        f"      <failure{format_attributes(failure)}>{text}</failure>\n"
        "    </testcase>\n"
    )


def format_attributes(values: Mapping[str, object]) -> str:
    """Return ` KEY="VALUE"` for each value that is not None.

    Characters that XML 1.0 does not allow, and line ends, which a reader would turn into spaces, are
    shown as `escape_text` shows them.
    """
    return "".join(
        f' {key}="{escape(escape_text(str(value)))}"'
        for key, value in values.items()
        if value is not None
    )
