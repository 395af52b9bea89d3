"""The page on speed and its picture show what was measured, and nothing else."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from benchmarks import pages
from benchmarks import scaling

from pycache_guard.cli import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Draw both again, from the measured numbers in docs/internals/."""
    shutil.copy(pages.PAGE, tmp_path)
    monkeypatch.setattr(pages, "PAGE", tmp_path / pages.PAGE.name)
    monkeypatch.setattr(pages, "PICTURE", tmp_path / pages.PICTURE.name)
    pages.draw()
    return tmp_path


@pytest.mark.parametrize("name", ["speed.md", "growth.svg"])
def test_drawing_again_changes_nothing(name: str, drawn: Path) -> None:
    made = (drawn / name).read_text(encoding="utf-8")
    assert made == (pages.DOCS / name).read_text(encoding="utf-8")


def test_the_picture_is_well_formed(drawn: Path) -> None:
    assert ET.parse(drawn / "growth.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_every_command_is_measured() -> None:
    """At 1, 10 and 100 times the size."""
    rows = [scaling.read(row[1:-1]) for row in pages.GROWTH.rows()]
    assert {row.command.split(" ")[0] for row in rows} == set(COMMANDS)
    for command in {row.command for row in rows}:
        assert [row.factor for row in rows if row.command == command] == [1, 10, 100]


def test_a_part_is_replaced_where_it_stood(tmp_path: Path) -> None:
    table = pages.Table(tmp_path / "t.tsv", ["part", "value"])
    for part, values in (("a", ["1"]), ("b", ["2", "3"]), ("c", ["4"]), ("b", ["5"])):
        table.replace(part, [[value] for value in values])
    assert table.rows() == [["a", "1"], ["b", "5"], ["c", "4"]]
    assert table.file.read_text(encoding="utf-8").startswith("part\tvalue\n")
