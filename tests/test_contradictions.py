"""`inspect`, `verify-bytecode`, `doctor` and `clean --dry-run` never contradict each other.

Trees of sources and caches are made from a seed: names of every kind, headers, modes, and cuts. All
commands are asked about every file, and their answers compared.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import struct
import subprocess
import sys
from importlib.util import MAGIC_NUMBER
from typing import TYPE_CHECKING, Any

import pytest

from helpers.make_pyc import TAG, TIME, compile_source, foreign_pyc, hash_pyc, timestamp_pyc

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo

MODULES = ["a", "b.c", "__init__", "test_x", "tool", "\u00e9", "sp ace"]
SUFFIXES = [".py", ".py", ".py", ".pyw", ".hy", ".xsh", ""]
OTHER_TAG = "cpython-312" if TAG != "cpython-312" else "cpython-311"


def cache_path(chance: random.Random, module: str, suffix: str) -> str:
    """Return where some interpreter, or somebody, puts the cache of a module."""
    dot = "." if suffix or "." in module else ""
    names = [
        *[f"__pycache__/{module}{dot}{TAG}.pyc"] * 6,
        f"__pycache__/{module}{dot}{TAG}.opt-1.pyc",
        f"__pycache__/{module}{dot}{TAG}.opt-2.pyc",
        f"__pycache__/{module}.{TAG}-pytest-9.2.0.pyc",
        f"__pycache__/{module}.{TAG}-pytest-5.4.3.pyc",
        f"__pycache__/{module}.{TAG}-PYTEST.pyc",
        f"__pycache__/{module}.{TAG}.pyo",
        f"__pycache__/{module}{dot}{TAG}.pyc.140162621172480",
        f"__pycache__/{module}{dot}{OTHER_TAG}.pyc",
        f"__pycache__/{module}.pypy39.pyc",
        f"__pycache__/{module}.unknown.pyc",
        f"__pycache__/{module}.pyc",
        f"{module}.pyc",
        f"{module}.pyo",
        f"{module}$py.class",
    ]
    return chance.choice(names)


def content(chance: random.Random, source: str) -> bytes:
    """Return what may stand in a cache of a source of `TIME`."""
    data = source.encode()
    code = compile_source(data)
    header = struct.pack("<II", TIME, len(data))
    honest = timestamp_pyc(code, len(data))
    kinds = [
        *[honest] * 5,
        timestamp_pyc(code, len(data) + 1),
        timestamp_pyc(code, len(data), TIME + 5),
        timestamp_pyc(code, len(data), flags=2),
        hash_pyc(code, data, checked=True),
        hash_pyc(code, data + b"#", checked=True),
        hash_pyc(code, data + b"#", checked=False),
        timestamp_pyc(compile_source("y = 2\n"), len(data)),
        honest[: chance.randrange(len(honest))],
        honest[: chance.randrange(len(honest))],
        honest[:16],
        honest[:-1],
        honest + b"\0",
        honest[:16] + chance.randbytes(30),
        honest[:16] + b"\xa9\x01r\0\0\0\0",
        honest[16:],
        MAGIC_NUMBER + header + honest[16:],
        b"\xff\x7f\r\n" + honest[4:],
        foreign_pyc("cpython-36"),
        foreign_pyc("cpython-39"),
        b"",
        bytes(100),
        data,
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        b"\xca\xfe\xba\xbe\0\0\0\x31",
    ]
    return chance.choice(kinds)


def plant(chance: random.Random, top: Path) -> list[str]:
    """Make a tree; return the paths of what may be bytecode."""
    made: dict[str, bytes] = {}
    caches: dict[str, bytes] = {}
    for directory in ("", "p/", "p/q/"):
        for _ in range(14):
            module, suffix = chance.choice(MODULES), chance.choice(SUFFIXES)
            source = f"x = {chance.randrange(10)}\n"
            if chance.random() < 0.75:
                made.setdefault(f"{directory}{module}{suffix}", source.encode())
            source = made.get(f"{directory}{module}{suffix}", source.encode()).decode()
            path = directory + cache_path(chance, module, suffix)
            caches.setdefault(path, content(chance, source))
    for path, data in {**made, **caches}.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(data)
        os.utime(top / path, (TIME, TIME))
    return sorted(caches)


def removed(run: Run, *options: str) -> set[str]:
    """Return the files that a cleaning would remove, those of whole directories among them."""
    result = run("clean", "--dry-run", "--verbose", "--format", "json", *options)
    assert result.code == 0, result
    return {item["path"] for item in json.loads(result.out)["removed"]}


class Answers:
    """What the commands answer about a tree."""

    def __init__(self, run: Run, paths: list[str]) -> None:
        result = run("inspect", "--format", "json", *paths)
        assert result.err == ""
        report = json.loads(result.out)
        self.inspected: dict[str, Any] = {file["path"]: file for file in report["files"]}
        result = run("verify-bytecode", "--format", "json", ".")
        self.verified: dict[str, list[tuple[str, str]]] = {path: [] for path in paths}
        for finding in json.loads(result.out)["findings"]:
            self.verified[finding["path"]].append((finding["code"], finding["message"]))
        result = run("doctor", "--format", "json")
        self.doctor: dict[str, set[str]] = {}
        for finding in json.loads(result.out)["findings"]:
            self.doctor.setdefault(finding["code"], set()).add(finding["path"])
        self.orphans = removed(run, "--orphans")
        self.broken = removed(run, "--broken")
        self.all = removed(run)


def is_below(path: str, paths: set[str]) -> bool:
    """Whether `path`, or a directory that it is in, is among `paths`."""
    return any(path == other or path.startswith(other.rstrip("/") + "/") for other in paths)


def contradictions(answers: Answers, path: str) -> list[str]:
    """Return what is said of a file that cannot be true together."""
    facts = answers.inspected[path]
    runs, why = facts["would_run"], facts["why"] or ""
    codes = {code for code, _ in answers.verified[path]}
    words = " ".join(message for _, message in answers.verified[path])
    orphan, broken = is_below(path, answers.orphans), is_below(path, answers.broken)
    in_cache = "/__pycache__/" in f"/{path}"
    tagged = bool(facts["name"] and facts["name"]["tag"])
    claims = {
        "runs, and is malformed": runs and "PYC206" in codes and facts["header_length"] is None,
        "runs, and import fails": runs and "import fails" in words,
        "runs, and is an orphan": runs and orphan,
        "runs, and is broken": runs and broken,
        "runs, and is stale": runs and "PYC201" in codes,
        "runs, and has the wrong tag": runs and "PYC207" in codes,
        "runs, and verify finds no source": runs and "its source is not there" in words,
        "runs without a source, and verify has nothing against it": (
            runs and facts["source"] is None and not codes
        ),
        "is an orphan, and has a source": orphan and facts["source"] is not None,
        "has no source, and is no orphan": (
            facts["header_length"] is not None
            and in_cache
            and tagged
            and facts["source"] is None
            and not orphan
        ),
        "has no source, and verify knows one": (
            tagged and in_cache and facts["source"] is None and not codes
        ),
        "has a source, and verify finds none": (
            facts["source"] is not None and "its source is not there" in words
        ),
        "import fails, and clean --broken keeps it": (
            why.startswith("import fails with EOFError (marshal") and in_cache and not broken
        ),
        "is broken, and verify is content": broken and not codes,
        "doctor finds damage, and clean does not": (
            path in answers.doctor.get("PYC206", set())
            and not broken
            # Such a file `clean` keeps in any case, and doctor names another command.
            and not (facts["source"] is None and not tagged)
        ),
        "clean finds damage in a cache of this interpreter, and doctor does not": (
            broken
            and facts["magic"] == MAGIC_NUMBER.hex()
            and facts["name"] is not None
            and facts["name"]["tag"] == TAG
            and path not in answers.doctor.get("PYC206", set())
        ),
        "clean removes an orphan, and not with everything": (
            orphan and not is_below(path, answers.all)
        ),
        "inspect and verify disagree on the form": (
            (not facts["well_formed"]) != bool(codes & {"PYC206", "PYC207"})
            and "PYC201" not in codes
            and not ("PYC205" in codes and facts["header_length"] is None)
        ),
    }
    return [claim for claim, holds in claims.items() if holds]


@pytest.mark.parametrize("seed", range(8))
def test_commands_never_contradict_each_other(repo: Repo, run: Run, seed: int) -> None:
    chance = random.Random(seed)
    paths = plant(chance, repo.path)
    answers = Answers(run, paths)
    assert set(answers.inspected) == set(paths)
    found = {path: contradictions(answers, path) for path in paths}
    assert {path: claims for path, claims in found.items() if claims} == {}


#: Asks import itself, for each source on stdin, what it does with the cache.
ASK = """
import importlib.machinery, json, sys
class Compiled(Exception): pass
class Loader(importlib.machinery.SourceFileLoader):
    # Python 3.15 passes the name of the module too.
    def source_to_code(self, *_, **__): raise Compiled
