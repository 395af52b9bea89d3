from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from scripts import picture

from helpers.runners import SCRIPTS

if TYPE_CHECKING:
    import pytest


def of_any_python(text: str) -> str:
    """Return a picture without the version of the Python that it was drawn with."""
    return re.sub(r"cpython-3\d+\.|CPython 3\.\d+", "3", text)


def test_the_picture_is_what_a_run_shows_today(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, run `python scripts/picture.py`."""
    monkeypatch.setenv("PATH", f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}")
    drawn = picture.drawn()
    assert of_any_python(picture.TARGET.read_text("utf-8")) == of_any_python(drawn)
    assert ElementTree.fromstring(drawn).tag.endswith("svg")
    assert "clean</text>" in drawn
