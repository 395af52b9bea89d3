"""Pages that are read from top to bottom: each block goes on where the one before it ended."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from documentation.blocks import blocks_of_page, output_matches, steps

if TYPE_CHECKING:
    from pathlib import Path

    from documentation.blocks import Block
    from documentation.sandbox import Sandbox

from documentation.doc_cases import SEQUENTIAL_PAGES

#: A block that is a file, not commands: it begins with the file's name.
FILE = re.compile(r"(?:#!/bin/sh\n)?# ([~.\w/-]+)\n")


def named_file(block: Block) -> str:
    """Return the name of the file whose content a block shows, or nothing."""
    found = FILE.match(block.text)
    return found[1] if found else ""


def write_as_reader(stage: Sandbox, place: Path, name: str, text: str) -> None:
    """Write a file as a reader with an editor would."""
    home = stage.environment["HOME"]
    file = place / name.replace("~", home, 1)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


@pytest.mark.parametrize("page", SEQUENTIAL_PAGES)
def test_what_is_printed_is_what_comes(stage: Sandbox, page: str) -> None:
    if page == "docs/bytecode.md" and sys.implementation.name == "pypy":
        pytest.skip("PyPy decides by the name of a file")
    place = stage.place
    for block in blocks_of_page("sh", "console", "yaml", "toml"):
        if block.page != page:
            continue
        if name := named_file(block):
            write_as_reader(stage, place, name, block.text)
            continue
        if block.language == "sh":
            place = stage.prepare(block.text, place)
            continue
        real, place = stage.run_console(block, place)
        for step, answer in zip(steps(block), real, strict=True):
            assert output_matches(step.answer, answer), f"{block.name}: $ {step.command}\n{answer}"
