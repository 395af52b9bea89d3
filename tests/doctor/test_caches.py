from __future__ import annotations

import os
import py_compile
import shlex
import stat
import sys
from importlib.util import MAGIC_NUMBER
from py_compile import PycInvalidationMode
from typing import TYPE_CHECKING

import pytest

from clean.trees import make_tree
from helpers.windows import run_in_sh
from pycache_guard import compat
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.clean.roots import root_for
from pycache_guard.doctor import state
from pycache_guard.doctor.caches import CacheDirectory, _inspect_cache, read_head, scan_caches
from pycache_guard.doctor.caches import iter_directories as places_of
from pycache_guard.interpreters.identity import Interpreter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run
    from pycache_guard.doctor.caches import Cache, CacheScan

AGAIN = "Python compiles the sources again at each start"
TAG = str(sys.implementation.cache_tag)
PYTHON = Interpreter("python", b"", "cpython", "3.0.0", TAG)


def look() -> CacheScan:
    walked = root_for(".")
    try:
        return scan_caches(walked)
    finally:
        walked.cursor.close()


def caches() -> dict[str, Cache]:
    return {cache.path: cache for cache in look().caches}


def compiled(
    root: Path, name: str, mode: PycInvalidationMode = PycInvalidationMode.TIMESTAMP
) -> str:
    """Write a source, compile it; return the cache's path from the root."""
    source = root / f"{name}.py"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text("x = 1\n")
    made = py_compile.compile(str(source), doraise=True, invalidation_mode=mode)
    assert made is not None
    return os.path.relpath(made, root).replace(os.sep, "/")


@pytest.mark.parametrize("mode", PycInvalidationMode)
def test_changed_source_makes_cache_stale(root: Path, mode: PycInvalidationMode) -> None:
    path = compiled(root, "p/m", mode)
    name = None if mode.name == "TIMESTAMP" else mode.name.partition("_")[0].lower()
    fresh = caches()[path]
    assert fresh == (
        path,
        TAG,
        MAGIC_NUMBER,
        (root / path).stat().st_size,
        True,
        False,
        False,
        name,
        False,
    )
    (root / "p" / "m.py").write_text("x = 22\n")
    assert caches()[path].is_stale
    (root / "p" / "m.py").unlink()
    assert (caches()[path].is_stale, caches()[path].is_alone) == (False, True)


@pytest.mark.parametrize("name", ["m.py", "m.pyw"])
def test_source_with_another_mtime_makes_legacy_cache_stale(root: Path, name: str) -> None:
    path = compiled(root, "m")
    (root / "m.py").rename(root / name)
    assert (caches()[path].is_stale, caches()[path].is_alone) == (False, False)
    os.utime(root / name, (1, 1))
    assert caches()[path].is_stale


def test_writer_is_read_from_tag_or_magic(root: Path) -> None:
    (root / "old.pyc").write_bytes(b"\x03\xf3\r\n" + bytes(20))
    (root / "odd.pyc").write_bytes(b"what is this")
    make_tree(root, ["old.py", "p/__pycache__/a.cpython-39.opt-1.pyc", "p/__pycache__/b.pyc"])
    make_tree(root, ["p/__pycache__/c.cpython-39.pyc.12", "p/__pycache__/notes.txt", "p/b.hy"])
    make_tree(root, ["p/__pycache__/d.CPython-39.pyc"])
    assert {c.path: (c.writer, c.is_tagged, c.is_alone) for c in look().caches} == {
        "old.pyc": ("CPython 2.7", False, False),
        "odd.pyc": ("unknown", False, True),
        "p/__pycache__/a.cpython-39.opt-1.pyc": ("cpython-39", True, True),
        "p/__pycache__/b.pyc": ("unknown", True, True),
        "p/__pycache__/c.cpython-39.pyc.12": ("cpython-39", True, True),
        "p/__pycache__/d.CPython-39.pyc": ("cpython-39", True, True),
    }


def test_scan_skips_directories_that_clean_skips(root: Path) -> None:
    cache = "__pycache__/a.cpython-39.pyc"
    make_tree(
        root, [f".venv/{cache}", ".venv/pyvenv.cfg", f"node_modules/{cache}", f".git/{cache}"]
    )
    assert look().caches == []


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no named pipes, and links need a privilege"
)
def test_scan_skips_links_and_pipes(root: Path) -> None:
    make_tree(root, ["a.pyc -> nowhere", "b.pyc -> fifo", "fifo|", "c.pyc"])
    assert [cache.path for cache in look().caches] == ["c.pyc"]
    assert _inspect_cache("gone.pyc", "gone.pyc", None, is_cache=False, is_alone=True) is None
    assert read_head("fifo") == b""


