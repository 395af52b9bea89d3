from __future__ import annotations

import base64
import json
import os
import re
import sys
import time
from typing import TYPE_CHECKING, NoReturn

import pytest

from helpers.make_pyc import (
    EVIL,
    INNOCENT,
    TAG,
    cache_path,
    compile_source,
    foreign_pyc,
    hash_pyc,
    matching_pyc,
    timestamp_pyc,
    write_file,
)
from helpers.posix_names import decode_posix_name
from helpers.windows import words_of_missing_file
from pycache_guard import compat
from pycache_guard.commands import inspect
from pycache_guard.inspection.render import describe_time

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Program, Run
    from helpers.repo import Repo

NESTED = f"""
def outer(a=(1, (2, (3, (4, (5, 6)))), "{"x" * 99}", {2**2000}, 1.5, b"y")):
    class Inner:
        text = "t"
    return {{1, 2, 3}}, ..., lambda: None
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


BASIC_FUNCTIONS = """\
  function      plain(a, b, *args, **kwargs), line 19, 68 bytes, flags OPTIMIZED, NEWLOCALS, VARARGS, VARKEYWORDS
  function      outer(x), line 27, 32 bytes, flags OPTIMIZED, NEWLOCALS
  function      outer.middle(z), line 30, 94 bytes, flags OPTIMIZED, NEWLOCALS, NESTED
  function      outer.middle.inner(), line 33, 16 bytes, flags OPTIMIZED, NEWLOCALS, NESTED
  function      Base.__init__(self, value), line 43, 18 bytes, flags OPTIMIZED, NEWLOCALS
  function      Base.hidden(self), line 46, 26 bytes, flags OPTIMIZED, NEWLOCALS
  function      Base.gen(n), line 51, 60 bytes, flags OPTIMIZED, NEWLOCALS, GENERATOR
  function      Derived.__init__(self, value), line 60, 148 bytes, flags OPTIMIZED, NEWLOCALS
  function      guarded(path), line 65, 368 bytes, flags OPTIMIZED, NEWLOCALS