outcomes = []
for source in json.load(sys.stdin):
    try:
        Loader("module", source).get_code("module")
        outcomes.append("cache")
    except Compiled:
        outcomes.append("source")
    except BaseException as error:
        outcomes.append(type(error).__name__)
json.dump(outcomes, sys.stdout)
"""


def outcome_of(facts: dict[str, Any]) -> str:
    """Return the same in the words of `ASK`, from what `inspect` answers."""
    if facts["would_run"]:
        return "cache"
    match = re.match(r"import fails with (\w+) ", facts["why"])
    return match[1] if match else "source"


@pytest.mark.parametrize("option", ["", "-O", "-OO"])
@pytest.mark.parametrize("seed", range(1000, 1004))
def test_inspect_answers_as_import_does(repo: Repo, run: Run, seed: int, option: str) -> None:
    paths = plant(random.Random(seed), repo.path)
    report = json.loads(run("inspect", "--format", "json", *paths).out)
    level = {"": "", "-O": 1, "-OO": 2}[option]
    asked = {}
    for facts in report["files"]:
        source = facts["source"] and facts["source"]["path"]
        # One that makes an interpreter crash is not tried.
        if source and "crashes" not in (facts["why"] or ""):
            cached = importlib.util.cache_from_source(source, optimization=level)
            if cached.replace(os.sep, "/") == facts["path"]:
                asked[source] = facts
    command = [sys.executable, *([option] if option else []), "-B", "-c", ASK]
    done = subprocess.run(
        command, input=json.dumps([*asked]), capture_output=True, text=True, check=True
    )
    outcomes = dict(zip(asked, json.loads(done.stdout), strict=True))
    # What is not there of garbage may be found missing before it is found wrong.
    expected = {source: outcome_of(facts) for source, facts in asked.items()}
    for source, outcome in outcomes.items():
        assert expected[source] in (outcome, "EOFError" if outcome == "ValueError" else outcome)


def test_doctor_finds_the_cut_off_cache_of_another_interpreter(repo: Repo, run: Run) -> None:
    """An empty one is in nobody's way: import compiles the source again."""
    for module, data in (("a", foreign_pyc("cpython-39")[:40]), ("b", b"")):
        (repo.path / f"{module}.py").write_text("x = 1\n")
        cache = repo.path / f"__pycache__/{module}.cpython-39.pyc"
        cache.parent.mkdir(exist_ok=True)
        cache.write_bytes(data)
    findings = json.loads(run("doctor", "--format", "json").out)["findings"]
    damaged = [f["path"] for f in findings if f["code"] == "PYC206"]
    assert damaged == ["__pycache__/a.cpython-39.pyc"]
    assert removed(run, "--broken") >= set(damaged)
