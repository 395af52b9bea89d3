from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from helpers.runners import ROOT
from pycache_guard import rule_pages
from pycache_guard.findings import Rule

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


@pytest.mark.parametrize("rule", Rule)
def test_explain_prints_the_page_as_plain_text(run: Run, root: Path, rule: Rule) -> None:
    code, out, err = run("explain", rule.name)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"{rule.name} {rule.value}"
    assert lines[-1] == f"More: {rule.docs_url}"
    words = re.sub(r"(?m)^    .*|`[^`]*`", "", out)
    assert not re.search(r"(?m)^#|^```|\]\(|\*\*", words)
    page = (ROOT / "docs" / "rules" / f"{rule.name}.md").read_text("utf-8")
    for heading in re.findall(r"(?m)^## (.*)$", page):
        assert heading in lines


@pytest.mark.parametrize(
    "word", ["PYC001", "pyc001", "Pyc001", "bytecode-path", "Bytecode-Path", "bytecode_path"]
)
def test_explain_accepts_code_and_name_in_any_case(run: Run, word: str) -> None:
    assert run("explain", word).out.startswith("PYC001 bytecode-path\n")


@pytest.mark.parametrize(
    ("word", "likely"),
    [
        ("PYC-001", "`PYC001`"),
        ("pyc0001", "`PYC001`"),
        ("PCY202", "`PYC202`"),
        ("py202", "`PYC202`"),
        ("101", "`PYC101`"),
        ("1", "`PYC001`"),
        ("PYC1", "`PYC001`"),
        ("PYC4144", "`PYC414`"),
        ("PYC2003", None),
        ("bytecode-paht", "`bytecode-path`"),
        ("unsued-allow", "`unused-allow`"),
        ("orphaned", "`orphaned-cache`"),
        ("hash", "`unchecked-hash` or `unchecked-hash-mode`"),
        # Nothing says which of many is meant.
        ("pyc", None),
        ("PYC", None),
        ("PYC999", None),
        ("PYC60", None),
        ("E501", None),
        ("F401", None),
        ("bytecode", None),
        ("xyzzy", None),
        ("-", None),
    ],
)
def test_explain_unknown_word_is_answered_with_the_likely_rule(
    run: Run, word: str, likely: str | None
) -> None:
    hint = f": did you mean {likely}?" if likely else ""
    message = f"error: {word!r} is not a rule{hint} (see `pycache-guard explain`)\n"
    assert run("explain", word) == (2, "", message)


def test_explain_without_a_code_lists_the_rules(run: Run, root: Path) -> None:
    code, out, err = run("explain")
    assert (code, err) == (0, "")
    assert [line.split()[:2] for line in out.splitlines()] == [[r.name, r.value] for r in Rule]
    assert all(rule.summary in out for rule in Rule)


@pytest.mark.parametrize(
    "argv", [("PYC001", "PYC002"), ("--no-such",), ("",), ("--format", "json", "PYC001")]
)
def test_explain_wrong_usage_is_an_error(run: Run, argv: tuple[str, ...]) -> None:
    code, out, err = run("explain", *argv)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")


def test_explain_without_pages_is_an_error(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_pages, "DIRECTORIES", (os.fspath(tmp_path),))
    message = f"error: this installation has no pages of rules; see {Rule.PYC001.docs_url}\n"
    assert run("explain", "PYC001") == (2, "", message)


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("# A b\n\nc\n", "A b\n\nc\n"),
        ("a [b](c.md) and [d](https://e.org) [https://f](https://f)", "a b and d (https://e.org) https://f\n"),
        ("*a* and **b c**, 2 * 3 * 4, `*.py[co]`", "a and b c, 2 * 3 * 4, `*.py[co]`\n"),
        ("- " + "word " * 20 + "\n- b", "- " + " ".join(["word"] * 15) + "\n  word word word word word\n- b\n"),
        ("1. a\n   b\n2. c\n", "1. a b\n2. c\n"),
        ("```sh\n# a  [b](c)\n\n**x**\n```\nd", "    # a  [b](c)\n\n    **x**\nd\n"),
        ("| a | [b](c) |\n|---|---|\n", "| a | b |\n|---|---|\n"),
        ("", ""),
    ],
)  # fmt: skip
def test_explain_converts_markdown(markdown: str, plain: str) -> None:
    assert rule_pages.render_plain(markdown) == plain


def test_explain_works_from_a_wheel(tmp_path: Path) -> None:
    build = "from hatchling.build import build_wheel; print(build_wheel(__import__('sys').argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, os.fspath(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        wheel.extractall(tmp_path / "site")
    line = "import sys; from pycache_guard.cli import main; sys.exit(main(['explain', 'PYC414']))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); {line}"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("PYC414 kept-mode\n")
    assert len([*(tmp_path / "site" / "pycache_guard" / "pages").glob("PYC*.md")]) == len(Rule)
