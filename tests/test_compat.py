"""Other systems, as far as they can be shown without them: what they lack, and how they spell things."""

from __future__ import annotations

import errno
import os
import re
import sys
import time
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

import pycache_guard
from helpers.git_version import needs_any_git
from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN
from pycache_guard import cli, compat
from pycache_guard.doctor import state
from pycache_guard.doctor.caches import CacheDirectory
from pycache_guard.git.spawn import start_child
from pycache_guard.git.spawn_subprocess import SubprocessChild

if TYPE_CHECKING:
    from conftest import Program, Run
    from helpers.repo import Repo

PACKAGE = Path(str(pycache_guard.__file__)).parent
ASKED = re.compile(r"sys\.platform|os\.name\b|os\.supports_|(?:has|get)attr\((?:os|signal)\b")


def test_only_compat_asks_for_features_of_the_system() -> None:
    """Otherwise a test cannot say that it is another one. `compiler_child.py` runs in another interpreter."""
    asking = {path.name for path in PACKAGE.rglob("*.py") if ASKED.search(path.read_text("utf-8"))}
    assert asking == {"compat.py", "compiler_child.py"}


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_find_program_takes_absolute_directories_alone(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compat, "WINDOWS", platform == "win32")
    monkeypatch.chdir(tmp_path)
    for name in ("a/tool.exe", "b/tool", "b/tool.exe", "c/tool/x", "tool", "tool.exe", "d/tool"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o644 if name == "d/tool" else 0o755)
    a, b, c, d = (os.fspath(tmp_path / name) for name in "abcd")
    table = {
        "linux": [([a, b], f"{b}/tool"), ([c, b], f"{b}/tool"), (["", ".", "b", b], f"{b}/tool")],
        "win32": [([a, b], f"{a}/tool.exe"), ([c, b], f"{b}/tool.exe"), (["", b], f"{b}/tool.exe")],
    }
    for directories, expected in [*table[platform], *table[platform]]:
        found = compat.find_program("tool", os.pathsep.join(directories))
        assert found == expected.replace("/", os.sep)
    for path in ("", ".", "b", "../" + os.path.basename(tmp_path), ":", c, None):
        with pytest.raises(FileNotFoundError):
            compat.find_program("tool", path)
    if os.sep == "/":
        with pytest.raises(PermissionError):
            compat.find_program("tool", d)
        assert compat.find_program("tool", os.pathsep.join([d, b])).startswith(b)


@pytest.mark.skipif(
    sys.platform == "win32", reason="the usual places and proc(5) are those of POSIX"
)
def test_find_program_without_a_path_looks_in_the_usual_places() -> None:
    assert os.path.isabs(compat.find_program("sh", None))


@pytest.mark.skipif(
    sys.platform == "win32", reason="the usual places and proc(5) are those of POSIX"
)
def test_processor_ticks_grow_and_are_none_for_unknown_processes() -> None:
    """Of nobody nothing is known, nor where there is no proc(5); what works has used some."""
    assert compat.processor_ticks(1 << 30) is None
    if os.path.exists("/proc/self/stat"):
        before = compat.processor_ticks(os.getpid())
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
        after = compat.processor_ticks(os.getpid())
        assert before != after
        assert after is not None
        assert all(ticks.isdigit() for ticks in after)


