from __future__ import annotations

import importlib.util
import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from pycs import EVIL
from pycs import INNOCENT
from pycs import TAG
from pycs import TIME
from pycs import by_hash
from pycs import by_time
from pycs import cached
from pycs import compiled
from pycs import forged
from pycs import honest
from pycs import put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Program
    from conftest import Run
    from repo import Repo
    from repo import Result

TRUE = INNOCENT.encode()
WRONG_HASH = by_hash(compiled(EVIL), b"other", checked=True)
SELF_REFERENCE = honest()[:16] + b"\xa9\x01r\0\0\0\0"
OTHER_MAGIC = (3430).to_bytes(2, "little") + honest()[2:4] + honest()[4:16] + b"\xe3"
NO_MAGIC = b"\x01\x00\r\n" + honest()[4:]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty directory."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def codes(told: Result) -> list[tuple[str, str]]:
    """Return path and code of each finding in a report in JSON."""
    report = json.loads(told.out)
    return [(finding["path"], finding["code"]) for finding in report["findings"]]


HONEST: list[tuple[str, dict[str, bytes]]] = [
    ("timestamp", {cached(): honest()}),
    ("checked hash", {cached(): by_hash(compiled(INNOCENT), TRUE, checked=True)}),
    ("-O", {cached(more=".opt-1"): honest(level=1)}),
    ("-OO", {cached(more=".opt-2"): honest(level=2)}),
    ("-OOO", {cached(more=".opt-3"): honest(level=2)}),
    ("another file name", {cached(): by_time(compiled(INNOCENT, 0, "/p/ü.py"), len(TRUE))}),
    ("a long file name", {cached(): by_time(compiled(INNOCENT, 0, "/p" * 200), len(TRUE))}),
    ("another time", {cached(): by_time(compiled(INNOCENT), len(TRUE), TIME + 5)}),
    ("legacy", {"m.pyc": honest()}),
    ("legacy of -OO", {"m.pyc": honest(level=2)}),
    ("a leftover", {cached() + ".1234": honest()}),
    ("a tree of PYTHONPYCACHEPREFIX", {f"prefix/{{here}}/m.{TAG}.pyc": honest()}),
]


@pytest.mark.parametrize(("files"), [files for _, files in HONEST], ids=[name for name, _ in HONEST])
def test_honest_files(here: Path, run: Run, files: dict[str, bytes]) -> None:
    put(here / "m.py", INNOCENT)
    for path, data in files.items():
        put(here / path.replace("{here}", os.fspath(here).lstrip("/")), data)
    assert run("verify-bytecode") == (0, "", "")


