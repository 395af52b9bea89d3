"""The script that runs the suite with every Python of this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from scripts import platforms
from scripts.platforms import SuiteResult

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "is_supported"),
    [
        ("python3.10", True),
        ("python3.15", True),
        ("python3.14t", True),
        ("pypy3", True),
        ("pypy3.11", True),
        ("python3.9", False),
        ("python3", False),
        ("python3.13-config", False),
        ("pypy3compile", False),
    ],
)
def test_interpreters_are_found_by_name(name: str, is_supported: bool, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    found = list(platforms.find_executables([tmp_path, tmp_path / "missing"]))
    assert found == [tmp_path / name] * is_supported


def test_an_interpreter_with_two_names_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform == "win32":
        pytest.skip("the interpreter is a shell script")
    for name in ("python3.12", "python3.13"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'CPython|3.13.0|/usr|2.39.5|linux'\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "python3.14").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3.14").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setenv("HOME", "/nonexistent")
    found = [p for p in platforms.find_platforms(None) if p.executable.startswith(str(tmp_path))]
    assert found == [platforms.Platform("CPython 3.13.0", str(tmp_path / "python3.12"), "2.39.5")]


def test_python_for_windows_below_the_root_is_run_by_wine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform == "win32":
        pytest.skip("the way into the other system is a shell script")
    enter = tmp_path / "enter"
    enter.write_text(
        "#!/bin/sh\ncase $* in *' wine /windows/'*) echo 'CPython|3.12.10|Z:|none|win32' ;; esac\n"
    )
    enter.chmod(0o755)
    monkeypatch.setattr(platforms, "ENTER", enter)
    monkeypatch.setattr(platforms, "find_executables", lambda _: [])
    assert platforms.find_platforms(tmp_path) == []
    (tmp_path / "windows").mkdir()
    (tmp_path / "windows" / "python.exe").touch()
    (found,) = platforms.find_platforms(tmp_path)
    assert (found.name, found.git) == (f"CPython 3.12.10 for Windows ({tmp_path})", "none")
    assert found.has_packages


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("...\n4 passed in 1.0s\n", {"passed": 4}),
        (
            "1 failed, 2 passed, 3 skipped, 1 error in 61.2s (0:01:01)",
            {"failed": 1, "passed": 2, "skipped": 3, "errors": 1},
        ),
        ("no tests ran in 0.1s", {}),
        ("", {}),
    ],
)
def test_outcomes_are_read_from_the_last_line(output: str, counts: dict[str, int]) -> None:
    assert platforms.count_outcomes(output) == counts


def test_table_shows_counts_and_reasons() -> None:
    table = platforms.format_table(
        [
            SuiteResult("CPython 3.15.2", "2.55.0", {"passed": 9, "skipped": 1}, 61.4),
            SuiteResult("PyPy", "2.31.8", {}, 2, "no pip"),
        ]
    )
    assert table.splitlines()[2:] == [
        "| CPython 3.15.2 | 2.55.0 | 9 | 0 | 0 | 1 | 1:01 |",
        "| PyPy | 2.31.8 | not run: no pip |  |  |  | 0:02 |",
    ]


SUMMARY = """\
SKIPPED [2] tests/test_a.py:3: there is no Python 3.6 here
SKIPPED [1] tests/test_b.py:71: needs Linux: it reads /proc
SKIPPED [4] tests/test_c.py:71: there is no Python 3.6 here
SKIPPED [1] tests/test_d.py: Skipped: no such file system
FAILED tests/test_b.py::test_x
1 failed, 8 skipped in 1.0s
"""


def test_skipped_tests_are_counted_by_reason() -> None:
    skips = platforms.count_skips(SUMMARY)
    assert list(skips.items()) == [
        ("there is no Python 3.6 here", 6),
        ("needs Linux: it reads /proc", 1),
        ("no such file system", 1),
    ]
    result = SuiteResult("PyPy 3.11", "2.31.8", {"skipped": 8}, 1, "", skips)
    assert platforms.format_skips([result, result._replace(skips={})]).splitlines() == [
        "",
        "Skipped with PyPy 3.11, git 2.31.8:",
        "     6  there is no Python 3.6 here",
        "     1  needs Linux: it reads /proc",
        "     1  no such file system",
    ]


def test_no_interpreter_of_a_name_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert platforms.main(["--list", "--only", "CPython 9.9"]) == 2
    assert capsys.readouterr().err == "error: no Python here has a name with `CPython 9.9`\n"
