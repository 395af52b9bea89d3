"""`zipimport` of each interpreter is the oracle for modules in zip files, in several time zones."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bundle.pythons import MODES, Python, pythons
from pycache_guard.archives.member import Growth
from pycache_guard.archives.zips import Zip
from pycache_guard.bundle.judge import State
from pycache_guard.bundle.members import ArchiveTree, time_in_zip
from pycache_guard.bundle.target import target_of_version
from pycache_guard.bundle.zip_rules import judge_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIME = 1_700_000_000
SOURCE = b'"""Text."""\nVALUE = 1\n'


class Entry(NamedTuple):
    """A member to write."""

    data: bytes
    #: In seconds of UTC; written as local time.
    time: float = TIME
    method: int = zipfile.ZIP_DEFLATED


Members = dict[str, Entry]


def at(seconds: float) -> Callable[[Members], Members]:
    """Return what gives the source another time."""
    return lambda members: {**members, "m.py": members["m.py"]._replace(time=seconds)}


def patched(offset: int, data: bytes) -> Callable[[Members], Members]:
    """Return what writes over bytes of the bytecode."""

    def patch(members: Members) -> Members:
        whole = bytearray(members["m.pyc"].data)
        whole[offset : offset + len(data)] = data
        return {**members, "m.pyc": Entry(bytes(whole))}

    return patch


def cut(size: int) -> Callable[[Members], Members]:
    """Return what cuts the bytecode."""
    return lambda members: {**members, "m.pyc": Entry(members["m.pyc"].data[:size])}


def only(*names: str) -> Callable[[Members], Members]:
    """Return what removes all other members."""
    return lambda members: {name: members[name] for name in names}


def packed(method: int) -> Callable[[Members], Members]:
    """Return what compresses in another way."""
    return lambda members: {name: e._replace(method=method) for name, e in members.items()}


CASES: dict[str, Callable[[Members], Members]] = {
    "kept": lambda members: members,
    "one-later": at(TIME + 1),
    "two-later": at(TIME + 2),
    "two-earlier": at(TIME - 2),
    "three-later": at(TIME + 3),
    "1980": at(315_532_800 + 86_400),
    "odd-in-header": patched(8, (TIME + 1).to_bytes(4, "little")),
    "odder-in-header": patched(8, (TIME + 2).to_bytes(4, "little")),
    "earlier-in-header": patched(8, (TIME - 1).to_bytes(4, "little")),
    "zero-in-header": patched(8, bytes(4)),
    "grown": lambda members: {**members, "m.py": Entry(SOURCE + b"#\n")},
    "same-size": lambda members: {**members, "m.py": Entry(SOURCE.replace(b"1", b"2"))},
    "no-source": only("m.pyc"),
    "no-bytecode": only("m.py"),
    "cache": lambda members: {
        "m.py": members["m.py"],
        "__pycache__/m.TAG.pyc": members["m.pyc"],
    },
    "magic": patched(0, b"\x33\x0d"),
    "magic-and-no-source": lambda members: only("m.pyc")(patched(0, b"\x33\x0d")(members)),
    "flags-2": patched(4, b"\2"),
    "flags-4": patched(4, b"\4"),
    "flags-4-and-no-source": lambda members: only("m.pyc")(patched(4, b"\4")(members)),
    "empty": cut(0),
    "cut-in-header": cut(12),
    "cut-after-header": cut(16),
    "cut-in-code": cut(30),
    "zeros-for-code": patched(16, bytes(20)),
    "stored": packed(zipfile.ZIP_STORED),
    "bzip2": packed(zipfile.ZIP_BZIP2),
    "package": lambda members: {**members, "m/__init__.py": Entry(b"")},
    "bytecode-package": lambda members: {**members, "m/__init__.pyc": members["m.pyc"]},
    "directory": lambda members: {**members, "m/other.py": Entry(b"")},
    "extension": lambda members: {**members, "m.so": Entry(b"")},
    "pyo": lambda members: {"m.py": members["m.py"], "m.pyo": members["m.pyc"]},
}


def make_zip(path: Path, python: Python, work: Path) -> list[str]:
    """Write a zip file with a directory for each case and mode; return the directories."""
    source = work / "m.py"
    source.write_bytes(SOURCE)
    os.utime(source, (TIME, TIME))
    python.compile([(os.fspath(source), os.fspath(work / mode), 0, mode) for mode in MODES])
    names = []
    with zipfile.ZipFile(path, "w") as archive:
        for mode in MODES:
            for case, change in CASES.items():
                names.append(f"{mode}-{case}")
                members = {"m.py": Entry(SOURCE), "m.pyc": Entry((work / mode).read_bytes())}
                for name, entry in change(members).items():
                    whole = f"{mode}-{case}/{name.replace('TAG', python.tag)}"
                    info = zipfile.ZipInfo(whole, time.localtime(entry.time)[:6])
                    info.compress_type = entry.method
                    archive.writestr(info, entry.data)
    return names


ZONES = ("UTC", "America/St_Johns", "Pacific/Auckland")


@pytest.fixture
def zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """Stand in a time zone, and the interpreters that are started too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone is that of the system")
@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("python", "zone"),
    [(python, ZONES[n % len(ZONES)]) for n, python in enumerate(pythons())],
    ids=lambda value: value.version if isinstance(value, Python) else value,
    indirect=["zone"],
)
def test_verdicts_agree_with_zipimport(tmp_path: Path, python: Python) -> None:
    path = tmp_path / "a.zip"
    directories = make_zip(path, python, tmp_path)
    answers = python.ask([[os.fspath(path), [f"{name}/m" for name in directories]]])
    data = path.read_bytes()
    archive = Zip(io.BytesIO(data), Growth(len(data)))
    tree = ArchiveTree("a.zip", [archive], time_in_zip)
    judgement = judge_zip(tree, target_of_version(python.version), 0)
    assert tree.failures == []
    ours = {module.path.partition(".")[0]: module for module in judgement.modules}
    for name in directories:
        answer = answers[f"{path}:{name}/m"]
        module = ours.get(f"{name}/m")
        is_used = answer == [True, False]
        if "package" in name:
            assert module is not None
            assert module.cause == "shadowed"
        else:
            assert module is not None
            assert (module.state is State.USED) is is_used, (name, module, answer)
            # An import that fails compiles nothing.
            assert module.is_compiled is (answer == [False, False]), (name, module, answer)
    assert json.dumps(sorted({module.state.value for module in judgement.modules})) == (
        '["missing", "never-used", "used"]'
    )
