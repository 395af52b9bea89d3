from __future__ import annotations

from pycache_guard.findings import Rule
from pycache_guard.report import render
from pycache_guard.report.text import pages
from report.samples import ALL
from report.samples import NOWHERE
from report.samples import PLAIN


def test_silence_is_success() -> None:
    assert render([], "forbid-bytecode", "text") == ""


def test_lines_then_remedies() -> None:
    assert render(ALL, "forbid-bytecode", "text") == (
        "a.pyc: PYC001 bytecode is tracked\n"
        "p q.toml:3:5: PYC003 the allowance for `x`\n"
        "\\xff,:%\\x0a\\x0d/x y.pyc: PYC001 50 %\\x0aof\\x0dit\n"
        "PYC003 no file\n"
        "\n"
        "To fix:\n"
        "    git rm a.pyc\n"
        "    remove it\n"
        "    git rm '%'\n"
    )


def test_nothing_to_run() -> None:
    assert render([NOWHERE], "forbid-bytecode", "text") == "PYC003 no file\n"


def test_a_remedy_is_told_once() -> None:
    assert render([PLAIN, PLAIN], "forbid-bytecode", "text").count("git rm") == 1


def test_each_rule_has_its_page() -> None:
    assert pages([]) == ""
    assert pages(ALL) == (
        f"\nAbout PYC001: {Rule.PYC001.docs_url}\nAbout PYC003: {Rule.PYC003.docs_url}\n"
    )
