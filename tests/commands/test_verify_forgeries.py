"""H1, H2 and L1 of the audit: files made to pass for what their source compiles to."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from helpers.make_pyc import (
    INNOCENT,
    OTHER_TAG,
    cache_path,
    compile_source,
    describe_greeting,
    edit_pyc,
    foreign_pyc,
    forged_pyc,
    hash_pyc,
    matching_pyc,
    timestamp_pyc,
    write_file,
)
from pycache_guard.bytecode.code_object import Code
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.interpreters.pool import find_candidates

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo, Result


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty directory."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def interpreters() -> dict[str, str]:
    """Return other interpreters of this machine, by version."""
    found = {}
    for path in find_candidates("0"):
        match = re.search(r"/(\d+\.\d+)\.\d+/bin/python[\d.]*$", path)
        if match:
            found[match[1]] = path
    return found


#: Looked for before the tests get an empty home.
INTERPRETERS = interpreters()


def python(version: str) -> str:
    """Return the interpreter of a version."""
    if version not in INTERPRETERS:
        pytest.skip(f"there is no Python {version} here")
    return INTERPRETERS[version]


def found(report: Result) -> list[tuple[str, str]]:
    """Return path and code of each finding in a report in JSON."""
    return [(finding["path"], finding["code"]) for finding in json.loads(report.out)["findings"]]


def verify(run: Run, *options: str) -> list[tuple[str, str]]:
    return found(run("verify-bytecode", "--format", "json", *options))


# verify_references_shifted

#: Which reference means what depends on how many objects before it bear FLAG_REF.
SHIFTED = """\
def start(x):
    start, shown, handle

def shown(x):
    repr(x)
    eval(x)

def handle(x):
    return repr(x)
"""
#: Makes a file whose flags differ: of the name, of the first object that bears one, of none.
FORGE = """\
import imp_or_util, marshal, os, struct, sys
kind = sys.argv[1]
name = "<source 0123456789abcdef>"
source = open("m.py", "rb").read()
code = compile(source, name, "exec", 0, True)
data = marshal.dumps(code)
at = data.index(name.encode())
flagged = at - 2 if data[at - 2] & 0x7F in b"zZ" else at - 5
if kind == "name loses its flag":
    data = data[:flagged] + bytes([data[flagged] & 0x7F]) + data[flagged + 1 :]
elif kind == "name gets a flag":
    data = data[:flagged] + bytes([data[flagged] ^ 0x80]) + data[flagged + 1 :]
elif kind == "code loses its flag":
    data = bytes([data[0] ^ 0x80]) + data[1:]
elif kind == "references are one higher":
    place = data.index(b"r", at)
    data = data[: place + 1] + bytes([data[place + 1] + 1]) + data[place + 2 :]
st = os.stat("m.py")
os.makedirs("__pycache__")
with open(imp_or_util.cache_from_source("m.py"), "wb") as file:
    file.write(imp_or_util.MAGIC_NUMBER + struct.pack("<III", 0, int(st.st_mtime), st.st_size) + data)
"""
KINDS = [
    "name loses its flag",
    "name gets a flag",
    "code loses its flag",
    "references are one higher",
]


@pytest.mark.parametrize("version", ["3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
@pytest.mark.parametrize("kind", KINDS)
def test_verify_references_shifted(here: Path, run: Run, version: str, kind: str) -> None:
    write_file(here / "m.py", SHIFTED)
    program = FORGE.replace("import imp_or_util, ", "import importlib.util as imp_or_util, ")
    subprocess.run([python(version), "-c", program, kind], check=True)
    load = "import importlib.util as u, marshal; marshal.loads(open(u.cache_from_source('m.py'), 'rb').read()[16:])"
    loads = subprocess.run([python(version), "-c", load], check=False, stderr=subprocess.DEVNULL)
    codes = [code for _, code in verify(run, "--python", python(version))]
    # What still loads as the same code is no forgery: the flag of an object that nothing refers to.
    assert codes in ([], ["PYC202"], ["PYC206"])
    same = (
        "import importlib.util as u, marshal\n"
        "data = open(u.cache_from_source('m.py'), 'rb').read()[16:]\n"
        "code = compile(open('m.py', 'rb').read(), '<source 0123456789abcdef>', 'exec', 0, True)\n"
        "raise SystemExit(marshal.loads(data) != code)\n"
    )
    equal = subprocess.run([python(version), "-c", same], check=False, stderr=subprocess.DEVNULL)
    assert (codes == []) == (equal.returncode == 0 == loads.returncode)


# verify_file_name_of_nested_code

NESTED = "def f():\n    def g():\n        return 1\n    return g\nclass C:\n    def m(self): pass\n"


PLACES: list[tuple[str, ...]] = [(), ("f",), ("f", "g"), ("C",), ("C", "m")]


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("name", ["/elsewhere/m.py", "", "é.py" * 99])
def test_verify_file_name_of_nested_code(
    here: Path, run: Run, path: tuple[str, ...], name: str
) -> None:
    write_file(here / "m.py", NESTED)
    write_file(here / cache_path(), edit_pyc(matching_pyc(NESTED), path, filename=name))
    report = run("verify-bytecode")
    assert report.code == 1
    start = f"{cache_path()}: PYC202 its code objects have several file names ("
    assert report.out.startswith(start)
    assert "; compilers write one. Python runs it, because time and size" in report.out


def test_file_name_of_nested_code_where_nothing_can_be_compared(here: Path, run: Run) -> None:
    """The same forgery of pytest's, without a source, and of a Python that is not here."""
    data = edit_pyc(matching_pyc(NESTED), ("f",), filename="/elsewhere")
    write_file(here / "m.py", NESTED)
    write_file(here / cache_path(more="-pytest-8.0.0"), data)
    write_file(here / "alone.pyc", data)
    report = run("verify-bytecode")
    assert (
        f"{cache_path(more='-pytest-8.0.0')}: PYC202 no source compiles to it; its code"
        in report.out
    )
    assert "alone.pyc: PYC204 " in report.out
    assert report.out.count("its code objects have several file names (m.py and /elsewhere)") == 2


