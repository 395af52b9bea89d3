from __future__ import annotations

import pytest

from documentation.blocks import BLOCKS, PAGES, Block, output_matches, steps

LANGUAGES = {"console", "dockerignore", "gitignore", "python", "sh", "toml", "yaml", "text"}


def test_every_page_and_language_is_known() -> None:
    """A block of another language would be looked at by no test."""
    assert {"README.md", "docs/ci.md", "docs/rules/PYC001.md"} <= set(PAGES)
    assert len(BLOCKS) > 60
    assert {block.language for block in BLOCKS} <= LANGUAGES


@pytest.mark.parametrize(
    ("printed", "real", "same"),
    [
        ("", "", True),
        ("", "a\n", False),
        ("a\n", "", False),
        ("a\n", "a\n\n", True),
        ("a…c\n", "abc\n", True),
        ("a…c\n", "ab\nc\n", False),
        ("a\n…\nz\n", "a\nb\nc\nz\n", True),
        ("a\n…\n", "a\n", True),
        ("a.c\n", "abc\n", False),
        ("a\n", "a\nb\n", False),
    ],
)
def test_what_is_printed_is_what_comes(printed: str, real: str, same: bool) -> None:
    assert output_matches(printed, real) is same


def test_commands_and_their_answers() -> None:
    block = Block("p", 1, "console", "$ a\nb\n\nc\n$ d\n", "")
    assert steps(block) == [("a", "b\n\nc\n"), ("d", "")]
