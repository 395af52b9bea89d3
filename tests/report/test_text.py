from __future__ import annotations

import re

import pytest

from pycache_guard.findings import Finding, Rule
from pycache_guard.report import Summary, TextStyle, render
from pycache_guard.report.text import rule_links
from report.samples import ALL, NOWHERE, PLACED, PLAIN


def test_report_without_findings_and_summary_is_empty() -> None:
    assert render([], "forbid-bytecode", "text") == ""


def test_text_has_lines_then_commands() -> None:
    assert render(ALL, "forbid-bytecode", "text") == (
        "a.pyc: PYC001 bytecode is tracked\n"
        "p q.toml:3:5: PYC003 the allow entry `x`; remove it\n"
        "\\xff,:%\\x0a\\x0d/x y.pyc: PYC001 50 %\\x0aof\\x0dit\n"
        "PYC003 no file\n"
        "\n"
        "To fix:\n"
        "    git rm a.pyc\n"
        "    git rm '%'\n"
        "To keep a file on purpose, add it to `allow` in pyproject.toml:"
        " pycache-guard explain PYC001\n"
    )


SUMMARY = Summary(1204, "1,204 tracked files checked", ("Advice: x.",))


def test_success_is_one_line_with_advice_below_it() -> None:
    text = render([], "forbid-bytecode", "text", summary=SUMMARY)
    assert text == "OK: 1,204 tracked files checked.\nAdvice: x.\n"


def test_quiet_report_has_findings_and_commands_only() -> None:
    quiet = TextStyle(is_quiet=True)
    assert render([], "x", "text", summary=SUMMARY, style=quiet) == ""
    text = render([PLAIN], "forbid-bytecode", "text", summary=SUMMARY, style=quiet)
    assert text == "a.pyc: PYC001 bytecode is tracked\n\nTo fix:\n    git rm a.pyc\n"


@pytest.mark.parametrize(("number", "problems"), [(1, "1 problem"), (3, "3 problems")])
def test_summary_counts_problems(number: int, problems: str) -> None:
    text = render([NOWHERE] * number, "x", "text", summary=SUMMARY)
    assert text.endswith(f"\n\nFound {problems} (1,204 tracked files checked).\nAdvice: x.\n")


def many(number: int, directory: str, *messages: str) -> list[Finding]:
    return [
        Finding(f"{directory}{n:02}.pyc", Rule.PYC001, messages[n % len(messages)], f"git rm {n}")
        for n in range(number)
    ]


TRACKED = "bytecode is tracked"
GROUPS = [
    (many(11, "a/__pycache__/", TRACKED), "a/__pycache__/: PYC001 11 bytecode files are tracked"),
    (many(1200, "", TRACKED), "./: PYC001 1,200 bytecode files are tracked"),
    (many(11, "a/", "x is y"), "a/: PYC001 11 files: x is y"),
    (many(11, "a/", "x", "y"), "a/: PYC001 11 findings, the first is 00.pyc: x"),
]


@pytest.mark.parametrize(("findings", "line"), GROUPS)
def test_more_than_ten_findings_of_a_directory_are_one_line(
    findings: list[Finding], line: str
) -> None:
    assert render(findings, "x", "text").splitlines()[0] == line
    for other in ("json", "github", "gitlab", "sarif"):
        assert render(findings, "x", other).count("PYC001") >= len(findings)


def test_ten_findings_are_ten_lines() -> None:
    found = [*many(10, "a/", TRACKED), *many(10, "b/", TRACKED)]
    assert render(found, "x", "text").count(f": PYC001 {TRACKED}\n") == 20


def test_findings_at_lines_and_commits_are_never_grouped() -> None:
    at_lines = [Finding("a.py", Rule.PYC401, "m", line=n) for n in range(1, 30)]
    in_commits = [Finding("a.pyc", Rule.PYC001, "m", commit=f"{n:040}") for n in range(30)]
    assert len(render([*at_lines, *in_commits], "x", "text").splitlines()) == 59


def test_commands_past_the_tenth_are_counted() -> None:
    findings = [Finding(f"d{n}/x", Rule.PYC002, "m", f"git rm {n}") for n in range(13)]
    text = render(findings, "x", "text")
    assert text.count("    git rm") == 10
    assert text.endswith("    git rm 9\n3 more commands: see `--format json`.\n")


def test_shortcut_stands_for_more_than_ten_files_found_by_path() -> None:
    style = TextStyle(shortcut="pycache-guard fix")
    ten = many(10, "a/", TRACKED)
    assert "pycache-guard fix" not in render(ten, "x", "text", style=style)
    text = render([*many(11, "a/", TRACKED), PLACED], "x", "text", style=style)
    assert text.partition("To fix:\n")[2] == "    pycache-guard fix\n"


def test_color_marks_place_and_code() -> None:
    text = render([PLAIN], "x", "text", style=TextStyle(has_color=True))
    assert text.startswith("\x1b[1ma.pyc\x1b[0m: \x1b[31;1mPYC001\x1b[0m bytecode is tracked\n")
    assert re.sub(r"\x1b\[[0-9;]*m", "", text) == render([PLAIN], "x", "text")


def test_text_without_commands_has_no_heading() -> None:
    assert render([NOWHERE], "forbid-bytecode", "text") == "PYC003 no file\n"


def test_text_prints_a_command_once() -> None:
    assert render([PLAIN, PLAIN], "forbid-bytecode", "text").count("git rm") == 1


def test_rule_links_name_each_rule_once() -> None:
    assert rule_links([]) == ""
    assert rule_links(ALL) == (
        f"\nAbout PYC001: {Rule.PYC001.docs_url}\nAbout PYC003: {Rule.PYC003.docs_url}\n"
    )
