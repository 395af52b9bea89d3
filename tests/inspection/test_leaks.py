"""What a bytecode file contains and its source does not."""

from __future__ import annotations

import json
import re
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.make_pyc import TAG, cache_path, compile_source, timestamp_pyc, write_file
from inspection import check_honest_caches
from inspection.check_honest_caches import NoCompilers
from inspection.planted import FIXTURES, find_secrets, read_fixture, remove_secrets
from pycache_guard.bytecode import unmarshal
from pycache_guard.bytecode.cache_names import CacheName
from pycache_guard.bytecode.freshness import Source
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.bytecode.stores import FoundSource
from pycache_guard.inspection.leaks import compile_strings, find_leaks, find_paths, leaks_to_text
from pycache_guard.interpreters.pool import CompilerPool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo
    from pycache_guard.inspection.leaks import Leaks

NAMES = sorted(path.stem for path in FIXTURES.glob("*.txt"))
WITHOUT = NoCompilers()


@pytest.fixture(scope="module")
def compilers() -> Iterator[CompilerPool]:
    """Return the interpreters of this machine, each started once."""
    pool = CompilerPool()
    yield pool
    pool.close()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def source_of(text: str, path: str = "planted.py") -> FoundSource:
    data = text.encode()
    return FoundSource(path, Source(len(data), None, lambda: data))


def leaks_of(text: str, source: str, pool: CompilerPool, name: CacheName | None = None) -> Leaks:
    pyc = read_pyc(timestamp_pyc(compile_source(text), 0))
    return find_leaks(pyc, name, source_of(source), pool)


def texts(leaks: Leaks) -> set[str]:
    return {string.text for string in leaks.strings}


@pytest.mark.parametrize("name", NAMES)
def test_every_planted_secret_is_found_by_text(name: str) -> None:
    for source, data in read_fixture(name):
        for other in (remove_secrets(source), "x = 1\n", ""):
            leaks = find_leaks(read_pyc(data), None, source_of(other), WITHOUT)
            assert leaks.method == "text"
            found = "\n".join(texts(leaks))
            assert {secret for secret in find_secrets(source) if secret not in found} == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_planted_secret_is_found_with_the_interpreters_of_this_machine(
    name: str, compilers: CompilerPool
) -> None:
    for source, data in read_fixture(name):
        leaks = find_leaks(read_pyc(data), None, source_of(remove_secrets(source)), compilers)
        found = "\n".join(texts(leaks))
        assert {secret for secret in find_secrets(source) if secret not in found} == set()
        if leaks.method == "compiled":
            # Nothing but the secrets.
            assert all(find_secrets(text) for text in texts(leaks))


@pytest.mark.parametrize("name", NAMES)
def test_planted_source_has_no_leaks_against_itself(name: str, compilers: CompilerPool) -> None:
    for source, data in read_fixture(name):
        for pool in (compilers, WITHOUT):
            leaks = find_leaks(read_pyc(data), None, source_of(source), pool)
            # No text rule evaluates the expressions in an f-string.
            folded = {"planted-quotedplanted-requoted"} if leaks.method == "text" else set()
            assert texts(leaks) <= folded


