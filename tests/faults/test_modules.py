"""Modules in the checkout that have the names of the standard library's, of ours, of start-up's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pycache_guard
from conftest import PROGRAM
from faults.fault_env import Call, Sandbox, assert_clean_exit, every_command

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What Python itself imports as it starts, if it is on its path (site; the codecs of a locale).
BY_PYTHON = ("sitecustomize", "usercustomize")
OURS = ("pycache_guard", "identify", "tomli")
STANDARD = sorted(
    {
        *(name for name in sys.stdlib_module_names if not name.startswith("_")),
        *("_signal", "_json", "_pickle", "_datetime", "_strptime"),
    }
    - {"antigravity", "this", "idlelib", "__main__"}
)


def plant(scene: Sandbox, names: Iterable[str]) -> Path:
    """Put modules into the top of the checkout; each records its import and ends the process."""
    witness = scene.path.parent / "imported"
    code = f"with open({os.fspath(witness)!r}, 'a') as f:\n    f.write(__name__ + ' ')\n"
    code += "import os\nos._exit(77)\n"
    for name in names:
        (scene.path / f"{name}.py").write_text(code)
    package = scene.path / "pycache_guard"
    if "pycache_guard" in names:
        (scene.path / "pycache_guard.py").unlink()
        package.mkdir()
        for name in ("__init__", "__main__", "cli"):
            (package / f"{name}.py").write_text(code)
    return witness


@every_command(13)
def test_the_console_script_imports_nothing_of_the_checkout(scene: Sandbox, call: Call) -> None:
    """Nor do the hooks, whose entries are the console script."""
    usual = scene.baseline(call)
    witness = plant(scene, [*STANDARD, *BY_PYTHON, *OURS])
    result = scene.run(call)
    assert not witness.exists(), witness.read_text()
    assert_clean_exit(result)
    assert result.code == usual.code or call.command == "lint"


def loaded_by(statement: str) -> set[str]:
    """Return the modules, at the top, that Python has imported after a statement."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}; import sys; print(*sys.modules)"],
        capture_output=True,
        check=True,
        text=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def isolated(*names: str) -> tuple[str, ...]:
    return (sys.executable, *names, "-m", "pycache_guard")


@every_command(14)
def test_python_m_imports_nothing_of_the_checkout(scene: Sandbox, call: Call) -> None:
    """But for what Python itself takes from the current directory before we run: see below."""
    usual = scene.baseline(call)
    witness = plant(scene, {*STANDARD} - loaded_by("import runpy"))
    result = scene.run(call, program=isolated())
    assert not witness.exists(), witness.read_text()
    assert_clean_exit(result)
    assert result.code == usual.code


def test_python_i_m_imports_nothing_of_ours_either(scene: Sandbox) -> None:
    witness = plant(scene, [*STANDARD, *BY_PYTHON, *OURS])
    result = scene.run(Call("forbid-bytecode"), program=isolated("-I"))
    assert not witness.exists(), witness.read_text()
    assert result.code == 1


def test_what_python_m_itself_takes(scene: Sandbox) -> None:
    """`python -m NAME` runs the NAME of the current directory: no program can help that."""
    witness = plant(scene, ["pycache_guard"])
    result = scene.run(Call("forbid-bytecode"), program=isolated())
    assert (result.code, witness.read_text().split()) == (77, ["pycache_guard"])


@every_command(15)
@pytest.mark.parametrize("path", ["{here}", ".", "", "{here}/pkg:{here}", ":"])
def test_pythonpath_leads_into_the_checkout(scene: Sandbox, call: Call, path: str) -> None:
    """What Python and the console script import before us, PYTHONPATH decides; nothing after."""
    if path != "{here}" and call.command not in ("forbid-bytecode", "check-dist"):
        pytest.skip("one path is enough for each command, and two commands for each path")
    usual = scene.baseline(call)
    # Older installers' console scripts import `re`.
    witness = plant(scene, {*STANDARD} - loaded_by("import re"))
    result = scene.run(call, env={"PYTHONPATH": path.replace("{here}", os.fspath(scene.path))})
    assert not witness.exists(), witness.read_text()
    assert_clean_exit(result)
    assert result.code == usual.code


def test_what_is_imported_is_what_is_run() -> None:
    """Either is of this checkout, or of the wheel that `scripts/release.py` has installed in its place."""
    code = "import pycache_guard; print(pycache_guard.__file__, end='')"
    # The interpreter of the console script, which heeds neither this directory nor PYTHONPATH.
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    assert os.fsdecode(done.stdout) == pycache_guard.__file__
    assert PROGRAM.exists()
    checkout = Path(__file__).parents[2] / "hooks"
    where = Path(pycache_guard.__file__)
    assert where.is_relative_to(checkout) or where.is_relative_to(sys.prefix)