#: Gives nested code another file name, in any Python.
RENAME = """\
import imp_or_util, marshal, os, struct, sys, types
source = open("m.py", "rb").read()
code = compile(source, "m.py", "exec", 0, True)
FIELDS = "argcount kwonlyargcount nlocals stacksize flags code consts names varnames filename name"
def replaced(code, **changes):
    if hasattr(code, "replace"):
        return code.replace(**changes)
    fields = (FIELDS + " firstlineno lnotab freevars cellvars").split()
    known = ["co_" + field for field in fields if hasattr(code, "co_" + field)]
    return types.CodeType(*[changes.get(field, getattr(code, field)) for field in known])
consts = tuple(
    replaced(c, co_filename="/q/m.py") if isinstance(c, types.CodeType) else c for c in code.co_consts
)
data = marshal.dumps(replaced(code, co_consts=consts))
st = os.stat("m.py")
fields = [int(st.st_mtime), st.st_size][: 2 if sys.version_info > (3,) else 1]
flags = [0] if sys.version_info >= (3, 7) else []
path = imp_or_util.cache_from_source("m.py") if sys.version_info > (3,) else "m.pyc"
if os.path.dirname(path):
    os.makedirs(os.path.dirname(path))
magic = imp_or_util.MAGIC_NUMBER if sys.version_info > (3,) else imp_or_util.get_magic()
with open(path, "wb") as file:
    file.write(magic + struct.pack("<%dI" % len(flags + fields), *(flags + fields)) + data)
"""


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7", "3.8", "3.10", "3.12", "3.13"])
def test_file_name_of_nested_code_of_other_pythons(here: Path, run: Run, version: str) -> None:
    write_file(here / "m.py", "def f(): pass\n")
    module = "imp" if version == "2.7" else "importlib.util"
    program = RENAME.replace("import imp_or_util", f"import {module} as imp_or_util", 1)
    subprocess.run([python(version), "-c", program], check=True)
    report = run("verify-bytecode", "--python", python(version))
    assert "PYC202 its code objects have several file names (m.py and /q/m.py)" in report.out


# verify_line_tables


def cut(table: bytes) -> bytes:
    return table[:-1]


def garbled(table: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in table)


def longer(table: bytes) -> bytes:
    return table * 3


def empty(_: bytes) -> bytes:
    return b""


def zeros(table: bytes) -> bytes:
    return bytes(len(table))


@pytest.mark.parametrize("change", [cut, garbled, longer, empty, zeros])
@pytest.mark.parametrize("place", ["module", "function"])
def test_verify_line_tables(here: Path, run: Run, change: object, place: str) -> None:
    assert callable(change)
    name, path = ("<module>", ()) if place == "module" else ("greet", ("greet",))
    code = read_pyc(matching_pyc()).code
    if path:
        (code,) = (part for part in code.consts if isinstance(part, Code))
    table = code.fields["linetable"]
    write_file(here / "m.py", INNOCENT)
    write_file(here / cache_path(), edit_pyc(matching_pyc(), path, linetable=change(table)))
    report = run("verify-bytecode", "--format", "json")
    assert found(report) == [(cache_path(), "PYC202")]
    (finding,) = json.loads(report.out)["findings"]
    assert f"to: the line table of {name} " in finding["message"]
    assert json.loads(report.out)["verified"] == 0


