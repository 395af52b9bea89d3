"""Files that are made to cost time, memory or lines: every view stays within bounds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from helpers.make_pyc import compile_source, timestamp_pyc, write_file
from pycache_guard.commands import inspect as command

if TYPE_CHECKING:
    from pathlib import Path
    from types import CodeType

    from conftest import Run

VIEWS = ["--strings", "--leaks", "--textconv", "--code"]
MODULE = compile_source("x = 1\n")


def deep(depth: int) -> tuple[object, ...]:
    value: tuple[object, ...] = ()
    for number in range(depth):
        value = (value, f"level {number}")
    return value


def nested(depth: int) -> CodeType:
    code = MODULE
    for _ in range(depth):
        code = code.replace(co_consts=(code, *MODULE.co_consts), co_name="n" * 1000)
    return code


FILES = {
    "controls": MODULE.replace(co_consts=("\u202e\x1b[31m\n::stop\0##vso[x]" * 20_000,)),
    "long": MODULE.replace(co_consts=("x" * 3_000_000,)),
    "many": MODULE.replace(co_consts=tuple(f"constant {n}" for n in range(30_000))),
    "deep": MODULE.replace(co_consts=(deep(900),)),
    "nested": nested(400),
    "large": MODULE.replace(co_consts=tuple(2**20_000 + n for n in range(50))),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("view", VIEWS)
def test_lines_stay_lines(tmp_path: Path, run: Run, view: str, name: str) -> None:
    path = write_file(tmp_path / "m.pyc", timestamp_pyc(FILES[name], 0))
    done = run("inspect", view, str(path))
    assert done.err == ""
    assert done.code in (0, 1)
    lines = done.out.split("\n")[:-1]
    assert all(line.isprintable() for line in lines)
    assert not any(line.lstrip().startswith("::") or "##" in line for line in lines)
    if view == "--leaks":
        assert len(lines) <= command.DEFAULT_LIMIT + 3
        assert max(map(len, lines)) < 20_000


@pytest.mark.parametrize("name", FILES)
def test_differences_are_bounded(tmp_path: Path, run: Run, name: str) -> None:
    files = [
        write_file(tmp_path / f"{n}.pyc", timestamp_pyc(code, 0))
        for n, code in enumerate((FILES[name], MODULE))
    ]
    done = run("inspect", "--diff", *map(str, files))
    assert (done.code, done.err) == (1, "")
    assert len(done.out) < 100_000
    assert all(line.isprintable() for line in done.out.splitlines())


def test_strings_in_json_are_bounded(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "MAX_JSON_STRINGS", 100)
    path = write_file(tmp_path / "m.pyc", timestamp_pyc(FILES["many"], 0))
    (file,) = json.loads(run("inspect", "--strings", "--format", "json", str(path)).out)["files"]
    assert (len(file["strings"]), file["omitted"] > 29_000) == (100, True)
