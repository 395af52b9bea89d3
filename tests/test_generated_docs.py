"""Tables in the documentation that are generated from the code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from scripts import docs

from helpers.runners import HOOKS, ROOT
from pycache_guard.cli import COMMANDS
from pycache_guard.findings import Rule

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [page for page in docs.find_pages() if "<!-- generated: " in page.read_text("utf-8")]


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_generated_tables_are_up_to_date(page: Path) -> None:
    """To repair: `python -m scripts.docs`."""
    text = page.read_text("utf-8")
    assert text.count("<!-- generated: ") == text.count("<!-- end -->")
    assert docs.generate_blocks(text) == text


def test_generated_codes_of_the_schema_are_up_to_date() -> None:
    """To repair: `python -m scripts.docs`."""
    text = docs.CONFIG_SCHEMA.read_text("utf-8")
    assert docs.update_config_schema(text.replace('"PYC436"', '"PYC999"')) == text


def test_generated_tables_are_everywhere_they_belong() -> None:
    blocks = {found[2] for page in PAGES for found in docs.BLOCK.finditer(page.read_text("utf-8"))}
    groups = {f"rules-{rule.name[:4]}" for rule in Rule}
    assert blocks == {"commands", "hooks", "requirements", "rule-range", *groups}


def test_generated_tables_list_everything() -> None:
    assert re.findall(r"(?m)^\| `([\w-]+)` ", docs.format_commands()) == [*COMMANDS]
    assert re.findall(r"(?m)^\| `([\w-]+)` ", docs.format_hooks()) == [*HOOKS]
    for rule in Rule:
        assert rule.summary in docs.format_rules(rule.name[:4])


def test_generated_table_replaces_old_lines_only() -> None:
    old = "a\n<!-- generated: rules-PYC0 -->\n| old |\n<!-- end -->\nb\n"
    new = docs.generate_blocks(old)
    assert new.startswith("a\n<!-- generated: rules-PYC0 -->\n| code | name | meaning |\n")
    assert new.endswith("\n<!-- end -->\nb\n")
    assert "| old |" not in new
    assert docs.generate_blocks(new) == new


@pytest.mark.parametrize("name", ["no-such", "rules-PYC9"])
def test_generated_table_of_an_unknown_name_is_an_error(name: str) -> None:
    with pytest.raises(KeyError):
        docs.generate_block(name)