#: Sources, and constants that compilers of other versions make of them: the text has to be enough.
HELD = [
    ('"a\\tb"', "a\tb"),
    ("'\\x41\\101\\u0041\\U00000041\\N{LATIN CAPITAL LETTER A}'", "AAAAA"),
    ("b'\\x89PNG'", b"\x89PNG"),
    ("b'\\0\\xff'", b"\0\xff"),
    ("r'\\d'", r"\d"),
    ("f'{a}{{b}}c'", "{b}c"),
    ("('one '\n 'two')", "one two"),
    ("'one ' + \\\n'two'", "one two"),
    ("'ab' * 3", "ababab"),
    ("'''\n    first\n      second\n    '''", "first\n  second\n"),
    ("f(x: Dict[ 'str',int ])", "Dict['str', int]"),
    ("class Owner:\n  def f(self): self.__name", "_Owner__name"),
    ("class Owner:\n  def method(self): pass", "Owner.method"),
    ("def f():\n  def g(): pass", "f.<locals>.g"),
    ("0x10_0000", 1048576),
    ("0o4000000", 1048576),
    ("04000000", 1048576),
    ("1048576L", 1048576),
    ("-1048576", -1048576),
    ("'\\N{no such name}'", "\\N{no such name}"),
    ("'\\U99999999'", "\\U99999999"),
    ("# -*- coding: latin-1 -*-\n'\u00e9'".encode("latin-1"), "\u00e9"),
    ("# coding: no-such-codec\n'\u00e9'".encode(), "\u00e9"),
    (b"\xef\xbb\xbf'\xc3\xa9'", "\u00e9"),
    (b"x = '\xff'", "\u00ff"),
    ("assert a == b", "assert %(py0)s == %(py2)s"),
    ("x = 1", "@py_assert3"),
    ("class C[T]: pass", "<generic parameters of C>"),
]
#: Sources, and strings that they do not contain.
MISSING = [
    ("password = 'hunter22'", "hunter2-"),
    ("a = 'correct'; b = 'horse'", "correct horse"),
    ("x = 1", "<generic parameters of C>"),
    ("x = 1", "assert %(py0)s == 'secret'"),
    ("x = 1", "_Owner__name"),
    ("x = 1", 1048576),
    ("x = '\\x89'", b"\x89\x00\x01\x02\xff"),
    ("x = 9" + "9" * 500, 1048576),
    ("x = 0b_", 1048576),
    ("", "a" * 2000 + ".b"),
]


@pytest.mark.parametrize(
    ("source", "value", "is_held"), [(*c, True) for c in HELD] + [(*c, False) for c in MISSING]
)
def test_text_of_a_source_contains_what_compilers_make_of_it(
    source: str | bytes, value: str | bytes | int, *, is_held: bool
) -> None:
    from pycache_guard.inspection.leaks import is_known
    from pycache_guard.inspection.source_text import SourceText
    from pycache_guard.inspection.strings import FoundString

    text = SourceText(source if isinstance(source, bytes) else source.encode())
    assert is_known(FoundString(value, "text", "m", 1, "consts", 0), text) is is_held


def test_search_for_hostile_strings_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from pycache_guard.inspection import source_text

    monkeypatch.setattr(source_text, "MAX_SEARCHED_CHARS", 100)
    text = source_text.SourceText(b"'a b' " * 20)
    assert text.contains("a b")
    assert not text.contains("b a")


def test_constant_that_the_compiler_folds_is_no_leak(compilers: CompilerPool) -> None:
    source = "x = 'a' + 'b' * 30\ny = 1024 * 1024\n"
    leaks = leaks_of(source, source, compilers)
    assert (leaks.method, texts(leaks), leaks.reason) == ("compiled", set(), "")
    assert leaks.compiler is not None
    assert leaks.compiler.endswith(".".join(map(str, sys.version_info[:3])))


def test_source_that_does_not_compile_is_compared_by_text(compilers: CompilerPool) -> None:
    leaks = leaks_of("x = 'planted'\ny = 'kept'\n", "y = 'kept'\nprint 'x'\n", compilers)
    assert (leaks.method, texts(leaks)) == ("text", {"planted"})
    assert "does not compile the source (SyntaxError, line 2)" in leaks.reason


def test_cache_that_pytest_rewrote_is_compared_by_text(compilers: CompilerPool) -> None:
    leaks = leaks_of(
        "x = 'planted'\n", "x = 1\n", compilers, CacheName("m", TAG or "", pytest="8.3.0")
    )
    assert (leaks.method, texts(leaks)) == ("text", {"planted"})
    assert leaks.reason == "no compiler writes such a file from the source alone"


def test_level_of_a_legacy_name_is_open(compilers: CompilerPool) -> None:
    source = '"""Docstring."""\nassert x, "message"\n'
    for level in (0, 1, 2):
        pyc = read_pyc(timestamp_pyc(compile_source(source, level), 0))
        assert texts(find_leaks(pyc, CacheName("m"), source_of(source), compilers)) == set()


