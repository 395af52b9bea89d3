from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard.commands import _output
from pycache_guard.commands._output import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time, to be set."""
    now = [100.0]
    monkeypatch.setattr(_output, "monotonic", lambda: now[0])
    return now


def test_progress_of_a_long_run_is_drawn_and_cleared(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    """Nothing at first, then a word now and then, and in the end nothing is left."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    shown = Progress("check-history")
    for seconds, expected in [
        (0.5, ""),
        (1.0, "\rcheck-history: 200 commits"),
        (1.1, "\rcheck-history: 200 commits"),
        (1.3, "\rcheck-history: 200 commits\rcheck-history: 400 commits"),
    ]:
        clock[0] = 100 + seconds
        shown.add(100)
        assert terminal.getvalue() == expected
    said = len(terminal.getvalue())
    shown.clear()
    assert terminal.getvalue()[said:] == "\r" + " " * len("check-history: 400 commits") + "\r"
    shown.clear()
    assert terminal.getvalue()[said:].count("\r") == 2


def test_progress_of_a_short_run_is_not_drawn(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    shown = Progress("check-history")
    shown.add(100)
    shown.clear()
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_progress_without_a_terminal_is_not_drawn(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], stream: io.StringIO | None
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    shown = Progress("check-history")
    clock[0] += 60
    shown.add(100)
    shown.clear()
    assert stream is None or stream.getvalue() == ""


def test_progress_of_a_command_is_cleared_before_the_report(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The report goes elsewhere; the line is cleared, also when something fails."""
    for n in range(3):
        repo.commit(str(n))
    monkeypatch.setattr(_output, "DELAY_SECONDS", 0.0)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert run("check-history", "HEAD", "--output", os.fspath(tmp_path / "x")).code == 0
    assert terminal.getvalue().startswith("\rcheck-history: 3 commits\r  ")
    assert terminal.getvalue().endswith(" \r")
