"""The page on speed and its picture show what was measured, and nothing else."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from benchmarks import pages, scaling

from pycache_guard.cli import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path


def test_drawing_the_page_again_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = pages.PAGE.read_text(encoding="utf-8")
    copied = tmp_path / pages.PAGE.name
    shutil.copy(pages.PAGE, copied)
    monkeypatch.setattr(pages, "PAGE", copied)
    pages.write_page()
    assert copied.read_text(encoding="utf-8") == written


def test_picture_shows_the_measured_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails, run `python -m benchmarks --draw`; versions of matplotlib differ in layout."""
    pytest.importorskip("matplotlib", reason="it draws the picture: install the extra `bench`")
    drawn = labels(pages.PICTURE)
    monkeypatch.setattr(pages, "PICTURE", tmp_path / "growth.svg")
    pages.draw_picture()
    assert labels(pages.PICTURE) == drawn


def labels(picture: Path) -> list[str]:
    """Return every text of an SVG, sorted."""
    texts = ET.parse(picture).getroot().iter("{http://www.w3.org/2000/svg}text")
    return sorted("".join(text.itertext()) for text in texts)


def test_commands_are_measured_at_three_sizes() -> None:
    """`explain` prints one page of a fixed size."""
    rows = [scaling.read(row[1:-1]) for row in pages.GROWTH.rows()]
    assert {row.command.split(" ")[0] for row in rows} == {*COMMANDS} - {"explain"}
    for command in {row.command for row in rows}:
        assert [row.factor for row in rows if row.command == command] == [1, 10, 100]


def test_a_part_is_replaced_where_it_stood(tmp_path: Path) -> None:
    table = pages.Table(tmp_path / "t.tsv", ["part", "value"])
    for part, values in (("a", ["1"]), ("b", ["2", "3"]), ("c", ["4"]), ("b", ["5"])):
        table.replace(part, [[value] for value in values])
    assert table.rows() == [["a", "1"], ["b", "5"], ["c", "4"]]
    assert table.file.read_text(encoding="utf-8").startswith("part\tvalue\n")