def test_paths_and_users() -> None:
    names = [
        "/home/alice/m.py",
        "C:\\Users\\bob\\m.py",
        "/srv/m.py",
        "m.py",
        "other.py",
        "lib/m.py",
    ]
    found = [(path.path, path.user) for path in find_paths(names, "pkg/m.py")]
    assert found == [
        ("/home/alice/m.py", "alice"),
        ("C:\\Users\\bob\\m.py", "bob"),
        ("/srv/m.py", None),
        ("other.py", None),
    ]
    assert [path.path for path in find_paths(["m.py"], None)] == ["m.py"]


SOURCE = "x = 'kept'\n"
PLANTED = "x = 'kept'\ny = b'planted'\nz = 3133700001\n"


def test_leaks_are_printed_with_their_place(here: Path, run: Run) -> None:
    write_file(here / "m.py", SOURCE)
    code = compile_source(PLANTED, 0, "/home/alice/m.py")
    write_file(here / cache_path(), timestamp_pyc(code, 0))
    done = run("inspect", "--leaks", cache_path())
    version = ".".join(map(str, sys.version_info[:3]))
    implementation = {"cpython": "CPython", "pypy": "PyPy"}[sys.implementation.name]
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    assert lines[:3] == [
        cache_path(),
        f"  compared with  m.py, as {implementation} {version} compiles it",
        "  path           /home/alice/m.py (user alice)",
    ]
    assert {line.partition(" (")[0] for line in lines[3:]} == {
        "  constant       b'planted'",
        "  number         3133700001",
        "  name           'y'",
        "  name           'z'",
    }
    done = run("inspect", "--leaks", "--format", "json", "--python", sys.executable, cache_path())
    assert done.code == 1
    (file,) = json.loads(done.out)["files"]
    leaks = file["leaks"]
    assert (leaks["method"], leaks["source"], leaks["reason"], leaks["omitted"]) == (
        "compiled",
        "m.py",
        None,
        0,
    )
    assert leaks["paths"] == [{"path": "/home/alice/m.py", "user": "alice"}]
    assert {string["value"] for string in leaks["strings"]} == {"planted", 3133700001, "y", "z"}


def test_nothing_is_printed_in_words(here: Path, run: Run) -> None:
    write_file(here / "m.py", SOURCE)
    write_file(here / cache_path(), timestamp_pyc(compile_source(SOURCE), 0))
    done = run("inspect", "--leaks", "--output", "report", cache_path())
    assert done == (0, "", "")
    assert (here / "report").read_text().splitlines()[
        -1
    ] == "  nothing        everything in it is in its source"


def test_without_a_source_everything_is_listed(here: Path, run: Run) -> None:
    write_file(here / "n.pyc", timestamp_pyc(compile_source(PLANTED), 0))
    done = run("inspect", "--leaks", "n.pyc")
    assert done.code == 1
    assert (
        "  compared with  nothing: no source was found, so everything in it is listed\n" in done.out
    )
    assert "'kept'" in done.out
    assert "b'planted'" in done.out
    file = json.loads(run("inspect", "--leaks", "--format=json", "n.pyc").out)["files"][0]
    assert (file["leaks"]["method"], file["leaks"]["source"], file["leaks"]["compiler"]) == (
        "none",
        None,
        None,
    )


@pytest.mark.parametrize("has_source", [True, False])
def test_damaged_code_is_compared_by_text(here: Path, run: Run, *, has_source: bool) -> None:
    if has_source:
        write_file(here / "m.py", SOURCE)
    write_file(
        here / "m.pyc", timestamp_pyc(compile_source("y = 'planted text'\n" + SOURCE), 0)[:-4]
    )
    done = run("inspect", "--leaks", "m.pyc")
    assert done.code == 1
    assert "planted text" in done.out
    assert "not well-formed: marshal data too short" in done.out
    assert ("kept" in done.out) is not has_source


def test_bytes_after_the_code_leak(here: Path, run: Run) -> None:
    write_file(here / "m.py", SOURCE)
    write_file(here / "m.pyc", timestamp_pyc(compile_source(SOURCE), 0) + b"\0planted text")
    done = run("inspect", "--leaks", "m.pyc")
    assert (done.code, done.out.splitlines()[2:]) == (1, ["  constant       b'planted text'"])