"""


def test_text(here: Path, run: Run, program: Program) -> None:
    write_file(here / "m.py", INNOCENT)
    write_file(here / "__pycache__/m.cpython-312.pyc", foreign_pyc("cpython-312"))
    size = len(INNOCENT)
    result = run("inspect", "__pycache__/m.cpython-312.pyc")
    assert result == (
        0,
        (
            "__pycache__/m.cpython-312.pyc\n"
            "  written by    CPython 3.12 (magic 3531)\n"
            "  name          module m, tag cpython-312\n"
            "  invalidation  timestamp: source of 2023-11-14 22:13:20 UTC, 2039 bytes\n"
            f"  source        m.py, {size} bytes: the source is now {size} bytes; it was 2039 when this was compiled\n"
            f"  runs          no: the source is now {size} bytes; it was 2039 when this was compiled\n"
            "  compiled as   basic.py\n"
            "  docstring     Module docstring: valid on Python 2.7 and on every Python 3.\n"
            "  imports       os, sys\n"
        )
        + BASIC_FUNCTIONS,
        "",
    )
    assert program("inspect", "__pycache__/m.cpython-312.pyc", cwd=here) == result


TEXTS = [
    ("m.pyc", matching_pyc(), "  runs          no: the source next to it comes first\n"),
    (
        "n.pyc",
        matching_pyc(),
        "  source        not found\n  runs          yes: it has no source next to it\n",
    ),
    (cache_path(), matching_pyc(), "  runs          yes: time and size match its source\n"),
    (
        cache_path(more=".opt-2"),
        matching_pyc(),
        f"  name          module m, tag {TAG}, optimization 2\n",
    ),
    (cache_path(more="-pytest-9.2.0"), matching_pyc(), f", tag {TAG}, rewritten by pytest 9.2.0\n"),
    (cache_path() + ".1", matching_pyc(), f", tag {TAG}, left by an interrupted write\n"),
    (
        cache_path(),
        hash_pyc(compile_source(""), b"", checked=True),
        "  invalidation  hash of the source, checked: ",
    ),
    (
        cache_path(),
        hash_pyc(compile_source(""), b"", checked=False),
        "  invalidation  hash of the source, never checked: ",
    ),
    (
        cache_path(),
        timestamp_pyc(compile_source("", 0, "/home/u/m.py"), 0),
        "  compiled as   /home/u/m.py (an absolute path of the machine that compiled it)\n",
    ),
    ("m$py.class", b"\xca\xfe\xba\xbe\0\0\0\x31", "  invalidation  not in a header\n"),
    ("m$py.class", b"\xca\xfe\xba\xbe\0\0\0\x31", "Jython 2.7 (no magic number)\n"),
    ("m.mpy", bytes.fromhex("4d06001f00"), "MicroPython mpy 6 (no magic number)\n"),
    ("m.mpy", bytes.fromhex("4d06001f00"), "  runs          depends: MicroPython imports it"),
    (
        cache_path(),
        matching_pyc()[:40],
        "  runs          no: import fails with EOFError (marshal data too",
    ),
    (
        "n.pyc",
        matching_pyc()[:16],
        "  runs          no: import fails with EOFError (marshal data too",
    ),
    ("n.pyc", matching_pyc()[:15], "  runs          no: import fails with EOFError (reached EOF"),
    ("n.pyc", b"x = 1\n", "  runs          no: import fails with ImportError (bad magic number"),
    (cache_path(), b"", "  runs          no: import compiles the source again\n"),
    (
        cache_path(),
        matching_pyc() + b"behind",
        "  runs          yes: time and size match its source\n",
    ),
    (f"__pycache__/m{TAG}.pyc", matching_pyc(), f"  name          script m, tag {TAG}\n"),
    (f"__pycache__/t.{TAG}-PYTEST.pyc", matching_pyc(), "rewritten by an early pytest\n"),
    (
        "x.bin",
        matching_pyc()[:2] + matching_pyc()[2:],
        "import does not use such a name; `python FILE` runs it",
    ),
    ("m.pyc", foreign_pyc("cpython-27"), "timestamp: source of 2023-11-14 22:13:20 UTC\n"),
    (
        "new.pyc",
        (3555).to_bytes(2, "little") + matching_pyc()[2:],
        "3.13, a pre-release (magic 3555)",
    ),
]


@pytest.mark.parametrize(("path", "data", "words"), TEXTS)
def test_words(here: Path, run: Run, path: str, data: bytes, words: str) -> None:
    write_file(here / "m.py", INNOCENT)
    write_file(here / path, data)
    assert words in run("inspect", path).out


FLAWS = [
    ("m.pyc", b"", "PYC206", "not well-formed: it contains nothing"),
    ("m.pyc", b"x = 1\n", "PYC206", "not well-formed: it contains Python source"),
    ("m.pyc", b"<!DOCTYPE html>\n<p>", "PYC206", "not well-formed: it contains an HTML page"),
    ("m.pyc", b"\1\2\3\4", "PYC206", "not well-formed: bad magic number: b'\\x01\\x02\\x03\\x04'"),
    (
        "m.pyc",
        matching_pyc()[16:],
        "PYC206",
        "not well-formed: it contains marshalled code without a header",
    ),
    (
        "m.pyc",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 119\n",
        "PYC205",
        "it is a Git LFS pointer; `git lfs pull` downloads the content",
    ),
    ("m.pyc", b"\1\0\r\n", "PYC205", "its magic number 1 is not known"),
    (
        "m.pyc",
        matching_pyc()[:15],
        "PYC206",
        "not well-formed: reached EOF while reading pyc header",
    ),
    (
        "m.pyc",
        matching_pyc()[:16],
        "PYC206",
        "not well-formed: marshal data too short at offset 16",
    ),
    ("m.pyc", matching_pyc() + b"\0", "PYC206", "not well-formed: 1 bytes after the code"),
    (
        "m.pyc",
        matching_pyc()[:4] + b"\7" + matching_pyc()[5:],
        "PYC206",
        "not well-formed: invalid flags 7",
    ),
    (
        "m.pyc",
        timestamp_pyc(compile_source(""), 0, flags=2),
        "PYC206",
        "not well-formed: flags 2, which Python reads as 0 and never writes",
    ),
    (
        "__pycache__/m.cpython-36.pyc",
        foreign_pyc("cpython-312"),
        "PYC207",
        "its name says cpython-36, its magic number CPython 3.12",
    ),
]


@pytest.mark.parametrize(("path", "data", "code", "message"), FLAWS)
def test_flaws(here: Path, run: Run, path: str, data: bytes, code: str, message: str) -> None:
    write_file(here / path, data)
    result = run("inspect", path)
    assert (result.code, result.err) == (1, "")
    assert result.out.startswith(f"{path}\n  {code}        {message}\n")
    result = run("inspect", "--format", "json", path)
    report = json.loads(result.out)
    assert [(f["code"], f["message"]) for f in report["findings"]] == [(code, message)]
    assert [file["well_formed"] for file in report["files"]] == [False]


def test_json(here: Path, run: Run) -> None:
    write_file(here / "m.py", INNOCENT)
    data = hash_pyc(compile_source(INNOCENT, 0, "/p/m.py"), INNOCENT.encode(), checked=True)
    write_file(here / cache_path(), data)
    result = run("inspect", "--format", "json", cache_path())
    assert (result.code, result.err) == (0, "")
    (file,) = json.loads(result.out)["files"]
    assert list(file) == [
        "path",
        "path_base64",
        "revision",
        "size",
        "well_formed",
        "magic",
        "magic_number",
        "implementation",
        "version",
        "prerelease",
        "header_length",
        "flags",
        "invalidation_mode",
        "source_mtime",
        "source_size",
        "source_hash",
        "name",
        "tag_fits",
        "source",
        "would_run",
        "why",
        "filenames",
        "absolute_paths",
        "docstring",
        "imports",
        "code",
    ]
    assert file["name"] == {
        "module": "m",
        "tag": TAG,
        "optimization": None,
        "pytest": None,
        "suffix": ".pyc",
        "leftover": False,
    }
    assert file["source"]["path"] == "m.py"
    assert file["source"]["fits"] == "runs"
    assert (file["flags"], file["invalidation_mode"]) == (3, "checked-hash")
    assert file["source_hash"] == data[8:16].hex()
    assert file["filenames"] == file["absolute_paths"] == ["/p/m.py"]
    assert (file["would_run"], file["code"]) == (True, None)


@pytest.mark.parametrize("version", ["2.7", "3.6"])
def test_json_of_a_header_without_flags(here: Path, run: Run, version: str) -> None:
    write_file(here / "a.pyc", foreign_pyc(f"cpython-{version.replace('.', '')}"))
    (file,) = json.loads(run("inspect", "--format", "json", "a.pyc").out)["files"]
    assert (file["version"], file["flags"], file["invalidation_mode"]) == (
        version,
        None,
        "timestamp",
    )


@pytest.mark.skipif(sys.platform == "win32", reason="names are text there")
def test_json_of_what_is_no_bytecode(here: Path, run: Run) -> None:
    odd = decode_posix_name(b"\xff.bin")
    write_file(here / odd, b"abc")
    result = run("inspect", "--format", "json", "--code", odd)
    (file,) = json.loads(result.out)["files"]
    assert file["path"] == "\\xff.bin"
    assert base64.b64decode(file["path_base64"]) == b"\xff.bin"
    known = {
        *("path", "path_base64", "size", "well_formed", "magic", "filenames", "absolute_paths"),
        *("would_run", "why"),
    }
    assert {key for key, value in file.items() if value is not None} == known


def test_code(here: Path, run: Run) -> None:
    write_file(here / "m.pyc", timestamp_pyc(compile_source(NESTED), 0))
    result = run("inspect", "--code", "m.pyc")
    lines = result.out.partition("  code\n")[2].splitlines()
    assert [",".join(line.partition(", flags")[0].split(",")[:-1]) for line in lines] == [
        "    <module>, line 1",
        "      outer(a), line 2",
        "        Inner, line 3",
        "        <lambda>, line 5",
    ]
    assert lines[1].partition(" bytes, flags ")[2].startswith("OPTIMIZED, NEWLOCALS")
    # From 3.15 on, the defaults of a function are in a tuple of their own.
    assert re.search(r"\(1, \(2, \(3, (\(4, )?<tuple of 2>\)", lines[0])
    assert "'…, <int of 2001 bits>, …)" in lines[0]
    result = run("inspect", "--code", "--format", "json", "m.pyc")
    objects = json.loads(result.out)["files"][0]["code"]
    assert [(o["depth"], o["name"], o["first_line"]) for o in objects] == [
        (0, "<module>", 1),
        (1, "outer", 2),
        (2, "Inner", 3),
        (2, "<lambda>", 5),
    ]
    assert objects[1]["arguments"] == ["a"]
    # Python 3.10 has one more, which says that there are no free variables.
    assert [*filter("NOFREE".__ne__, objects[1]["flag_names"])] == ["OPTIMIZED", "NEWLOCALS"]
    assert all(o["size"] > 0 for o in objects)
    assert "text" in objects[2]["names"]
    assert "'t'" in objects[2]["constants"]


def test_code_of_a_python_that_is_still_to_come(here: Path, run: Run) -> None:
    write_file(
        here / "m.pyc",
        (4900).to_bytes(2, "little") + b"\r\n" + timestamp_pyc(compile_source("1"), 0)[4:],
    )
    result = run("inspect", "--code", "m.pyc")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[1] == "  written by    CPython 3.40, a pre-release (magic 4900)"
    assert lines[-1] == "  code          cannot be read"


def test_other_formats(here: Path, run: Run) -> None:
    write_file(here / "m.pyc", b"")
    assert run("inspect", "--format", "github", "m.pyc").out.startswith("::error file=m.pyc,")
    assert run("inspect", "--output", "report", "m.pyc") == (1, "", "")
    assert (here / "report").read_text().startswith("m.pyc\n")


def test_in_git(repo: Repo, run: Run) -> None:
    repo.add("p/m.py", INNOCENT)
    repo.add(f"p/{cache_path()}", matching_pyc())
    repo.commit()
    repo.add("p/m.py", EVIL + "#")
    result = run("inspect", f"HEAD:p/{cache_path()}", f":p/{cache_path()}", f":0:p/{cache_path()}")
    assert result.code == 0
    pages = result.out.split("p/__pycache__")
    assert pages[0] == "HEAD:"
    assert (
        f"p/m.py, {len(INNOCENT)} bytes: the size matches its source, and anyone can set the time"
        in pages[1]
    )
    assert (
        f"  runs          no: the source is now {len(INNOCENT) + 1} bytes; it was {len(INNOCENT)} when this was compiled"
        in pages[2]
    )
    assert pages[3].startswith(f"/m.{TAG}.pyc\n")
    result = run(
        "inspect",
        "HEAD:nothing",
        "HEAD:p",
        "nothing:p",
        "--format",
        "json",
        f"HEAD:p/{cache_path()}",
    )
    assert result.code == 2
    assert result.err.splitlines()[0] == "error: HEAD:nothing: is not there"
    assert len(result.err.splitlines()) == 3
    assert json.loads(result.out)["files"][0]["revision"] == "HEAD"


def test_in_git_without_a_source(repo: Repo, run: Run) -> None:
    repo.add("p/m.pyc", matching_pyc())
    repo.commit()
    result = run("inspect", "HEAD:p/m.pyc")
    assert "  source        not found\n  runs          yes: it has no source" in result.out


def test_code_in_odd_places(here: Path, run: Run) -> None:
    module = compile_source(INNOCENT)
    nested = module.replace(co_consts=((compile_source("x"), frozenset([1])), *module.co_consts))
    write_file(here / "m.pyc", timestamp_pyc(nested, 0))
    result = run("inspect", "--code", "m.pyc")
    assert re.search(r"[:,] \(<code <module>>, frozenset\(\{1\}\)\)", result.out)
    assert "\n      <module>, line 1" in result.out


def test_what_cannot_be_read(here: Path, run: Run) -> None:
    write_file(here / "empty.pyc", b"")
    write_file(here / "good.pyc", matching_pyc())
    (here / "directory.pyc").mkdir()
    (here / "loop.pyc").symlink_to("loop.pyc")
    os.mkfifo(here / "fifo.pyc")
    write_file(here / "large.pyc", matching_pyc())
    os.truncate(here / "large.pyc", (64 << 20) + 1)
    result = run("inspect", "--format", "json", "/dev/zero", *sorted(os.listdir(here)), "nowhere")
    assert result.code == 2
    assert result.err.splitlines() == [
        "error: /dev/zero: is not a regular file",
        "error: directory.pyc: is a directory",
        "error: fifo.pyc: is not a regular file",
        "error: large.pyc: is larger than 64 MiB",
        "error: loop.pyc: Too many levels of symbolic links",
        f"error: nowhere: {words_of_missing_file()}",
    ]
    report = json.loads(result.out)
    assert [file["path"] for file in report["files"]] == ["empty.pyc", "good.pyc"]
    assert [finding["path"] for finding in report["findings"]] == ["empty.pyc"]


def test_a_path_is_meant_first(here: Path, run: Run) -> None:
    write_file(here / "HEAD:m.pyc", matching_pyc())
    assert run("inspect", "HEAD:m.pyc").out.startswith("HEAD:m.pyc\n  written by")


def test_wrong_usage(run: Run) -> None:
    assert run("inspect").code == 2
    assert run("inspect", "").code == 2


def test_writer_is_named_by_the_tag_where_the_number_is_another_ones(here: Path, run: Run) -> None:
    write_file(here / "m.py", INNOCENT)
    write_file(here / "__pycache__/m.pypy39.pyc", foreign_pyc("cpython-39"))
    result = run("inspect", "__pycache__/m.pypy39.pyc")
    assert "  written by    PyPy (magic 3425 of CPython 3.9)\n" in result.out
    assert "PYC207" not in result.out
    (file,) = json.loads(run("inspect", "--format", "json", "__pycache__/m.pypy39.pyc").out)[
        "files"
    ]
    assert file["tag_fits"] is True
    assert run("inspect", "m.py").code == 1


DESCRIBED = '''"""  First line.

