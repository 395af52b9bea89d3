from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.findings import Finding, Rule
from pycache_guard.report import render
from pycache_guard.report.github import escape_data
from report.samples import ALL

PYC001, PYC003 = Rule.PYC001.docs_url, Rule.PYC003.docs_url


def test_github_lines_have_place_title_and_message() -> None:
    assert render([], "forbid-bytecode", "github") == ""
    assert render(ALL, "forbid-bytecode", "github") == (
        f"::error file=a.pyc,title=PYC001 bytecode-path::bytecode is tracked%0ATo fix: git rm a.pyc%0AAbout: {PYC001}\n"
        "::error file=p q.toml,line=3,col=5,endLine=3,endColumn=9,title=PYC003 unused-allow::"
        f"the allow entry `x`%0ATo fix: remove it%0AAbout: {PYC003}\n"
        "::error file=\\xff%2C%3A%25%0A%0D/x y.pyc,title=PYC001 bytecode-path::"
        f"50 %25%0Aof%0Dit%0ATo fix: git rm '%25'%0AAbout: {PYC001}\n"
        f"::error title=PYC003 unused-allow::no file%0AAbout: {PYC003}\n"
    )


def read(line: str) -> tuple[dict[str, str], str]:
    """Read a workflow command as the runner does (actions/runner, ActionCommand.TryParseV2)."""
    head, message = line.removeprefix("::").split("::", 1)
    command, properties = head.split(" ", 1)
    assert command == "error"
    pairs = [pair.split("=", 1) for pair in properties.split(",")]
    return {key: unescaped(value) for key, value in pairs}, unescaped(message)


def unescaped(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")):
        text = text.replace(code, character)
    return text.replace("%25", "%")


NAMES = st.text(st.sampled_from("a:,%\r\n=0AD "), min_size=1, max_size=8)


@given(path=NAMES, message=NAMES)
def test_github_line_is_read_back_by_the_runner(path: str, message: str) -> None:
    line = render([Finding(os.fsdecode(path), Rule.PYC001, message)], "x", "github")
    assert line.count("\n") == 1
    properties, said = read(line[:-1])
    assert (properties["file"], said) == (path, f"{message}\nAbout: {PYC001}")


def test_github_control_characters_are_escaped() -> None:
    assert (
        escape_data("\x1b[2J\x9b\u202e\r\n%\udcff")
        == "\\x1b[2J\\xc2\\x9b\\xe2\\x80\\xae%0D%0A%25\\xff"
    )
