"""For people: one line a finding, then the commands that mend them, each once."""

from __future__ import annotations

from pycache_guard.report.escape import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.findings import Finding


def render(findings: list[Finding], command: str) -> str:
    """Return nothing for no findings: silence is success."""
    lines = [line(finding) for finding in findings]
    remedies = dict.fromkeys(f.remedy for f in findings if f.remedy and not is_advice(f))
    if remedies:
        lines += ["", "To mend:", *(f"    {remedy}" for remedy in remedies)]
    return "".join(f"{shown(text)}\n" for text in lines)


def pages(findings: list[Finding]) -> str:
    """Return where each rule that was found is explained, for a reader at a terminal."""
    rules = sorted({finding.rule for finding in findings}, key=lambda rule: rule.name)
    return (
        "".join(["\n", *(f"About {rule.name}: {rule.page}\n" for rule in rules)]) if rules else ""
    )


def line(finding: Finding) -> str:
    """Return `PATH:LINE:COLUMN: CODE MESSAGE`, leaving out what does not apply."""
    parts = [finding.path, finding.line, finding.column]
    place = ":".join(str(part) for part in parts if part is not None)
    start = f"{place}: " if place else ""
    advice = f"; {finding.remedy}" if is_advice(finding) else ""
    return f"{start}{finding.rule.name} {finding.message}{advice}"


def is_advice(finding: Finding) -> bool:
    """Whether the remedy is a sentence for this finding alone: the linter's, which are no commands."""
    return finding.remedy is not None and finding.rule.name.startswith("PYC4")