More."""
import os.path, json
from . import near
def function(a, *, b):
    import late
'''


def test_code_is_described_in_words(here: Path, run: Run) -> None:
    write_file(here / "m.pyc", timestamp_pyc(compile_source(DESCRIBED), 0))
    out = run("inspect", "m.pyc").out
    assert "  docstring     First line.\n  imports       os.path, json, .near, late\n" in out
    assert "  function      function(a, *, b), line 6, " in out
    (file,) = json.loads(run("inspect", "--format", "json", "m.pyc").out)["files"]
    assert file["docstring"].strip().startswith("First line.\n")
    assert file["imports"] == ["os.path", "json", ".near", "late"]


def test_description_is_short(here: Path, run: Run) -> None:
    source = "".join([f"import m{n}\ndef f{n}(): pass\n" for n in range(30)]) + "x" * 400 + " = 1\n"
    source += f"def {'g' * 400}(): pass\nx = [{', '.join([f'{n}.5' for n in range(1100)])}]\n"
    write_file(here / "m.pyc", timestamp_pyc(compile_source(f'"{"d" * 400}"\n{source}'), 0))
    out = run("inspect", "m.pyc").out
    assert f"  docstring     {'d' * 300}…\n" in out
    assert ", m19, and 10 more\n" in out
    assert out.endswith("  function      11 more: see --code\n")
    out = run("inspect", "--code", "m.pyc").out
    assert f"      {'g' * 300}…()" in out
    assert max(map(len, out.splitlines())) < 20_000


@pytest.mark.skipif("not hasattr(time, 'tzset')", reason="the time zone of a process cannot be set")
@pytest.mark.parametrize(
    ("zone", "words"),
    [("UTC", "22:13:20 UTC,"), ("XXX-5:30", "22:13:20 UTC (2023-11-15 03:43:20 +0530),")],
)
def test_time_is_that_of_the_reader_too(
    here: Path, run: Run, monkeypatch: pytest.MonkeyPatch, zone: str, words: str
) -> None:
    write_file(here / "m.pyc", matching_pyc())
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        out = run("inspect", "m.pyc").out
    time.tzset()
    assert f"timestamp: source of 2023-11-14 {words}" in out


def test_time_that_the_system_does_not_know_is_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: float) -> NoReturn:
        raise OverflowError

    monkeypatch.setattr(time, "localtime", refuse)
    assert describe_time(0) == "1970-01-01 00:00:00 UTC"


@pytest.mark.parametrize("options", [(), ("--code",), ("--format", "json")])
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_many_files_have_the_same_report_from_several_processes(
    options: tuple[str, ...], here: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []
    for n in range(9):
        names.append(f"m{n}.pyc")
        write_file(here / names[-1], foreign_pyc("cpython-312")[: 40 if n % 3 else None])
    command = ("inspect", *options, *names, "missing.pyc")
    usual = run(*command)
    assert usual.code == 2
    assert usual.out.count("not well-formed") == 6
    monkeypatch.setattr(inspect, "MIN_FILES_PER_PROCESS", 2)
    monkeypatch.setattr(compat, "count_processors", lambda: 3)
    assert run(*command) == usual
    monkeypatch.setattr(compat, "HAS_FORK", False)
    assert run(*command) == usual
