"""The import system is the oracle: for each interpreter, it says which bytecode it uses and writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundle.pythons import MODES, Python, pythons
from pycache_guard.bundle.judge import State, judge
from pycache_guard.bundle.target import target_of_version
from pycache_guard.bundle.tree import DiskTree

if TYPE_CHECKING:
    from collections.abc import Callable

TIME = 1_700_000_001
LEVELS = (0, 1, 2)


class Place:
    """A folder with a module `m`, its cache, and everything that may go wrong with them."""

    def __init__(self, folder: Path, tag: str, level: int) -> None:
        self.folder = folder
        self.source = folder / "m.py"
        self.cache = folder / "__pycache__" / f"m.{tag}{f'.opt-{level}' * bool(level)}.pyc"

    def set_time(self, time: float) -> Place:
        """Set the time of the source."""
        os.utime(self.source, (time, time))
        return self

    def patch(self, offset: int, data: bytes) -> Place:
        """Write over bytes of the cache."""
        whole = bytearray(self.cache.read_bytes())
        whole[offset : offset + len(data)] = data
        self.cache.write_bytes(whole)
        return self

    def cut(self, size: int) -> Place:
        """Cut the cache after `size` bytes."""
        self.cache.write_bytes(self.cache.read_bytes()[:size])
        return self

    def edit(self, source: str) -> Place:
        """Change the source, and keep its time."""
        self.source.write_bytes(source.encode())
        return self.set_time(TIME)

    def add(self, name: str, data: bytes = b"") -> Place:
        """Add a file to the folder."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return self

    def move(self, name: str) -> Place:
        """Move the cache to another name in the folder."""
        self.cache.rename(self.folder / name)
        return self

    def remove(self, path: Path) -> Place:
        """Remove a file."""
        path.unlink()
        return self


#: How an import of these modules fails.
FAILURES = ("EOFError", "ImportError", "SyntaxError", "ValueError")
SOURCE = '"""Text."""\nassert VALUE == 1\n'
IN_1980 = 315_532_800

CASES: dict[str, Callable[[Place], object]] = {
    "kept": lambda at: at,
    "lost": lambda at: at.set_time(TIME + 2),
    "lost-by-one": lambda at: at.set_time(TIME - 1),
    "zeroed": lambda at: at.set_time(0),
    "zeroed-both": lambda at: at.set_time(0).patch(8, bytes(4)),
    "1980": lambda at: at.set_time(IN_1980),
    "1980-both": lambda at: at.set_time(IN_1980).patch(8, IN_1980.to_bytes(4, "little")),
    "fraction": lambda at: at.set_time(TIME + 0.75),
    "negative": lambda at: at.set_time(-5).patch(8, (2**32 - 5).to_bytes(4, "little")),
    "after-2106": lambda at: at.set_time(2**32 + 5).patch(8, (5).to_bytes(4, "little")),
    "grown": lambda at: at.edit(SOURCE + "#\n"),
    "same-size": lambda at: at.edit(SOURCE.replace("1", "2")),
    "line-endings": lambda at: at.edit(SOURCE.replace("\n", "\r\n")),
    "no-source": lambda at: at.remove(at.source),
    "no-cache": lambda at: at.remove(at.cache),
    "no-cache-and-invalid": lambda at: at.remove(at.cache).edit("("),
    "beside": lambda at: at.move("m.pyc"),
    "beside-too": lambda at: at.add("m.pyc", at.cache.read_bytes()),
    "sourceless": lambda at: at.move("m.pyc").remove(at.source),
    "sourceless-magic": lambda at: at.patch(0, b"\x33\x0d").move("m.pyc").remove(at.source),
    "sourceless-cut": lambda at: at.cut(9).move("m.pyc").remove(at.source),
    "sourceless-and-package": lambda at: at.move("m.pyc").remove(at.source).add("m/__init__.py"),
    "pyo": lambda at: at.move("m.pyo"),
    "magic": lambda at: at.patch(0, b"\x33\x0d"),
    "unknown-magic": lambda at: at.patch(0, b"\x01\x00"),
    "no-magic": lambda at: at.patch(0, b"text"),
    "flags-2": lambda at: at.patch(4, b"\2"),
    "flags-4": lambda at: at.patch(4, b"\4"),
    "flags-256": lambda at: at.patch(5, b"\1"),
    "other-time-in-cache": lambda at: at.patch(8, b"\0\0"),
    "other-size-in-cache": lambda at: at.patch(12, b"\1\0"),
    "empty": lambda at: at.cut(0),
    "cut-in-magic": lambda at: at.cut(3),
    "cut-in-header": lambda at: at.cut(15),
    "cut-after-header": lambda at: at.cut(16),
    "cut-in-code": lambda at: at.cut(30),
    "zeros-for-code": lambda at: at.patch(16, bytes(20)),
    "package": lambda at: at.add("m/__init__.py"),
    "sourceless-package": lambda at: at.add("m/__init__.pyc"),
    "directory": lambda at: at.add("m/other.py"),
    "extension": lambda at: at.add("m.so"),
    "stable-extension": lambda at: at.add("m.abi3.so"),
    "extension-of-another": lambda at: at.add("m.cpython-36m-x86_64-linux-gnu.so"),
    "library": lambda at: at.add("libm.so"),
    "pytest": lambda at: at.move("__pycache__/m.cpython-313-pytest-9.0.0.pyc"),
    "temporary": lambda at: at.move(f"__pycache__/{at.cache.name}.140162621172480"),
    "other-name": lambda at: at.source.rename(at.folder / "M.py"),
}


def make_places(root: Path, python: Python) -> dict[str, Place]:
    """Make a folder for each case, mode and level, all with bytecode of this interpreter."""
    places = {
        f"{mode}-{level}-{case}": Place(root / f"{mode}-{level}-{case}", python.tag, level)
        for mode in MODES
        for level in LEVELS
        for case in CASES
    }
    requests = []
    for name, place in places.items():
        mode, level, _ = name.split("-", 2)
        place.cache.parent.mkdir(parents=True)
        place.source.write_text(SOURCE, "utf-8")
        place.set_time(TIME)
        requests.append((os.fspath(place.source), os.fspath(place.cache), int(level), mode))
    python.compile(requests)
    for name, place in places.items():
        CASES[name.split("-", 2)[2]](place)
    return places


@pytest.mark.parametrize("python", pythons(), ids=lambda python: python.version)
def test_verdicts_agree_with_import(tmp_path: Path, python: Python) -> None:
    places = make_places(tmp_path, python)
    for level in LEVELS:
        answers = python.ask([os.fspath(place.folder) for place in places.values()], level)
        judgement = judge(DiskTree(os.fspath(tmp_path)), target_of_version(python.version), level)
        ours = {module.path: module for module in judgement.modules}
        for path, answer in answers.items():
            if path.endswith(("other.py", "__init__.py")):
                continue
            module = ours.pop(os.path.relpath(path, tmp_path))
            is_used, is_written = answer if isinstance(answer, list) else (False, False)
            # Another exception is a fault of the oracle.
            assert isinstance(answer, list) or answer in FAILURES, (path, answer)
            expected = is_used, is_written or answer == "SyntaxError"
            assert (module.state is State.USED, module.is_compiled) == expected, (path, module)
        # What import does not take for a module is nothing that we call used or missing.
        left = [module for module in ours.values() if "/m/" not in module.path]
        assert {module.state for module in left} <= {State.NEVER_USED}, left
        assert {module.cause for module in left} <= {"shadowed"}, left