def test_line_tables_do_not_hide_another_difference(here: Path, run: Run) -> None:
    write_file(here / "m.py", INNOCENT)
    write_file(here / cache_path(), edit_pyc(forged_pyc(), (), linetable=b""))
    report = run("verify-bytecode")
    assert f"m.py to: {describe_greeting()} differs" in report.out


@pytest.mark.usefixtures("only_this_python")
@pytest.mark.parametrize(
    "path", ["alone.pyc", cache_path("gone"), f"__pycache__/m.{OTHER_TAG}.pyc"]
)
def test_line_tables_where_nothing_can_be_compared(here: Path, run: Run, path: str) -> None:
    write_file(here / "m.py", INNOCENT)
    data = matching_pyc()
    if OTHER_TAG in path:
        other = foreign_pyc(OTHER_TAG)
        data = other[:8] + data[8:16] + other[16:]
    data = edit_pyc(data, (), linetable=b"\x70")
    write_file(here / path, data)
    report = run("verify-bytecode")
    assert f"{path}: PYC206 not well-formed: the line table of " in report.out
    assert "PYC206" in run("inspect", path).out


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no exception tables")
@pytest.mark.parametrize("table", [b"", b"\x81", b"\x80\x00\x02\x00", b"\xff\x3f\x00\x00"])
def test_exception_tables(here: Path, run: Run, table: bytes) -> None:
    source = "try:\n    f()\nexcept E:\n    g()\n"
    fields: dict[str, Any] = {"co_exceptiontable": table}
    code = compile_source(source).replace(**fields)
    write_file(here / "m.py", source)
    write_file(here / cache_path(), timestamp_pyc(code, len(source)))
    write_file(here / "alone.pyc", timestamp_pyc(code, len(source)))
    expected = [(cache_path(), "PYC202"), ("alone.pyc", "PYC204" if table == b"" else "PYC206")]
    assert verify(run) == expected


# verify_levels_of_python_2

ASSERTING = "def f(x):\n    'Doc.'\n    assert x\n    return x\n"


@pytest.mark.parametrize(
    ("options", "name", "code"),
    [
        ([], "m.pyc", ""),
        (["-O"], "m.pyo", ""),
        (["-OO"], "m.pyo", ""),
        (["-O"], "m.pyc", "PYC202"),
        (["-OO"], "m.pyc", "PYC202"),
        ([], "m.pyo", "PYC202"),
    ],
)
def test_verify_levels_of_python_2(
    here: Path, run: Run, options: list[str], name: str, code: str
) -> None:
    write_file(here / "m.py", ASSERTING)
    program = f"import py_compile; py_compile.compile('m.py', cfile={name!r})"
    subprocess.run([python("2.7"), *options, "-c", program], check=True)
    expected = [(name, code)] if code else []
    assert verify(run, "--python", python("2.7")) == expected


@pytest.mark.parametrize("version", ["3.6", "3.8", "3.12"])
@pytest.mark.parametrize("options", [[], ["-O"], ["-OO"]], ids=["0", "1", "2"])
def test_level_of_a_legacy_name_is_reported(
    here: Path, run: Run, version: str, options: list[str]
) -> None:
    write_file(here / "m.py", ASSERTING)
    write_file(here / "n.py", "x = 1\n")
    subprocess.run([python(version), *options, "-m", "compileall", "-q", "-b", "."], check=True)
    report = run("verify-bytecode", "--format", "json", "--python", python(version))
    level = len(options[0]) - 1 if options else 0
    found = json.loads(report.out)
    assert (report.code, found["findings"], found["verified"]) == (0, [], 2)
    assert found["levels"] == ({"m.pyc": level} if level else {})
    note = (
        f"1 file (m.pyc) is what the source compiles to with -{'O' * level} (optimization level {level});"
        " the name does not state the level."
    )
    assert (report.err, found["notes"]) == ("", [note] if level else [])


def test_levels_of_several_files_are_one_note(here: Path, run: Run) -> None:
    for name in "abc":
        write_file(here / f"{name}.py", ASSERTING)
        write_file(here / f"{name}.pyc", matching_pyc(ASSERTING, level=2))
    report = run("verify-bytecode")
    assert report == (
        0,
        (
            "OK: 3 bytecode files verified.\n"
            "3 files (a.pyc, …) are what the source compiles to with -OO (optimization level 2);"
            " the name does not state the level.\n"
        ),
        "",
    )


