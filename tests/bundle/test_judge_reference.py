"""Random folders against a slow reference, written from the documentation of importlib and PEP 552 alone."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.bundle.judge import State, judge
from pycache_guard.bundle.target import target_of_version
from pycache_guard.bundle.tree import Folder, add_file
from pycache_guard.bytecode.freshness import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycache_guard.bytecode.magic import Magic

TAG = sys.implementation.cache_tag
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
SOURCES = (b"x = 1\n", b"x = 2\n", b"x = 10\n", b"")
TIMES = (0, 1, 315_532_800, 1_700_000_000, 1_700_000_001, 2**32 + 1)
MAGICS = (importlib.util.MAGIC_NUMBER, b"\x33\r\r\n", b"text")
CODE = b"\xe3" + bytes(60)


class MemoryTree:
    """A `BundleTree` of a dict: path → content and time."""

    def __init__(self, files: dict[str, tuple[bytes, float]]) -> None:
        self.folders: dict[str, Folder] = {}
        self.failures: list[str] = []
        self.notes: list[str] = []
        self._files = files
        for path in files:
            directory, _, name = path.rpartition("/")
            add_file(self.folders, directory, name)

    def head(self, path: str) -> bytes:
        """Return the first bytes of a file."""
        return self._files[path][0][:64]

    def source(self, path: str) -> Source:
        """Return the facts about a source."""
        data, time = self._files[path]
        return Source(len(data), time, lambda: data)

    def hash_sources(self, wanted: Iterable[tuple[str, Magic]]) -> None:
        """Do nothing."""

    def digest(self, path: str) -> None:
        """Return None."""

    def load(self, paths: Iterable[str]) -> set[str]:
        """Return an empty set."""
        return set()

    def read(self, path: str) -> bytes:
        """Return a whole file."""
        return self._files[path][0]

    def show(self, path: str) -> str:
        """Return the path."""
        return path

    def locate_finding(self, path: str) -> tuple[str, str]:
        """Return the path."""
        return path, ""


class Pyc(NamedTuple):
    """What a bytecode file is made of."""

    magic: bytes
    flags: int
    #: The time, or whether the hash is right.
    time: int
    source: bytes
    length: int

    def make(self) -> bytes:
        """Return the file."""
        head = self.magic + self.flags.to_bytes(4, "little")
        if self.flags & 1:
            head += importlib.util.source_hash(self.source)
        else:
            head += (self.time & 0xFFFFFFFF).to_bytes(4, "little")
            head += len(self.source).to_bytes(4, "little")
        return (head + CODE)[: self.length]


pycs = st.builds(
    Pyc,
    st.sampled_from(MAGICS),
    st.sampled_from((0, 1, 2, 3, 4, 256)),
    st.sampled_from(TIMES),
    st.sampled_from(SOURCES),
    st.sampled_from((0, 3, 4, 15, 16, 17, 77)),
)
sources = st.tuples(st.sampled_from(SOURCES), st.sampled_from(TIMES))


@st.composite
def folders(draw: st.DrawFn) -> dict[str, tuple[bytes, float]]:
    """Return the files of a folder that may concern a module `m`."""
    files: dict[str, tuple[bytes, float]] = {}
    source = draw(st.none() | sources)
    if source:
        files["m.py"] = source
    names = [
        "m.pyc",
        *(
            f"__pycache__/m.{tag}{level}.pyc"
            for tag in (TAG, "cpython-27", "pypy310")
            for level in ("", ".opt-1", ".opt-2")
        ),
    ]
    for name in draw(st.lists(st.sampled_from(names), unique=True)):
        made = draw(pycs)
        if source and draw(st.booleans()):  # most random files would not fit
            made = made._replace(time=source[1], source=source[0], length=77, magic=MAGICS[0])
        files[name] = made.make(), 0
    others = ["m/__init__.py", "m/__init__.pyc", "m/other.py", "m.so", "m.abi3.so", f"m.{TAG}-x.so"]
    for name in draw(st.lists(st.sampled_from([*others, "m.cpython-27-x.so", "n.so"]), max_size=2)):
        files[name] = b"", 0
    return files


def ask_reference(
    files: dict[str, tuple[bytes, float]], level: int
) -> tuple[str, bool, bool] | None:
    """Return the file that import takes for `m`, whether it uses bytecode, and whether it compiles."""
    if {"m/__init__.py", "m/__init__.pyc"} & files.keys():
        return None
    if {"m.so", "m.abi3.so", f"m.{TAG}-x.so"} & files.keys():
        return None
    if "m.py" in files:
        source, time = files["m.py"]
        optimization = f".opt-{level}" if level else ""
        data = files.get(f"__pycache__/m.{TAG}{optimization}.pyc", (b"", 0))[0]
        if not is_accepted(data) or not is_fresh(data, source, time):
            return "m.py", False, True
        return "m.py", data[16:] == CODE, False
    if "m.pyc" in files:
        data = files["m.pyc"][0]
        return "m.pyc", is_accepted(data) and data[16:] == CODE, False
    return None


def is_accepted(data: bytes) -> bool:
    """Return whether the header is one of this Python: magic number, length, flags."""
    return (
        data[:4] == importlib.util.MAGIC_NUMBER
        and len(data) >= 16
        and int.from_bytes(data[4:8], "little") < 4
    )


def is_fresh(data: bytes, source: bytes, time: float) -> bool:
    """Return whether the header fits the source (PEP 552)."""
    flags = data[4]
    if flags & 1:
        return not flags & 2 or data[8:16] == importlib.util.source_hash(source)
    mtime, size = int.from_bytes(data[8:12], "little"), int.from_bytes(data[12:16], "little")
    return (mtime, size) == (int(time) % 2**32, len(source) % 2**32)


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="the table has one number of PyPy")
@given(files=folders(), level=st.sampled_from((0, 1, 2)))
def test_verdicts_agree_with_the_reference(
    files: dict[str, tuple[bytes, float]], level: int
) -> None:
    judgement = judge(MemoryTree(files), target_of_version(VERSION), level)
    found = {
        module.path: module for module in judgement.modules if not module.path.startswith("m/")
    }
    expected = ask_reference(files, level)
    if expected is None:
        assert all(module.cause == "shadowed" for module in found.values())
        assert not any(module.is_compiled for module in found.values())
        return
    path, is_used, is_compiled = expected
    (module,) = found.values()
    assert (module.path, module.state is State.USED) == (path, is_used)
    assert module.is_compiled is is_compiled
    assert (module.state is State.MISSING) is (is_compiled and module.bytecode is None)


@given(files=folders())
def test_every_file_is_reported_once(files: dict[str, tuple[bytes, float]]) -> None:
    judgement = judge(MemoryTree(files), target_of_version(VERSION), 0)
    found = [module.bytecode for module in judgement.modules if module.bytecode]
    found += [stray.path for stray in judgement.strays]
    assert len(found) == len(set(found))
    bytecode = {path for path in files if path.endswith(".pyc")}
    assert set(found) <= bytecode
    assert len(bytecode) - len(found) == judgement.other_levels
