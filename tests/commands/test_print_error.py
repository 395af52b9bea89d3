from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from pycache_guard.commands._output import print_error

if TYPE_CHECKING:
    import pytest


def test_print_error_writes_one_escaped_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_error("a\nb\x1b[0m \udcff")
    assert capsys.readouterr() == ("", "error: a\\x0ab\\x1b[0m \\xff\n")


def test_print_error_with_a_closed_stderr_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(32, text)

    for stream in (None, Gone()):
        monkeypatch.setattr(sys, "stderr", stream)
        print_error("a")