def test_unreadable_source_or_cache_is_not_stale(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed = compiled(root, "a")
    hashed = compiled(root, "b", PycInvalidationMode.CHECKED_HASH)
    arguments = {"is_cache": True, "is_alone": False}
    for path in (timed, hashed):
        name = path.rpartition("/")[2]
        cache = _inspect_cache(path, name, "gone.py", **arguments)
        assert cache is not None
        assert not cache.is_stale
    monkeypatch.setattr("pycache_guard.doctor.caches.HEADER_BYTES", 3)
    cache = _inspect_cache(timed, "a.pyc", "a.py", **arguments)
    assert cache is not None
    assert (cache.writer, cache.is_stale) == ("unknown", False)


def test_format_without_validation_is_not_stale(root: Path) -> None:
    (root / "foo$py.class").write_bytes(b"\xca\xfe\xba\xbe" + bytes(20))
    make_tree(root, ["foo.py"])
    (cache,) = look().caches
    assert (cache.writer, cache.is_stale, cache.hash_mode) == ("Jython 2.7", False, None)


def test_hash_of_an_unknown_algorithm_is_not_stale(root: Path) -> None:
    """How GraalPy hashes a source is not known; nothing is said of it."""
    header = (21290).to_bytes(2, "little") + b"\r\n" + b"\3\0\0\0" + bytes(8)
    make_tree(root, ["m.py", "__pycache__/"])
    (root / "__pycache__" / "m.graalpy.pyc").write_bytes(header)
    (cache,) = look().caches
    assert (cache.hash_mode, cache.is_stale) == ("checked", False)


def test_places_are_caches_and_directories_with_sources(root: Path) -> None:
    make_tree(root, ["m.py", "a/m.py", "b/m.py", "b/__pycache__/", "c/readme.txt"])
    places = {
        (p.path, p.is_cache, p.status.st_ino, p.above and p.above.st_uid) for p in look().places
    }
    assert places == {
        (".", False, root.stat().st_ino, None),
        ("a", False, (root / "a").stat().st_ino, None),
        ("b/__pycache__", True, (root / "b/__pycache__").stat().st_ino, root.stat().st_uid),
    }
    walked = root_for(".")
    assert list(places_of(walked, ("gone", "too"), is_cache=True)) == []
    walked.cursor.close()


@pytest.mark.skipif(
    not compat.HAS_FILE_OWNERS or os.geteuid() != 0,
    reason="only an administrator gives things away",
)
def test_place_has_its_owner_and_that_of_the_directory_above(root: Path) -> None:
    make_tree(root, ["a/__pycache__/"])
    os.chown(root / "a/__pycache__", 4711, 4711)
    (place,) = look().places
    assert place.above is not None
    assert (place.status.st_uid, place.above.st_uid) == (4711, 0)


def test_unreadable_cache_directory_is_a_failure_and_a_place(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reported, and counts as a directory that Python cannot write caches to."""
    make_tree(root, ["m.py", "__pycache__/"])
    listed = os.scandir

    def refused(path: str) -> object:
        if path.endswith("__pycache__"):
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(compat, "HAS_DIR_FD", False)
    monkeypatch.setattr(os, "scandir", refused)
    found = look()
    assert found.failures == ["__pycache__: not read: Permission denied"]
    assert [(place.path, place.is_cache) for place in found.places] == [("__pycache__", True)]
    assert state.summarize(found, PYTHON, ".").failures == found.failures


def result(root: str = ".") -> dict[str, str]:
    """Return the facts by name."""
    return {fact.name: fact.value for fact in state.summarize(look(), PYTHON, root).facts}


def test_facts_count_caches_by_kind(root: Path) -> None:
    assert result() == {"here": "none"}
    compiled(root, "a")
    compiled(root, "b", PycInvalidationMode.CHECKED_HASH)
    compiled(root, "c", PycInvalidationMode.UNCHECKED_HASH)
    make_tree(root, ["__pycache__/gone.cpython-27.pyc", "lib.pyc"])
    (root / "a.py").write_text("changed\n")
    size = sum(cache.size for cache in look().caches)
    assert result() == {
        "here": f"5 files of 2 interpreters, {size} bytes",
        TAG: f"3 files, {size - 2} bytes",
        "cpython-27": "1 file, 1 byte",
        "unknown": "1 file, 1 byte",
        "stale": "1",
        "without a source": "1 in __pycache__, 1 elsewhere",
        "hash-based": "1 checked, 1 unchecked",
    }


def test_caches_are_counted_by_interpreter(root: Path) -> None:
    """A legacy file has no tag; its magic number is the interpreter's, or it is not."""
    compiled(root, "a")
    py_compile.compile("a.py", cfile="a.pyc", doraise=True)
    (root / "a.pyo").write_bytes((3413).to_bytes(2, "little") + b"\r\n" + bytes(12))
    make_tree(root, ["__pycache__/a.cpython-27.pyc", "lib.pyc"])
    # Without a tag, Python does not read it where it is.
    (root / "__pycache__" / "a.pyc").write_bytes((root / "a.pyc").read_bytes())
    python = PYTHON._replace(magic=MAGIC_NUMBER)
    facts = {fact.name: fact for fact in state.summarize(look(), python, ".").facts}
    assert facts[TAG].value.startswith("2 files, ")
    assert facts[TAG].explanation == ""
    assert facts["CPython 3.8"].explanation == facts["cpython-27"].explanation == state.OTHERS
    assert facts["unknown"].explanation == state.NOBODYS
    here = identify_magic(MAGIC_NUMBER)
    assert here is not None
    assert facts[f"{here.implementation} {here.version}"].explanation == state.OTHERS
    untagged = state.summarize(look(), python._replace(tag=""), ".").facts
    assert "cpython 3.0.0" in [fact.name for fact in untagged]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (1_250_000, "1.2 MB"),
        (3_000_000_000_000, "3000.0 GB"),
    ],
)
def test_size_is_printed_with_unit(size: int, text: str) -> None:
    assert state.format_size(size) == text