# verify_packages_named_as_version_control


def unchecked(source: str) -> bytes:
    return hash_pyc(compile_source("raise SystemExit('forged')\n"), source.encode(), checked=False)


@pytest.mark.parametrize("name", ["_darcs", ".hg", ".svn", ".bzr", ".jj", ".sl", "CVS", "RCS"])
@pytest.mark.parametrize("marked", [False, True], ids=["bare", "marked"])
def test_verify_packages_named_as_version_control(
    repo: Repo, run: Run, name: str, marked: bool
) -> None:
    repo.write(f"{name}/mod.py", "x = 1\n")
    repo.write(f"{name}/{cache_path('mod')}", unchecked("x = 1\n"))
    if marked:
        for mark in ("requires", "wc.db", "branch-format", "repo", "format"):
            repo.write(f"{name}/{mark}")
    repo.git("add", "-f", ".")
    path = f"{name}/{cache_path('mod')}"
    assert verify(run) == [(path, "PYC202"), (path, "PYC203")]
    assert verify(run, name) == verify(run)


def test_packages_named_as_version_control_outside_a_repository(here: Path, run: Run) -> None:
    for name in ("_darcs", ".hg", "lib/.svn"):
        write_file(here / name / "mod.py", "x = 1\n")
        write_file(here / name / cache_path("mod"), unchecked("x = 1\n"))
    assert len(verify(run)) == 6
    write_file(here / ".hg" / "requires", "")
    write_file(here / "lib/.svn" / "wc.db", "")
    assert {path for path, _ in verify(run)} == {f"_darcs/{cache_path('mod')}"}


def test_version_control_itself_is_left_out(repo: Repo, run: Run) -> None:
    for mark in (".hg/requires", ".svn/wc.db", ".jj/repo/x"):
        repo.write(mark)
        repo.write(f"{mark.partition('/')[0]}/branch.pyc", matching_pyc())
    repo.write("m.py", INNOCENT)
    repo.git("add", "m.py")
    repo.git("commit", "-q", "-m", "1")
    repo.git("branch", "x.pyc")
    assert verify(run) == []
    # A git that does not answer leaves it open whether these files are tracked.
    repo.git("config", "core.repositoryFormatVersion", "99")
    assert len([path for path, _ in verify(run)]) == 3


@pytest.mark.parametrize("name", ["pkg", "ns"])
def test_packages_behind_a_link(here: Path, run: Run, name: str) -> None:
    elsewhere = here.parent / "elsewhere" / name
    write_file(elsewhere / "mod.py", "x = 1\n")
    write_file(elsewhere / cache_path("mod"), unchecked("x = 1\n"))
    if name == "pkg":
        write_file(elsewhere / "__init__.py", "")
    (here / name).symlink_to(f"../elsewhere/{name}")
    path = f"{name}/{cache_path('mod')}"
    assert verify(run) == [(path, "PYC202"), (path, "PYC203")]


@pytest.mark.parametrize(("name", "files"), [("data", ["x"]), ("my-pkg", ["mod.py"])])
def test_other_links_to_directories_are_noted(
    here: Path, run: Run, name: str, files: list[str]
) -> None:
    for file in files:
        write_file(here.parent / "elsewhere" / file, "")
    (here / name).symlink_to("../elsewhere")
    (here / "up").symlink_to("..")
    (here / "here").symlink_to(".")
    assert run("verify-bytecode") == (
        0,
        (
            "OK: no bytecode file found.\n"
            f"2 links ({name}, …) lead to a directory elsewhere and were not followed;"
            " pass the path to check it.\n"
        ),
        "",
    )
    (here / "up").unlink()
    note = f"1 link ({name}) leads to a directory elsewhere and was not followed; pass the path"
    assert note in run("verify-bytecode").out


def test_long_constant_of_python_2_is_not_its_int(here: Path, run: Run) -> None:
    """`5L` and `5` are equal numbers of two types."""
    write_file(here / "m.py", "x = 5\n")
    program = "import py_compile; py_compile.compile('m.py')"
    subprocess.run([python("2.7"), "-c", program], check=True)
    data = (here / "m.pyc").read_bytes()
    assert verify(run, "--python", python("2.7")) == []
    at = data.index(b"i\5\0\0\0")
    write_file(here / "m.pyc", data[:at] + b"l\1\0\0\0\5\0" + data[at + 5 :])
    os.utime(here / "m.py", (struct.unpack("<I", data[4:8])[0],) * 2)
    assert verify(run, "--python", python("2.7")) == [("m.pyc", "PYC202")]
