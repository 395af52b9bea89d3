"""Pages that are read from top to bottom: each block goes on where the one before it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from documentation.blocks import answers
from documentation.blocks import of
from documentation.blocks import steps

if TYPE_CHECKING:
    from documentation.stage import Stage

from documentation.plays import STORIES


@pytest.mark.parametrize("page", STORIES)
def test_what_is_printed_is_what_comes(stage: Stage, page: str) -> None:
    place = stage.place
    for block in of("sh", "console"):
        if block.page != page:
            continue
        if block.language == "sh":
            place = stage.prepare(block.text, place)
            continue
        real, place = stage.converse(block, place)
        for step, answer in zip(steps(block), real, strict=True):
            assert answers(step.answer, answer), f"{block.name}: $ {step.command}\n{answer}"