def test_limit(here: Path, run: Run) -> None:
    write_file(here / "n.pyc", timestamp_pyc(compile_source(PLANTED), 0))
    done = run("inspect", "--leaks", "--limit", "2", "n.pyc")
    assert len(done.out.splitlines()) == 5
    assert done.out.endswith(" more: use a larger --limit\n")
    file = json.loads(run("inspect", "--leaks", "--limit=2", "--format=json", "n.pyc").out)[
        "files"
    ][0]
    assert len(file["leaks"]["strings"]) == 2
    assert file["leaks"]["omitted"] > 0


def test_long_string_is_cut(compilers: CompilerPool) -> None:
    leaks = leaks_of(f"x = {'s' * 3000!r}\n", "x = 1\n", compilers)
    (line,) = [line for line in leaks_to_text(leaks, "m.py", 10) if "constant" in line]
    assert "… (3,000 characters)" in line
    assert len(line) < 2100


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not well-formed: it contains nothing"),
        (b"<!doctype html><p>", "not well-formed: it contains an HTML page"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "it is a Git LFS pointer; `git lfs pull` downloads the content",
        ),
    ],
)
@pytest.mark.parametrize("view", [["--leaks", "m.pyc"], ["--diff", "m.pyc", "m.pyc"]])
def test_what_is_not_bytecode_is_an_error(
    here: Path, run: Run, view: list[str], data: bytes, words: str
) -> None:
    write_file(here / "m.pyc", data)
    assert run("inspect", *view) == (2, "", f"error: m.pyc: {words}\n")


def test_source_of_a_commit(repo: Repo, run: Run) -> None:
    repo.add("p/m.py", PLANTED)
    repo.commit()
    repo.add("p/m.py", SOURCE)
    repo.add(f"p/{cache_path()}", timestamp_pyc(compile_source(PLANTED), 0))
    repo.commit()
    path = f"p/{cache_path()}"
    assert "b'planted'" in run("inspect", "--leaks", f"HEAD:{path}").out
    assert "compared with  HEAD:p/m.py, as" in run("inspect", "--leaks", f"HEAD:{path}").out
    done = run("inspect", "--leaks", f"HEAD:{path}", "--against", "HEAD~1")
    assert done.code == 0
    assert "compared with  HEAD~1:p/m.py, as" in done.out
    # The file on disk, from the top and from below.
    assert run("inspect", "--leaks", path).code == 1
    assert run("inspect", "--leaks", path, "--against", "HEAD~1").code == 0
    (repo.path / "p" / "q").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repo.path / "p" / "q")
        done = run("inspect", "--leaks", f"../{cache_path()}", "--against", "HEAD~1")
        assert (done.code, done.err) == (0, "")
    done = run("inspect", "--leaks", path, "--against", "nothing")
    assert (done.code, done.err) == (2, "error: nothing: is not a commit or a tree\n")


def test_revision_without_the_source_lists_everything(repo: Repo, run: Run) -> None:
    repo.commit()
    repo.add("p/m.py", SOURCE)
    repo.add(f"p/{cache_path()}", timestamp_pyc(compile_source(SOURCE), 0))
    repo.commit()
    done = run("inspect", "--leaks", f"HEAD:p/{cache_path()}", "--against", "HEAD~1")
    assert "no source was found" in done.out
    assert run("inspect", "--leaks", f":p/{cache_path()}").code == 0


