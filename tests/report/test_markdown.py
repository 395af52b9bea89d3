"""The job summary: no path and no message is read as Markdown or HTML."""

from __future__ import annotations

import re

import pytest

from helpers.posix_names import decode_posix_name
from pycache_guard.findings import Finding, Rule
from pycache_guard.report import Summary
from pycache_guard.report.markdown import MAX_CELL_CHARACTERS, MAX_ROWS, render_summary

SUMMARY = Summary(3, "3 tracked files checked", ("Advice: `x`.",))


def rows(text: str) -> list[str]:
    """Return the rows of the table."""
    return [line for line in text.splitlines() if line.startswith("| [")]


def test_summary_without_findings() -> None:
    assert render_summary([], SUMMARY, is_complete=True) == (
        "### pycache-guard: no problems found\n\n"
        "3 tracked files checked\\.\n\n"
        "\\- Advice\\: \\`x\\`\\.\n\n"
    ).replace("\\- Advice", "- Advice")


def test_summary_with_findings() -> None:
    found = [
        Finding("pkg/a.pyc", Rule.PYC001, "bytecode is tracked", "git rm -- 'pkg/a.pyc'"),
        Finding(".gitignore", Rule.PYC104, "matches nothing", line=3, hint="remove it"),
        Finding(None, Rule.PYC003, "unused"),
    ]
    text = render_summary(found, SUMMARY, is_complete=True)
    assert text.startswith(
        "### pycache-guard: 3 problems found\n\n| rule | place | problem | to fix"
    )
    first, second, third = rows(text)
    assert "<code>git rm &#45;&#45; &#39;pkg/a&#46;pyc&#39;</code> |" in first
    assert "| <code>&#46;gitignore&#58;3</code> | matches nothing | remove it |" in second
    assert third.endswith("|  | unused |  |")
    assert f"[PYC001]({Rule.PYC001.docs_url})" in first


def test_summary_of_an_incomplete_check_says_so() -> None:
    text = render_summary([], SUMMARY, is_complete=False)
    assert text.startswith("### pycache-guard: no problems found, and the check is not complete\n")


HOSTILE = [
    "a|b",
    "<img src=x onerror=alert(1)>",
    "`code`",
    "](https://example.com)",
    "a\nb\n# heading",
    "&lt;",
    "@everyone",
    "$x$",
    "::error::x",
    "##[error]x",
    decode_posix_name(b"\xff\xfe"),
    "\u202egnp",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_in_its_cell(text: str) -> None:
    found = [Finding(text, Rule.PYC001, text, text, hint=text), Finding(text, Rule.PYC003, text)]
    rendered = render_summary(found, Summary(1, text, (text,)), is_complete=True)
    rendered.encode("utf-8")
    for row in rows(rendered):
        cells = re.split(r"(?<!\\)\|", row)
        assert len(cells) == 6
        plain = re.sub(r"\\.|&#\d+;|</?code>", "", "".join(cells[2:5]))
        assert not set("<>[]`*_|@$#&\n") & set(plain)
    assert len(rows(rendered)) == 2
    assert not re.search(r"(?m)^(::|##\[)", rendered)


def test_long_tables_and_texts_are_cut() -> None:
    """A step may write 1 MiB."""
    finding = Finding("p" * 5000, Rule.PYC001, "m" * 5000, "f" * 5000)
    text = render_summary([finding] * (MAX_ROWS + 7), SUMMARY, is_complete=True)
    assert len(rows(text)) == MAX_ROWS
    assert "7 more problems: see the log." in text
    assert "m" * MAX_CELL_CHARACTERS + "…" in text
    assert len(text.encode("utf-8")) < 1 << 20
    worst = Finding("#" * 5000, Rule.PYC001, "#" * 5000, "é" * 5000)
    assert len(render_summary([worst] * 200, SUMMARY, is_complete=True).encode("utf-8")) < 5 << 20