def test_processors_are_counted_with_and_without_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= compat.count_processors() <= (os.cpu_count() or 1)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    for count, expected in ((3, 3), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        assert compat.count_processors() == expected


def windows(data: str | bytes) -> str:
    """Decode as `os.fsdecode` does on Windows (PEP 529)."""
    return data if isinstance(data, str) else data.decode("utf-8", "surrogatepass")


def test_path_that_windows_cannot_have_ends_with_2(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux can commit what Windows cannot name. It is refused, not passed over."""
    repo.stage("\udcff.pyc")
    monkeypatch.setattr(os, "fsdecode", windows)
    monkeypatch.setattr(compat, "WINDOWS", True)
    expected = "error: \\xff.pyc: the path is not UTF-8, so Windows cannot have it\n"
    assert run("forbid-bytecode") == (2, "", expected)
    monkeypatch.setattr(compat, "WINDOWS", False)
    with pytest.raises(UnicodeDecodeError):
        cli.main(["forbid-bytecode"])


@needs_any_git
def test_write_to_a_closed_pipe_on_windows_is_a_broken_pipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Windows says EINVAL."""
    monkeypatch.setattr(compat, "HAS_FORK", False)
    child = start_child(["git", "--version"], os.environ, feed=True)
    assert isinstance(child, SubprocessChild)
    while child.read():
        pass
    pipe = child._process.stdin
    assert pipe is not None

    class Pipe:
        def __init__(self, number: int) -> None:
            self._number = number

        def write(self, data: bytes) -> int:
            raise OSError(self._number, "said so")

        def close(self) -> None:
            """Nothing was written."""

    monkeypatch.setattr(child._process, "stdin", Pipe(errno.EINVAL))
    with pytest.raises(BrokenPipeError):
        child.write(b"a")
    monkeypatch.setattr(child._process, "stdin", Pipe(errno.EIO))
    with pytest.raises(OSError, match="said so"):
        child.write(b"a")
    pipe.close()
    assert child.wait() == (0, b"")


def test_commands_work_without_file_owners(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr(os, "geteuid", raising=False)
    monkeypatch.delattr(os, "statvfs", raising=False)
    monkeypatch.setattr(compat, "HAS_FILE_OWNERS", False)
    monkeypatch.setattr(compat, "HAS_STATVFS", False)
    monkeypatch.setattr(os, "access", lambda *_: False)
    place = CacheDirectory(os.fspath(tmp_path), False, tmp_path.stat(), None)
    (finding,) = state.find_unwritable([place])
    assert finding.path == os.fspath(tmp_path)


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii", "latin-1:strict", "utf-8"])
def test_console_without_a_character_gets_an_escape(
    repo: Repo, program: Program, encoding: str
) -> None:
    name = "größe 你好 \N{WAVING HAND SIGN}.pyc"
    repo.add(name)
    environment = {"PYTHONIOENCODING": encoding}
    for command in ("forbid-bytecode", "forbid-bytecode --format github", "fix --dry-run"):
        done = program(*command.split(), env=environment)
        assert (done.code, done.err) == (1, "")
        assert ".pyc" in done.out
    assert program("inspect", "--help", env=environment).code == 0
    failed = program("inspect", name + "x", env=environment)
    assert failed.code == 2
    assert failed.err.startswith("error: ")
    assert failed.err.count("\n") == 1


def test_pattern_of_another_letter_case_is_not_enough(repo: Repo, run: Run) -> None:
    """Here git would take `__PYCACHE__/` for the directory; where others check out, it may not."""
    repo.git("config", "core.ignoreCase", "true")
    repo.add(".gitignore", "__PYCACHE__/\n*.PY[CO]\n")
    done = run("check-gitignore")
    assert (done.code, done.err) == (1, "")
    assert "matching is case-sensitive; use lower case" in done.out


#: Names that Windows takes for others, or for devices.
ODD = ["a.pyc.", "a.pyc ", "a.pyc::$DATA", "__pycache__./a", "__pycache__ /a", "NUL", "COM1.txt"]


@pytest.mark.parametrize("name", ODD)
def test_bytecode_with_a_name_that_windows_changes_is_reported_by_content(
    repo: Repo, run: Run, name: str
) -> None:
    """By name they are not bytecode's; what they hold is looked at."""
    repo.stage(name, BYTECODE)
    done = run("forbid-bytecode")
    assert (done.code, done.err) == (1, "")
    assert f"{name}: PYC002" in done.out


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_both_normal_forms_of_a_path_are_shown_unchanged(
    repo: Repo, run: Run, form: Literal["NFC", "NFD"]
) -> None:
    name = unicodedata.normalize(form, "café.pyc")
    repo.add(name)
    done = run("forbid-bytecode")
    assert done.out.startswith(f"{name}: PYC001 ")
    assert run("forbid-bytecode", "--allow", name) == CLEAN


def test_allow_glob_with_backslashes_matches_nothing_and_is_reported(repo: Repo, run: Run) -> None:
    repo.add("tests/data/a.pyc")
    done = run("forbid-bytecode", "--allow", "tests\\data\\*.pyc")
    assert (done.code, done.err) == (1, "")
    assert "PYC001" in done.out
    assert "PYC003" in done.out
