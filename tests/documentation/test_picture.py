"""The picture of a terminal in the README shows what the program prints today."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from scripts import picture

from helpers.runners import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Iterable


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> str:
    """Draw the picture with the program under test."""
    monkeypatch.setenv("PATH", f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}")
    return picture.draw_picture()


def rows(svg: str) -> list[str]:
    """Return the lines of the terminal, without the version of the Python that drew it."""
    found: dict[float, str] = {}
    for element in texts(ElementTree.fromstring(svg)):
        if not element.attrib["class"].endswith("-title"):
            y = float(element.attrib["y"])
            found[y] = found.get(y, "") + "".join(element.itertext())
    joined = "\n".join(found[y].replace("\xa0", " ").rstrip() for y in sorted(found))
    return re.sub(r"cpython-3\d+", "cpython-3", joined).splitlines()


def texts(root: ElementTree.Element) -> Iterable[ElementTree.Element]:
    """Return the text elements of an SVG."""
    return root.iter("{http://www.w3.org/2000/svg}text")


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="it shows the names of CPython")
def test_picture_shows_the_output_of_today(drawn: str) -> None:
    """If this fails, run `python -m scripts.picture`."""
    assert rows(picture.TARGET.read_text("utf-8")) == rows(drawn)


def test_picture_shows_refusal_fix_and_accepted_commit(drawn: str) -> None:
    shown = "\n".join(rows(drawn))
    refused, fixed, accepted = (shown.index(f"$ {command}") for command in picture.COMMANDS)
    assert "PYC001 bytecode is tracked" in shown[refused:fixed]
    assert "untracked; the file stays on disk" in shown[fixed:accepted]
    assert picture.COMMANDS[2] in shown[fixed:accepted], "`fix` prints the third command"
    assert re.search(r"^\[main .*\] Ignore bytecode", shown[accepted:], re.MULTILINE)


def test_picture_is_whole_and_readable_on_any_background(drawn: str) -> None:
    """No line is wider than the terminal, which brings its own background and loads nothing."""
    assert max(map(len, rows(drawn))) <= picture.WIDTH
    root = ElementTree.fromstring(drawn)
    background = root.find("{http://www.w3.org/2000/svg}rect")
    assert background is not None
    assert background.attrib["fill"] not in ("none", "transparent")
    assert "url(http" not in drawn