def test_orphans_are_reported_with_command(root: Path) -> None:
    make_tree(root, ["old/__pycache__/m.cpython-39.pyc"])
    (finding,) = state.summarize(look(), PYTHON, ".").findings
    assert (finding.rule.name, finding.path, finding.fix) == (
        "PYC603",
        "old/",
        "pycache-guard clean --orphans",
    )
    assert finding.message == "3 paths left over from sources that no longer exist"
    (elsewhere,) = state.find_orphans(str(root))
    assert elsewhere.fix == f"pycache-guard clean --orphans -- {shlex.quote(str(root))}"


def test_stale_unchecked_cache_is_reported(root: Path) -> None:
    path = compiled(root, "a b", PycInvalidationMode.UNCHECKED_HASH)
    compiled(root, "c", PycInvalidationMode.CHECKED_HASH)
    compiled(root, "d", PycInvalidationMode.UNCHECKED_HASH)
    for name in ("a b", "c"):
        (root / f"{name}.py").write_text("changed\n")
    (finding,) = state.summarize(look(), PYTHON, ".").findings
    assert (finding.rule.name, finding.path) == ("PYC203", path)
    assert finding.fix == f"rm -f -- '{path}'"


def status_of(uid: int, mode: int = 0o755) -> os.stat_result:
    return os.stat_result((stat.S_IFDIR | mode, 0, 0, 1, uid, uid, 0, 0, 0, 0))