def test_honest_caches_of_a_package_have_no_leaks_but_paths(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import compileall
    import shutil
    from pathlib import Path

    source = Path(json.__file__).parent
    shutil.copytree(source, tmp_path / "json", ignore=shutil.ignore_patterns("__pycache__"))
    for level in (0, 2):
        compileall.compile_dir(tmp_path / "json", quiet=1, optimize=level)
    assert check_honest_caches.main([str(tmp_path)]) == 0
    counts = capsys.readouterr().out
    number = len([*source.glob("*.py")])
    assert f"'compiled': {2 * number}," in counts
    assert "'strings': 0" in counts
    (tmp_path / "json" / "tool.py").write_text("x = 'changed since'\n")
    (tmp_path / "json" / "scanner.py").unlink()
    assert check_honest_caches.main(["--text", str(tmp_path)]) in (0, 1)
    counts = capsys.readouterr().out
    assert f"'text': {2 * number - 4}," in counts
    assert "'stale': 2" in counts
    assert "'without a source': 2" in counts


def test_compiler_whose_code_is_too_large_is_a_problem(
    compilers: CompilerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    magic = read_pyc(timestamp_pyc(compile_source(""), 0)).header.magic
    with monkeypatch.context() as patch:
        patch.setattr(unmarshal, "MAX_OBJECTS", 5)
        found = compile_strings(compilers, magic, TAG or "", b"x = 1", (0,))
        assert next(found)[2].startswith("more than 5 objects at offset")


def test_format_that_is_not_known_has_no_compilers(compilers: CompilerPool) -> None:
    magic = identify_magic((4900).to_bytes(2, "little") + b"\r\n")
    assert magic is not None
    assert [*compile_strings(compilers, magic, "", b"", (0,))] == []


@pytest.mark.slow
def test_honest_caches_of_the_standard_library_have_no_leaks_but_paths(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import compileall
    import shutil
    import sysconfig

    kept_out = shutil.ignore_patterns("__pycache__", "site-packages", "lib2to3", "test", "tests")
    library = tmp_path / "library"
    shutil.copytree(sysconfig.get_path("stdlib"), library, ignore=kept_out)
    compileall.compile_dir(library, quiet=2)
    assert check_honest_caches.main([str(library)]) == 0
    assert "'strings': 0" in capsys.readouterr().out


def commands_in(text: str) -> list[str]:
    """Return the places of the commands `inspect --leaks` that a report names."""
    return re.findall(
        r"`pycache-guard inspect --leaks ([^`]*)` lists what its source does not contain", text
    )


def test_check_history_names_the_command_for_what_it_found(repo: Repo, run: Run) -> None:
    repo.add("p/m.py", SOURCE)
    repo.add(f"p/{cache_path()}", timestamp_pyc(compile_source(PLANTED), 0))
    repo.add("p/n o.pyc", timestamp_pyc(compile_source(PLANTED), 0))
    commit = repo.commit()
    repo.add("p/not-bytecode.pyc", "text")
    repo.commit()
    places = commands_in(run("check-history", "HEAD").out)
    assert places == [f"{commit}:p/{cache_path()}", f"'{commit}:p/n o.pyc'"]
    for place in places:
        (path,) = shlex.split(place)
        assert "b'planted'" in run("inspect", "--leaks", path).out
    repo.git("tag", "a-tree", "HEAD^{tree}")
    assert len(commands_in(run("check-history", "--all").out)) == 4


def test_check_history_names_one_command_for_many_files(repo: Repo, run: Run) -> None:
    for n in range(11):
        repo.add(f"m{n:02}.pyc", timestamp_pyc(compile_source(f"x = {n}.5\n"), 0))
    commit = repo.commit()
    assert commands_in(run("check-history", "HEAD").out) == [f"{commit}:m00.pyc"]


@pytest.mark.parametrize("revision", ["HEAD", "HEAD~0", "HEAD@{0}"])
def test_forbid_bytecode_names_the_command_for_a_tree(repo: Repo, run: Run, revision: str) -> None:
    repo.add("m.pyc", timestamp_pyc(compile_source(PLANTED), 0))
    repo.add("not-bytecode.pyc", "text")
    commit = repo.commit()
    shown = commit if "@" in revision else revision
    out = run("forbid-bytecode", "--tree", revision).out
    assert [*map(shlex.split, commands_in(out))] == [[f"{shown}:m.pyc"]]
    assert "not-bytecode.pyc: PYC001" in out
    assert "b'planted'" in run("inspect", "--leaks", f"{shown}:m.pyc").out
    assert commands_in(run("forbid-bytecode", "--tree", revision, "--content", "none").out) == []
    assert commands_in(run("forbid-bytecode").out) == []
