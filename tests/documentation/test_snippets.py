"""What is printed and is no command: sources, configurations, ignore files."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from documentation.blocks import Block, blocks_of_page
from documentation.doc_setups import PROJECT
from helpers.runners import ROOT
from pycache_guard.findings import Rule
from pycache_guard.lint import lint_source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from documentation.sandbox import Sandbox

#: What an example takes for granted where it has these names.
GRANTED = {
    **{name: f"import {name}" for name in ("compileall", "inspect", "marshal", "os", "py_compile")},
    **{name: f"import {name}" for name in ("shutil", "subprocess", "sys", "zlib", "base64")},
    "importlib.": "import importlib.machinery, importlib.util",
    "Path": "from pathlib import Path",
    "PycInvalidationMode": "from py_compile import PycInvalidationMode",
}


def named(blocks: Iterable[Block]) -> list[object]:
    """Return parameters, each named by its place."""
    return [pytest.param(block, id=block.name) for block in blocks]


def rule_of(block: Block) -> Rule | None:
    """Return the rule that a page is about."""
    found = re.fullmatch(r"docs/rules/(PYC\d+)\.md", block.page)
    return Rule[found[1]] if found else None


@pytest.mark.parametrize("block", named(blocks_of_page("python")))
def test_bad_is_found_and_good_is_not(block: Block) -> None:
    rule = rule_of(block)
    ast.parse(block.text)
    if rule is None:
        assert block.page == "docs/api.md"
        return
    granted = [line for name, line in GRANTED.items() if name in block.text]
    source = "\n".join([*granted, block.text])
    codes = {f.rule for f in lint_source(source.encode(), "mylib/__init__.py")}
    assert block.heading in ("Bad", "Good")
    assert (rule in codes) is (block.heading == "Bad")


def test_every_rule_on_source_shows_both() -> None:
    for rule in Rule:
        if rule.name.startswith("PYC4"):
            shown = {
                block.heading for block in blocks_of_page("python", "sh") if rule_of(block) is rule
            }
            assert shown == {"Bad", "Good"}, rule


def test_the_interface_is_used_as_printed(stage: Sandbox) -> None:
    """One after the other, with the bytes of a cache for `data`."""
    bad, read, load, legacy = [
        block.text for block in blocks_of_page("python") if block.page == "docs/api.md"
    ]
    place = stage.prepare(PROJECT)
    assert {f.rule for f in lint_source(f"import marshal\n{bad}".encode(), "a.py")} >= {Rule.PYC402}
    given = "import glob\ndata = open(glob.glob('pkg/__pycache__/a.*.pyc')[0], 'rb').read()\n"
    given += "import py_compile\n"
    given += "py_compile.compile('pkg/a.py', cfile='pkg/a.pyc', doraise=True, optimize=2)\n"
    program = f"{given}{read}{load}assert x == 1\n{legacy}exec(code)\n"
    (place / "try.py").write_text(program, "utf-8")
    answer = stage.run("python3 try.py", place)
    assert (answer.code, answer.out) == (0, "")


@pytest.mark.parametrize("block", named(blocks_of_page("toml")))
def test_a_configuration_is_accepted(stage: Sandbox, block: Block) -> None:
    """Allowances of files that are not there are reported, and nothing else is."""
    place = stage.prepare(PROJECT)
    (place / "pyproject.toml").write_text(block.text, "utf-8")
    answer = stage.run("pycache-guard forbid-bytecode", place)
    assert answer.code == 1
    codes = re.findall(r"(?m)^pyproject.toml:\d+: (PYC\d+) ", answer.out)
    assert codes == ["PYC003"] * block.text.count("path =")


def test_every_key_of_a_configuration_is_explained() -> None:
    (block,) = [block for block in blocks_of_page("toml") if block.page == "docs/configuration.md"]
    text = (ROOT / block.page).read_text("utf-8")
    for key in re.findall(r"(?m)(?:^|[{,] )(\w+) = ", block.text):
        assert f"| `{key}` |" in text or f"| `allow.{key}` |" in text


@pytest.mark.parametrize("block", named(blocks_of_page("gitignore", "dockerignore")))
def test_ignore_files(stage: Sandbox, block: Block) -> None:
    """What the page calls bad is reported by its rule; what it calls good is not."""
    rule = rule_of(block)
    assert rule is not None
    place = stage.prepare(f"{PROJECT}\ntouch Dockerfile\ngit add Dockerfile")
    (place / f".{block.language}").write_text(re.sub(r" +#.*", "", block.text), "utf-8")
    command = f"check-{block.language}"
    answer = stage.run(f"git add .{block.language} && pycache-guard {command}", place)
    assert (rule.name in answer.out) is (block.heading != "Good"), answer.out
    assert answer.code == (block.heading != "Good")


def test_what_is_only_text() -> None:
    """The layout and listings: nothing to run or to parse."""
    assert [block.page for block in blocks_of_page("text")] == [
        "CONTRIBUTING.md",
        "CONTRIBUTING.md",
        "docs/bundle.md",
        "docs/rules/PYC603.md",
        "docs/troubleshooting.md",
    ]