def place(path: str, uid: int, above: int | None = None, mode: int = 0o755) -> CacheDirectory:
    return CacheDirectory(
        path, above is not None, status_of(uid, mode), None if above is None else status_of(above)
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no owners with numbers")
def test_unwritable_directory_is_reported_with_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(
        os, "access", lambda path, mode: mode == os.W_OK | os.X_OK and path.startswith("open")
    )

    class Mounted:
        def __init__(self, path: str) -> None:
            self.f_flag = compat.ST_RDONLY if path.startswith("fixed") else 0

    monkeypatch.setattr(os, "statvfs", Mounted)
    places = [
        place("open", 1000),
        place("open/__pycache__", 1000, above=1000),
        place("shut/b/__pycache__", 0, above=1000),
        place("open/a/__pycache__", 0, above=1000),
        place("ours b", 1000),
        place("ours", 1000),
        place("theirs/__pycache__", 5, above=5),
        place("fixed", 1000),
    ]
    assert [(f.path, f.message, f.fix) for f in state.find_unwritable(places)] == [
        (
            "open/a/__pycache__",
            "2 paths not owned by the owner of the directory above, usually written in a container",
            "sudo rm -rf -- open/a/__pycache__ shut/b/__pycache__",
        ),
        (
            "fixed",
            f"1 path on a read-only file system: {AGAIN}",
            "export PYTHONPYCACHEPREFIX=~/.cache/pycache",
        ),
        (
            "ours",
            f"2 paths without write permission for you: {AGAIN}",
            "chmod u+rwx -- ours 'ours b'",
        ),
        (
            "theirs/__pycache__",
            f"1 path of another user and not writable for you: {AGAIN}",
            'sudo chown "$(id -u)" -- theirs/__pycache__',
        ),
    ]
    assert {finding.rule.name for finding in state.find_unwritable(places)} == {"PYC601"}
    # Where no cache is written, only what nobody can remove is left to report.
    assert [f.path for f in state.find_unwritable(places, is_written=False)] == [
        "open/a/__pycache__"
    ]


posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX modes")

#: Modes of a cache, its directory, the directory above and the source; what is reported.
OPEN = [
    (0o644, 0o755, 0o755, 0o644, None),
    (0o644, 0o777, 0o755, 0o644, "__pycache__"),
    (0o644, 0o1777, 0o755, 0o644, "__pycache__"),
    (0o644, 0o777, 0o777, 0o644, None),  # a file system without modes, as of WSL
    (0o666, 0o755, 0o755, 0o644, "__pycache__/m"),
    (0o666, 0o755, 0o755, 0o666, None),
    (0o664, 0o775, 0o755, 0o644, None),
]


@posix
@pytest.mark.parametrize(("cache", "directory", "above", "source", "expected"), OPEN)
def test_world_writable_cache_is_reported(
    cache: int, directory: int, above: int, source: int, expected: str | None, root: Path
) -> None:
    path = root / compiled(root, "p/m")
    path.chmod(cache)
    path.parent.chmod(directory)
    (root / "p").chmod(above)
    (root / "p" / "m.py").chmod(source)
    found = look()
    findings = state.find_world_writable(found.caches, found.places)
    assert [f.path for f in findings if f.path] == (
        [] if expected is None else [f"p/{expected}{f'.{TAG}.pyc' if '/' in expected else ''}"]
    )
    for finding in findings:
        assert finding.fix is not None
        run_in_sh(finding.fix)
        found = look()
        assert state.find_world_writable(found.caches, found.places) == []


#: What happens to a cache, and whether it is damaged then.
CUTS = [
    (lambda data: data, False),
    (lambda data: b"", True),
    (lambda data: bytes(len(data)), True),
    (lambda data: data[:10], True),
    (lambda data: data[:16], True),
    (lambda data: data[:-1], True),
    (lambda data: data[: len(data) // 2], True),
    (lambda data: data[:16] + b"N" + data[17:], True),
    (lambda data: data + b"more", False),
    (lambda data: b"\0\0\r\n" + data[4:], False),
    (lambda data: b"# text\n", False),
]


@pytest.mark.parametrize(("cut", "is_damaged"), CUTS)
@pytest.mark.parametrize("place", ["cache", "beside", "without source"])
def test_damaged_cache_of_own_interpreter_is_reported(
    cut: Callable[[bytes], bytes], is_damaged: bool, place: str, root: Path, run: Run
) -> None:
    path = root / compiled(root, "p/m")
    data = cut(path.read_bytes())
    if place != "cache":
        path.rename(root / "p" / "m.pyc")
        path = root / "p" / "m.pyc"
    if place == "without source":
        (root / "p" / "m.py").unlink()
    path.write_bytes(data)
    python = PYTHON._replace(magic=MAGIC_NUMBER)
    found = state.summarize(look(), python, ".").findings
    findings = [finding for finding in found if finding.rule.name == "PYC206"]
    # A legacy file without a magic number is of no interpreter that is known.
    is_own = place == "cache" or data[:4] == MAGIC_NUMBER
    assert len(findings) == (is_damaged and is_own)
    for finding in findings:
        assert finding.fix is not None
        if finding.fix.startswith("pycache-guard "):
            assert run(*finding.fix.split()[1:]).code == 0
        else:
            run_in_sh(finding.fix)
        assert not path.exists()


def test_damaged_cache_has_the_command_for_its_place(root: Path) -> None:
    path = compiled(root, "p/m")
    (root / path).write_bytes(b"")
    caches_there = look().caches
    ((finding,), _) = state.find_damaged(caches_there, TAG, "a b", can_clean=True)
    assert finding.fix == "pycache-guard clean --broken -- 'a b'"
    ((finding,), _) = state.find_damaged(caches_there, TAG, ".", can_clean=False)
    assert finding.fix == f"rm -f -- {path}"
    (root / path).unlink()
    assert state.find_damaged(caches_there, TAG, ".", can_clean=True) == ([], [])


@posix
def test_world_writable_cache_without_source_is_open(root: Path) -> None:
    path = compiled(root, "m")
    (root / path).chmod(0o666)
    cache = _inspect_cache(path, path.rpartition("/")[2], "gone.py", is_cache=True, is_alone=False)
    assert cache is not None
    assert cache.is_writable_for_all


def test_large_caches_are_not_decoded(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled(root, "a")
    compiled(root, "b")
    monkeypatch.setattr(state, "MAX_DECODED_BYTES", 10)
    findings, (fact,) = state.find_damaged(look().caches, TAG, ".", can_clean=True)
    assert findings == []
    assert (fact.name, fact.value) == ("not read", "2 files for damage")
