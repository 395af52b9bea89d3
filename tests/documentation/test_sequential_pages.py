"""Pages that are read from top to bottom: each block goes on where the one before it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from documentation.blocks import blocks_of_page
from documentation.blocks import output_matches
from documentation.blocks import steps

if TYPE_CHECKING:
    from documentation.sandbox import Sandbox

from documentation.doc_cases import SEQUENTIAL_PAGES


@pytest.mark.parametrize("page", SEQUENTIAL_PAGES)
def test_what_is_printed_is_what_comes(stage: Sandbox, page: str) -> None:
    place = stage.place
    for block in blocks_of_page("sh", "console"):
        if block.page != page:
            continue
        if block.language == "sh":
            place = stage.prepare(block.text, place)
            continue
        real, place = stage.run_console(block, place)
        for step, answer in zip(steps(block), real, strict=True):
            assert output_matches(step.answer, answer), f"{block.name}: $ {step.command}\n{answer}"
