"""The script that names the slowest tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

slow_tests = pytest.importorskip("scripts.slow_tests", reason="Windows has no `resource`")


def test_page_has_the_slowest_tests_with_their_rows() -> None:
    lines = ["0.5\ttests/a.py::f", "2\ttests/a.py::g", "1\ttests/a.py::f", "1.75\ttests/b.py::h"]
    page = slow_tests.format_page([*lines, *(f"0.1\ttests/c.py::f{n}" for n in range(30))])
    table = page.splitlines()[8:]
    assert table[:3] == [
        "| 2.0 | 1 | `a.py::g` |",
        "| 1.8 | 1 | `b.py::h` |",
        "| 1.5 | 2 | `a.py::f` |",
    ]
    assert len(table) == slow_tests.COUNT
    assert "All 34 rows use\n8 seconds." in page


def test_page_is_written_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_tests, "PAGE", tmp_path / "tests.md")
    (tmp_path / "times").write_text("1\ttests/a.py::f\n")
    assert slow_tests.main(["--from", str(tmp_path / "times")]) == 0
    assert (tmp_path / "tests.md").read_text().endswith("| 1.0 | 1 | `a.py::f` |\n")
