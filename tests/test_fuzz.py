"""Each fuzz target runs for a moment, and finds a bug that is put in."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NoReturn

import pytest
from fuzz import __main__ as program
from fuzz import campaign as campaigns
from fuzz.campaign import campaign
from fuzz.target import Target
from fuzz.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the inputs are names of any bytes")

#: Inputs in addition to the seeds.
FEW = 12


@pytest.mark.parametrize("name", TARGETS)
def test_target_finds_nothing_in_a_short_run(name: str) -> None:
    target = TARGETS[name]
    outcome = campaign(target, 60, 0, max_inputs=len(target.seeds()) + FEW)
    assert outcome.crash is None
    assert sum(outcome.counts.values()) == len(target.seeds()) + FEW


class ZeroLines(dict[str, list[int]]):
    """Line 0 for every path."""

    def get(self, *_: object) -> list[int]:
        return [0]


def broken(*_: object, **__: object) -> NoReturn:
    raise ZeroDivisionError


#: For each target, the function to replace and a faulty one: bugs that a change could introduce.
BUGS: dict[str, tuple[str, Callable[..., object]]] = {
    "pyc": ("fuzz.targets.bytecode.find_difference", lambda *_: "co_code"),
    "sniff": ("fuzz.targets.bytecode.is_bytecode", lambda head: head[2:4] == b"\r\n"),
    "strings": ("fuzz.targets.inspection.find_strings", lambda *_: iter(())),
    "leaks": ("pycache_guard.inspection.source_text.SourceText.contains", lambda *_: True),
    "diff": ("pycache_guard.inspection.diff.find_code_difference", lambda *_: None),
    "names": ("fuzz.targets.names.is_bytecode_path", lambda path: path.endswith(b".pyc")),
    "dockerignore": (
        "pycache_guard.dockerignore.patterns.Nfa.matches",
        lambda *_: False,
    ),
    "gitignore": (
        "fuzz.targets.gitignore.append_patterns",
        lambda content, patterns: b"\n".join(patterns) + b"\n" + content,
    ),
    "reflines": ("pycache_guard.git.revisions.names_an_object", lambda _: True),
    "listings": (
        "pycache_guard.git.listing.path_of",
        lambda record: record.rpartition(b"\t")[2],
    ),
    "archives": ("pycache_guard.dist.scan.is_record", broken),
    "bundles": ("pycache_guard.bundle.archived.is_image", broken),
    "packing": ("pycache_guard.bundle.archived.time_in_tar", lambda _: 0.0),
    "config": ("pycache_guard.config.path_lines", lambda _: ZeroLines()),
    "globs": ("pycache_guard.git.tree.Tree.entries_matching", lambda *_: []),
    "builds": ("pycache_guard.dockerignore.compose.is_null", broken),
    "lint": ("pycache_guard.lint.count_characters", lambda *_: -1),
    "noqa": ("pycache_guard.lint.source.matches_code", lambda *_: True),
    "reports": ("pycache_guard.report.github.escape_text", lambda text: text.replace("%", "")),
}


@pytest.mark.parametrize("name", TARGETS)
def test_target_finds_a_bug(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*BUGS[name])
    outcome = campaign(TARGETS[name], 60, 0, max_inputs=500)
    assert outcome.crash is not None
    monkeypatch.undo()
    TARGETS[name].run(outcome.crash.data)


def endless(data: bytes) -> str:
    while True:
        # As a program may.
        with contextlib.suppress(Exception):
            data.hex()


@pytest.mark.skipif("sys.platform == 'win32'", reason="Windows has no SIGALRM")
def test_endless_input_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaigns, "TIMEOUT", 0.1)
    outcome = campaign(Target(endless, lambda: [b"a"]), 60, 0)
    assert outcome.crash is not None
    assert outcome.crash.data == b"a"
    assert "InputTimeout" in outcome.crash.why


@pytest.mark.parametrize(
    ("limit", "words"), [("MAX_SECONDS", "took 0.00 s"), ("MAX_GROWTH", "more memory")]
)
def test_input_over_a_limit_is_a_crash(
    monkeypatch: pytest.MonkeyPatch, limit: str, words: str
) -> None:
    monkeypatch.setattr(campaigns, limit, -1)
    outcome = campaign(Target(lambda _: "", lambda: [b"a"]), 0, 0)
    assert outcome.crash is not None
    assert words in outcome.crash.why


def test_each_given_target_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--seconds", "0", "--target", "names", "--target", "config"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[:2] for line in out.splitlines()] == [["names", "ok"], ["config", "ok"]]
    assert err == ""


def test_crash_is_printed_with_the_command_that_repeats_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(TARGETS, "names", TARGETS["names"]._replace(run=broken))
    argv = ["--seconds", "0", "--target", "names", "--target", "config"]
    assert program.main(argv) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert "ZeroDivisionError" in out
    assert out.splitlines()[-1].startswith("config")
    again = re.search(r"^again: python -m fuzz (.*)$", out, re.MULTILINE)
    assert again is not None
    with pytest.raises(ZeroDivisionError):
        program.main(again[1].split())
    monkeypatch.undo()
    assert program.main(again[1].split()) == 0
    assert capsys.readouterr().out.startswith("names: ")


@pytest.mark.parametrize("argv", [["--input", "00"], ["--atheris"], ["--target", "none"]])
def test_wrong_usage_ends_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        program.main(argv)
    assert end.value.code == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize(("code", "runs"), [(1, 1), (0, 3)])
def test_properties_run_until_the_time_is_up_or_one_fails(
    monkeypatch: pytest.MonkeyPatch, code: int, runs: int
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        return subprocess.CompletedProcess(command, code)

    ticks = iter([0.0, 0.5, 0.9, 1.0])
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks))
    assert program.main(["--properties", "--seconds", "1", "--seed", "5"]) == code
    seeds = [f"--hypothesis-seed={n}" for n in range(5, 5 + runs)]
    assert [command[-1] for command in commands] == seeds
    assert all(command[5:7] == ["-m", "hypothesis"] for command in commands)
