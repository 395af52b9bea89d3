from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from clean.trees import list_tree
from pycache_guard.doctor import timing
from pycache_guard.doctor.timing import Times, describe_times, format_times, time_import
from pycache_guard.errors import Failure
from pycache_guard.interpreters.identity import Interpreter, ask

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def python() -> Interpreter:
    return ask(sys.executable)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(timing, "ROUND_COUNT", 3)
    return tmp_path


def test_cold_import_compiles_and_warm_import_does_not(
    here: Path, python: Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told apart by what is there: a module that looks for its own cache as it is imported."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", "nowhere")
    (here / "package").mkdir()
    (here / "package" / "__init__.py").write_text("import package.seen\nprint('loud')\n")
    (here / "package" / "seen.py").write_text(
        "import os\nfrom importlib.util import cache_from_source\n"
        "with open('log', 'a') as log:\n"
        "    log.write('%d' % os.path.exists(cache_from_source('helper.py', optimization='')))\n"
        "import helper\n"
    )
    (here / "helper.py").write_text("")
    before = list_tree(here)
    times = time_import("package", python)
    assert (len(times.cold), len(times.warm)) == (3, 3)
    assert all(0 < time < timing.TIMEOUT_SECONDS for time in [*times.cold, *times.warm])
    assert (here / "log").read_text() == "010101"
    assert list_tree(here) == {*before, "log"}


def test_fact_has_times_and_median(here: Path, python: Interpreter) -> None:
    (here / "m.py").write_text("")
    (fact,) = describe_times(["m"], python).facts
    assert fact.name == "m"
    assert isinstance(fact.data, dict)
    assert len(fact.data["cold_seconds"]) == 3
    assert fact.data["cold_median"] == sorted(fact.data["cold_seconds"])[1]
    assert describe_times([], python).facts == []


def test_failed_import_is_reported_with_the_others(here: Path, python: Interpreter) -> None:
    (here / "m.py").write_text("")
    (here / "bad.py").write_text("raise SystemExit")
    result = describe_times(["bad", "m"], python)
    assert [fact.name for fact in result.facts] == ["m"]
    assert result.failures == ["bad: cannot be imported: the process ended early"]


def test_times_are_printed_in_milliseconds() -> None:
    assert format_times([0.003, 0.001, 0.0021]) == "2.1 ms (1.0 to 3.0)"
    assert Times([], []).cold == []


BAD = [
    ("raise ValueError('no good')", "cannot be imported: ValueError: no good"),
    ("raise SystemExit(0)", "cannot be imported: the process ended early"),
    ("raise SystemExit('bye')", "cannot be imported: bye"),
]


@pytest.mark.parametrize(("source", "says"), BAD)
def test_failing_module_is_a_failure(
    source: str, says: str, here: Path, python: Interpreter
) -> None:
    (here / "bad.py").write_text(source)
    with pytest.raises(Failure, match=f"^bad: {says}$"):
        time_import("bad", python)


def test_module_that_exits_at_the_second_import_is_a_failure(
    here: Path, python: Interpreter
) -> None:
    """The time of the first import is not taken for that of the second."""
    (here / "bad.py").write_text(
        "import os\nif os.path.exists('seen'):\n    raise SystemExit(0)\nopen('seen', 'x').close()\n"
    )
    with pytest.raises(Failure, match=r"^bad: cannot be imported: the process ended early$"):
        time_import("bad", python)


def test_missing_module_is_a_failure(here: Path, python: Interpreter) -> None:
    with pytest.raises(Failure, match="No module named 'module_that_nobody_has'"):
        time_import("module_that_nobody_has", python)


def test_import_beyond_the_timeout_is_a_failure(
    here: Path, python: Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "TIMEOUT_SECONDS", 0.5)
    (here / "slow.py").write_text("import time; time.sleep(60)")
    with pytest.raises(Failure, match=r"more than 0\.5 seconds"):
        time_import("slow", python)


def test_interpreter_without_prefix_support_is_a_failure(here: Path, python: Interpreter) -> None:
    with pytest.raises(Failure, match=r"needs Python 3\.8 or later; this is 3\.7\.17"):
        time_import("os", python._replace(version="3.7.17"))
    assert os.listdir(here) == []