def link(target: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    return make


#: The attacks that leave a file: what is planted beside an innocent `m.py`, what is said of it.
ATTACKS: list[tuple[str, dict[str, bytes | Callable[[Path], None]], list[tuple[str, str]]]] = [
    (
        "A1: unchecked hash, any hash",
        {cached(): by_hash(compiled(EVIL), b"any", checked=False)},
        [(cached(), "PYC202"), (cached(), "PYC203")],
    ),
    (
        "A1c: unchecked, right hash",
        {cached(): by_hash(compiled(EVIL), TRUE, checked=False)},
        [(cached(), "PYC202"), (cached(), "PYC203")],
    ),
    (
        "A2: checked hash of the true source",
        {cached(): by_hash(compiled(EVIL), TRUE, checked=True)},
        [(cached(), "PYC202")],
    ),
    ("A2c: wrong hash", {cached(): WRONG_HASH}, [(cached(), "PYC201")]),
    (
        "A2e: flags 2",
        {cached(): by_time(compiled(EVIL), len(TRUE), flags=2)},
        [(cached(), "PYC202"), (cached(), "PYC206")],
    ),
    ("A3: time and size match", {cached(): forged()}, [(cached(), "PYC202")]),
    (
        "A3: another size",
        {cached(): by_time(compiled(EVIL), len(TRUE) + 1)},
        [(cached(), "PYC201")],
    ),
    (
        "A3: another time",
        {cached(): by_time(compiled(EVIL), len(TRUE), TIME + 1)},
        [(cached(), "PYC201")],
    ),
    ("A4: no source", {"foo.pyc": forged()}, [("foo.pyc", "PYC204")]),
    ("A4b: beside its source", {"m.pyc": forged()}, [("m.pyc", "PYC202")]),
    ("A4c: a package", {"m/__init__.pyc": forged()}, [("m/__init__.pyc", "PYC204")]),
    ("A4h: over the library", {"json.pyc": forged()}, [("json.pyc", "PYC204")]),
    ("A4i: at every start", {"sitecustomize.pyc": forged()}, [("sitecustomize.pyc", "PYC204")]),
    ("A4l: another magic", {"foo.pyc": OTHER_MAGIC}, [("foo.pyc", "PYC204")]),
    ("A4l: nobody's magic", {"foo.pyc": NO_MAGIC}, [("foo.pyc", "PYC205")]),
    ("A4n: plugins", {"plugins/0002_x.pyc": forged()}, [("plugins/0002_x.pyc", "PYC204")]),
    ("A5: a script", {"__main__.pyc": forged()}, [("__main__.pyc", "PYC204")]),
    ("A5b: any name", {"logo.bin": forged()}, [("logo.bin", "PYC204")]),
    ("A5b: a source's name", {"x.py": forged()}, [("x.py", "PYC204")]),
    ("A6: -O", {cached(more=".opt-1"): forged()}, [(cached(more=".opt-1"), "PYC202")]),
    ("A6: -OO", {cached(more=".opt-2"): forged()}, [(cached(more=".opt-2"), "PYC202")]),
    ("A6: -OOO", {cached(more=".opt-3"): forged()}, [(cached(more=".opt-3"), "PYC202")]),
    (
        "A9: a linked cache directory",
        {"assets/m." + TAG + ".pyc": forged(), "__pycache__": link("assets")},
        [(cached(), "PYC202"), (f"assets/m.{TAG}.pyc", "PYC202")],
    ),
    (
        "A9b: a linked file",
        {"logo.png": forged(), cached(): link("../logo.png")},
        [(cached(), "PYC202"), ("logo.png", "PYC204")],
    ),
    (
        "A17: a package's own",
        {"p/__init__.py": TRUE, "p/" + cached("__init__"): forged()},
        [("p/" + cached("__init__"), "PYC202")],
    ),
    (
        "A18: pytest's",
        {
            "conftest.py": TRUE,
            cached("conftest", "-pytest-9.2.0"): by_hash(compiled(EVIL), TRUE, checked=True),
        },
        [(cached("conftest", "-pytest-9.2.0"), "PYC205")],
    ),
    (
        "import hooks'",
        {cached(more=".opt-typeguard460"): forged()},
        [(cached(more=".opt-typeguard460"), "PYC205")],
    ),
    (
        "A19: numba's pickles",
        {"__pycache__/m.f-1.py312.nbi": b"\x80\x04.", "__pycache__/m.f-1.py312.1.nbc": b"\x80\x04."},
        [("__pycache__/m.f-1.py312.1.nbc", "PYC205"), ("__pycache__/m.f-1.py312.nbi", "PYC205")],
    ),
    (
        "J1: Jython's",
        {"m$py.class": b"\xca\xfe\xba\xbe\0\0\0\x31", "n$py.class": b"\xca\xfe\xba\xbe\0\0\0\x31"},
        [("m$py.class", "PYC205"), ("n$py.class", "PYC204")],
    ),
    ("E5: a tuple in itself", {cached(): SELF_REFERENCE}, [(cached(), "PYC206")]),
    ("an orphan", {cached("gone"): forged()}, [(cached("gone"), "PYC205")]),
    ("another tag", {"__pycache__/m.cpython-36.pyc": forged()}, [("__pycache__/m.cpython-36.pyc", "PYC207")]),
    ("empty", {cached(): b""}, [(cached(), "PYC206")]),
    ("a header alone", {cached(): honest()[:16]}, [(cached(), "PYC206")]),
    ("truncated", {cached(): honest()[:-1]}, [(cached(), "PYC206")]),
    ("a tail", {cached(): honest() + b"\0"}, [(cached(), "PYC206")]),
    ("a tail without a source", {"foo.pyc": honest() + b"\0"}, [("foo.pyc", "PYC206")]),
    ("no magic", {cached(): b"x = 1\n"}, [(cached(), "PYC206")]),
]  # fmt: skip


def plant(here: Path, files: dict[str, bytes | Callable[[Path], None]]) -> None:
    put(here / "m.py", INNOCENT)
    for path, made in files.items():
        if callable(made):
            made(here / path)
        else:
            put(here / path, made)


@pytest.mark.parametrize(
    ("files", "expected"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS]
)
def test_attacks(
    here: Path,
    run: Run,
    files: dict[str, bytes | Callable[[Path], None]],
    expected: list[tuple[str, str]],
) -> None:
    plant(here, files)
    told = run("verify-bytecode", "--format", "json")
    assert (told.code, told.err) == (1, "")
    assert codes(told) == sorted(expected)


def in_index(code: str, name: str) -> str:
    """Where an index cannot tell that a file is stale by its time, it could be made to match."""
    return "PYC202" if name == "A3: another time" else code


@pytest.mark.parametrize(
    ("name", "files", "expected"), ATTACKS, ids=[row[0] for row in ATTACKS]
)
def test_attacks_in_the_index(
    repo: Repo,
    run: Run,
    name: str,
    files: dict[str, bytes | Callable[[Path], None]],
    expected: list[tuple[str, str]],
) -> None:
    plant(repo.path, files)
    repo.git("add", "-A", "-f")
    for path in files:
        (repo.path / path).unlink()
    (repo.path / "m.py").write_text("raise SystemExit\n")
    told = run("verify-bytecode", "--tracked", "--format", "json")
    assert (told.code, told.err) == (1, "")
    assert codes(told) == sorted((path, in_index(code, name)) for path, code in expected)
